"""The fields of the form for fine-tuning: a switch, and the few settings that matter once it is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from frontend.texts import plain, say, say_option, say_text
from frontend.training.choosing import choose_one
from frontend.training.form import FINETUNED_ALONE, in_order
from frontend.transport import Json

PERSIST: Literal["session"] = "session"
SHOWN = ("epochs", "learning_rate", "train", "augment", "patience")
"""Settings that have a field; the others keep what the service, or the job that is repeated, says."""
STEPS = {"epochs": 1, "patience": 1}
"""Numbers that are whole."""


def show_finetune(options: Json, extractors: list[str], keep: Callable[[str, Any], str], prefix: str) -> dict[str, Any]:
    """Draws the switch where the network is read alone; returns "finetune" and its settings as "finetune.<name>".

    `keep` gives the key of a field, which starts as the default; `prefix` is what the form's keys begin with.
    """
    if extractors != [FINETUNED_ALONE]:
        return {"finetune": False}
    key = keep("finetune", False)
    on = st.toggle(say("train.finetune"), key=key, help=say("train.finetune.help"), persist_state=PERSIST)
    chosen: dict[str, Any] = {"finetune": on}
    if not on:
        return chosen
    st.caption(say("train.finetune.cost"))
    with st.container(border=True):
        for row in options["finetune"]:
            name = f"finetune.{row['name']}"
            if row["name"] in SHOWN:
                chosen[name] = _show(row, name, keep, prefix)
            else:
                chosen[name] = st.session_state.get(prefix + name, row["default"])
    return chosen


def _show(row: Json, name: str, keep: Callable[[str, Any], str], prefix: str) -> Any:
    label = say(f"setting.finetune.{row['name']}")
    help = plain(say_option(f"option.finetune.{row['name']}", str(row["help"])))
    if row["minimum"] is not None:
        key = keep(name, row["default"])
        whole = row["name"] in STEPS
        low, high = (int(row["minimum"]), int(row["maximum"])) if whole else (float(row["minimum"]), row["maximum"])
        step, form = (1, None) if whole else (0.0001, "%.5g")
        return st.number_input(label, low, high, key=key, step=step, format=form, help=help, persist_state=PERSIST)
    if isinstance(row["default"], list):
        key = keep(name, row["default"])
        picked = st.multiselect(label, row["choices"], key=key, help=help, select_all=False, persist_state=PERSIST)
        return in_order(picked, row["choices"])
    given = st.session_state.get(prefix + name, row["default"])
    offered = [*row["choices"], *([given] if given not in row["choices"] else [])]  # a list of stages, as it was asked
    return choose_one(label, offered, prefix + name, format_func=_part, default=row["default"], help=help)


def _part(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else say_text(f"choice.train.{value}")
