"""What a model makes of generators that it never saw, beside its accuracy on images like its own."""

from __future__ import annotations

import streamlit as st

from frontend.evaluating.results import show_recalls, show_table
from frontend.formatting import count, rate
from frontend.texts import say
from frontend.transport import Json


def show_held_out(card: Json) -> None:
    """The card's figures on other generators, of evaluations and of the fit itself, and the way to measure more."""
    st.subheader(say("generators.held_out"))
    held_out = card.get("held_out_generators")
    if not held_out:
        st.caption(say("generators.held_out.none"))
    else:
        test = card["metrics"].get("test") or {}
        figures = {"accuracy": rate(test.get("accuracy")), "recall": rate(held_out["recall"])}
        others = {"count": count(len(held_out["generators"])), "worst": held_out["worst"]}
        st.warning(say("generators.held_out.says", **figures, **others), icon=":material/visibility_off:")
        show_recalls(held_out["generators"])
        show_table(held_out["generators"])
    show_left_out(card.get("left_out_generators") or {})
    st.page_link(
        "screens/generators.py",
        label=say("generators.held_out.measure"),
        icon=":material/grid_on:",
        query_params={"model": str(card["id"])},
    )


def show_left_out(left_out: Json) -> None:
    """What the fit found by leaving each of its generators out in turn, or that it is unknown."""
    rows = left_out.get("generators")
    if rows:
        figures = {"recall": rate(left_out["recall"]), "worst": left_out["worst"], "fpr": rate(left_out["fpr"])}
        st.warning(say("generators.left_out.says", count=count(len(rows)), **figures), icon=":material/visibility_off:")
        show_table(rows)
    else:
        st.caption(say("generators.left_out.none"))
