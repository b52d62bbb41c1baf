"""What every chart shares: colours that colour-blind people tell apart on light and on dark, and how one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    import altair as alt  # half a second: imported by the functions that draw

REAL, FAKE, NEUTRAL = "#0072B2", "#D55E00", "#808080"
"""Okabe and Ito's blue and vermilion (2008); each has a contrast of 3:1 or more with both themes' backgrounds."""
CLASSES = {"REAL": REAL, "FAKE": FAKE}
SERIES = ("#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#7B68C8", "#808080")
"""For several models over each other, none of them the colour of a class; lines differ in their dashes as well."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1])
HEIGHT = 280
"""Pixels of an ordinary chart."""


def show_chart(chart: alt.Chart | alt.LayerChart | alt.FacetChart, reading: str, alternative: str) -> None:
    """The chart with a sentence below that says what to see in it (Markdown), and one for screen readers (text)."""
    st.altair_chart(chart, width="stretch", alt=alternative)
    st.caption(reading)
