"""Why a model answers as it does, stage by stage, and what becomes of the answer on changed copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from frontend.checking.describing import describe_flips
from frontend.formatting import percent, rate
from frontend.texts import TEXTS, plain, say, say_known, say_text
from frontend.transport import Json

KNOWN = frozenset({"heatmap", "note", "note_code", "exact", "base", "margin", "stages"})
"""Parts of an explanation that are drawn here or over the picture; others come as a table of names and values."""


def show_note(explanation: Json) -> None:
    """How to read the map, in the visitor's language where the service says which note it is."""
    if explanation.get("note"):
        st.write(plain(say_known(f"explanation.{explanation.get('note_code')}", str(explanation["note"]))))


def show_stages(explanation: Json) -> None:
    """Behind a fold: what each stage adds to the score, with the base and the sum; nothing where there are none."""
    stages = explanation.get("stages")
    if not stages:
        return
    rows = [(str(stage["name"]), f"{stage['share']:+.2f}", rate(stage["receptive_field"], 0)) for stage in stages]
    rows.append((say_text("explanation.base"), f"{explanation['base']:+.2f}", ""))
    rows.append((say_text("explanation.margin"), f"{explanation['margin']:+.2f}", ""))
    columns = ("explanation.stage", "explanation.share", "explanation.sees")
    with st.expander(say("explanation.stages")):
        st.caption(say("explanation.sees_help"))
        st.table(
            {say(key): [plain(row[place]) for row in rows] for place, key in enumerate(columns)}, border="horizontal"
        )


def is_tried(stability: Any) -> bool:
    """Whether the service tells of each changed copy."""
    tried = stability.get("tried") if isinstance(stability, Mapping) else None
    return isinstance(tried, list) and bool(tried) and all(isinstance(each, Mapping) for each in tried)


def show_stability(stability: Json) -> None:
    """The sentence, and behind a fold the probability and the verdict of each changed copy."""
    st.markdown(f":material/rule: {plain(describe_flips(stability))}")
    tried = stability["tried"]
    with st.expander(say("answer.stability")):
        st.table(
            {
                say("stability.change"): [plain(_describe_change(each)) for each in tried],
                say("stability.probability"): [plain(percent(float(each["probability_fake"]))) for each in tried],
                say("stability.verdict"): [say(f"verdict.short.{each['verdict']}") for each in tried],
            },
            border="horizontal",
        )


def _describe_change(tried: Json) -> str:
    key, strength = f"change.{tried['change']}", f"{tried['strength']:g}"
    return say_text(key, strength=strength) if key in TEXTS else f"{tried['change']} {strength}"
