"""The correlation matrix of fingerprints as a heat-map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from frontend.charts.profile import load_altair
from frontend.texts import say_text

if TYPE_CHECKING:
    from altair import Chart, LayerChart

_ROW_PX = 34
_DARK_FROM = 0.55
"""Strength from which a cell is so dark that its figure is white."""


def draw_correlations(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> LayerChart:
    """A cell for each pair of `names`, in their order: blue for what is alike, orange for what is opposite."""
    alt = load_altair()
    values = [
        {"first": first, "second": second, "correlation": value}
        for first, row in zip(names, matrix, strict=True)
        for second, value in zip(names, row, strict=True)
    ]
    label = alt.Axis(labelLimit=160, labelAngle=-40, orient="top")
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("second:N", title=None, sort=list(names), axis=label),
        y=alt.Y("first:N", title=None, sort=list(names), axis=alt.Axis(labelLimit=160)),
    )
    legend = alt.Legend(
        type="gradient", orient="bottom", title=say_text("fingerprints.compare.value"), gradientLength=200
    )
    scale = alt.Scale(scheme="redblue", domain=[-1, 1])
    cells: Chart = base.mark_rect().encode(
        color=alt.Color("correlation:Q", scale=scale, legend=legend),
        tooltip=["first:N", "second:N", alt.Tooltip("correlation:Q", format=".3f")],
    )
    ink = alt.condition(f"abs(datum.correlation) > {_DARK_FROM}", alt.value("white"), alt.value("black"))
    figures = base.mark_text(fontSize=12).encode(text=alt.Text("correlation:Q", format=".2f"), color=ink)
    chart: LayerChart = (cells + figures).properties(height=_ROW_PX * len(names) + 160)
    return chart
