"""Brightness, contrast, sharpness and the other measures of a data set, REAL against FAKE."""

from __future__ import annotations

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.profile import draw_distribution
from frontend.data.profile_facts import contrast_of, only_value
from frontend.formatting import count, rate, size
from frontend.texts import plain, say, say_text
from frontend.transport import Json

SEPARATE, CLOSE = 0.2, 0.85
"""Shares of two histograms that lie over each other, 0..1: below the one they are apart, above the other alike.

Of few images less has to lie over each other: half as much again as chance alone parts is still called alike."""

KNOWN = ("brightness", "contrast", "saturation", "sharpness", "width", "height", "aspect", "bytes")
"""Measures with texts of their own; a later service may have more."""


def show_measures(profile: Json) -> None:
    """Every measure as a chart, two beside each other where there is room, the most telling first."""
    st.write(say("measures.intro"))
    with st.grid(min_column_width=320, gap="medium"):
        for name in in_order(profile["distributions"]):
            with st.container():
                _show_measure(name, profile["distributions"][name])


def in_order(distributions: dict[str, Json]) -> list[str]:
    """The measures, those first whose curves overlap least; those with one value for all images last."""

    def overlap(name: str) -> float:
        contrast = contrast_of(distributions[name])
        if only_value(distributions[name]) is not None:
            return 2.0
        return 1.0 if contrast is None else contrast.overlap

    return sorted(distributions, key=overlap)


def measure_sentence(name: str, distribution: Json) -> str:
    """The medians and how much the curves overlap (Markdown)."""
    contrast = contrast_of(distribution)
    if contrast is None:
        label, stats = next(iter(distribution["by_class"].items()))
        return say("measures.one_class", label=label, median=_figure(name, stats["quantiles"]["p50"]))
    values = {"real": _figure(name, contrast.real), "fake": _figure(name, contrast.fake)}
    values["overlap"] = rate(contrast.overlap, 0)
    if contrast.overlap < SEPARATE:
        return say("measures.apart", **values)
    alike = contrast.overlap > min(CLOSE, 1 - 1.5 * contrast.chance)
    return say("measures.alike", **values) if alike else say("measures.differ", **values)


def _show_measure(name: str, distribution: Json) -> None:
    title = say_text(f"measure.{name}.name") if name in KNOWN else name
    st.markdown(f"**{plain(title)}**")
    only = only_value(distribution)
    if only is not None:
        st.write(say("measures.same", value=_figure(name, only)))
        return
    axis = say_text(f"measure.{name}.axis") if name in KNOWN else f"{name} ({distribution['unit']})"
    alternative = say_text("measures.alt", measure=title)
    show_chart(draw_distribution(distribution, axis), measure_sentence(name, distribution), alternative)


def _figure(name: str, value: float) -> str:
    if name == "bytes":
        return size(round(value))
    if name in ("width", "height"):
        return say_text("measures.pixels", count=f"{value:.0f}")
    return count(round(value)) if abs(value) >= 100 else f"{value:.2f}"
