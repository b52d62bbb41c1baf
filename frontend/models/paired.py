"""Two models image by image: on how many pictures each alone is right, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from frontend.charts.evaluation import name_series
from frontend.formatting import count, number
from frontend.session import client
from frontend.texts import say
from frontend.transport import ApiError, Json

_NOT_TOLD = (403, 404, 422)
"""A key of a smaller scope; an older service, or a model that is gone; no image that both were tested on."""


def show_paired(cards: Sequence[Json]) -> None:
    """One sentence on two models of one data set; nothing where the service does not compare them."""
    try:
        found = client().compare_models(*(str(card["id"]) for card in cards))
    except ApiError as error:
        if error.status not in _NOT_TOLD:
            raise
        return
    first, second = name_series(cards)
    st.write(
        say(
            "compare.paired.significant" if found["significant"] else "compare.paired.chance",
            n=count(found["n"]),
            first=first,
            only_first=count(found["only_first"]),
            second=second,
            only_second=count(found["only_second"]),
            p=p_value(found["p"]),
        )
    )


def p_value(p: float) -> str:
    """How small a p is, with its sign: below 0.001 nobody needs to know."""
    return "p < 0.001" if p < 0.001 else f"p = {number(p)}"
