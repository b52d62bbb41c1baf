"""What a file says of its own origin, in words: on the page and in reports."""

from __future__ import annotations

import streamlit as st

from frontend.texts import plain, say, say_known, say_text
from frontend.transport import Json

_ICONS = {"trusted": ":material/verified:", "signed": ":material/draw:", "none": ":material/broken_image:"}


def show_provenance(evidence: list[Json]) -> None:
    """Each piece of evidence, the strongest first, and what all of it is worth."""
    for item, (source, sentence) in zip(evidence, describe_evidence(evidence), strict=True):
        icon = _ICONS.get(str(item.get("strength")), ":material/info:")
        st.markdown(f"{icon} **{plain(source)}** {plain(sentence)}")
    st.caption(say("provenance.note"))


def describe_evidence(evidence: list[Json]) -> list[tuple[str, str]]:
    """(where it stands, what it says and what that is worth) of each piece, as text."""
    return [(str(item["source"]), _sentence(item)) for item in evidence]


def provenance_rows(prediction: Json) -> list[tuple[str, str]]:
    """The rows of a report, with what they are worth as the last; none where the file says nothing."""
    evidence = (prediction.get("provenance") or {}).get("evidence") or []
    return [*describe_evidence(evidence), ("", say_text("provenance.note"))] if evidence else []


def _sentence(item: Json) -> str:
    says = say_known(f"provenance.says.{item['statement']}", str(item["statement"]))
    worth = say_known(f"provenance.strength.{item['strength']}", str(item["strength"]))
    return f"{says}: {item['detail']} ({worth})"
