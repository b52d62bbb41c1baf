"""The correlation matrix of fingerprints as a heat-map, and the tree over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from frontend.charts import NEUTRAL
from frontend.charts.heat import DARK_FROM, ROW_PX, column_names, frame_heat
from frontend.charts.profile import load_altair
from frontend.texts import say_text

if TYPE_CHECKING:
    from altair import Chart, LayerChart


def draw_correlations(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> LayerChart:
    """A cell for each pair of `names`, in their order: blue for what is alike, orange for what is opposite."""
    alt = load_altair()
    values = [
        {"first": first, "second": second, "correlation": value}
        for first, row in zip(names, matrix, strict=True)
        for second, value in zip(names, row, strict=True)
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("second:N", title=None, sort=list(names), axis=column_names()),
        y=alt.Y("first:N", title=None, sort=list(names), axis=alt.Axis(labelLimit=160)),
    )
    legend = alt.Legend(
        type="gradient", orient="bottom", title=say_text("fingerprints.compare.value"), gradientLength=120
    )
    scale = alt.Scale(scheme="redblue", domain=[-1, 1])
    cells: Chart = base.mark_rect().encode(
        color=alt.Color("correlation:Q", scale=scale, legend=legend),
        tooltip=["first:N", "second:N", alt.Tooltip("correlation:Q", format=".3f")],
    )
    ink = alt.condition(f"abs(datum.correlation) > {DARK_FROM}", alt.value("white"), alt.value("black"))
    figures = base.mark_text(fontSize=12).encode(text=alt.Text("correlation:Q", format=".2f"), color=ink)
    return frame_heat(cells + figures, len(names), names, titled=False)


def draw_tree(names: Sequence[str], order: Sequence[int], linkage: Sequence[Sequence[float]]) -> Chart:
    """The dendrogram of a comparison: `names` as leaves in the `order` of the matrix, joined at 1 - correlation.

    linkage: SciPy's, for n names n - 1 rows of two clusters, their distance and their leaves.
    """
    alt = load_altair()
    axis = alt.Axis(
        values=list(range(len(names))),
        labelExpr=f"{json.dumps([names[place] for place in order])}[datum.value]",
        labelLimit=160,
        domain=False,
        grid=False,
        ticks=False,
    )
    heights = alt.Scale(domain=[-0.5, len(names) - 0.5], reverse=True, nice=False)
    chart: Chart = (
        alt.Chart(alt.Data(values=branches(order, linkage)))
        .mark_rule(strokeWidth=2, color=NEUTRAL)
        .encode(
            x=alt.X("from:Q", title=say_text("fingerprints.tree.axis"), axis=alt.Axis(tickCount=6)),
            x2="to:Q",
            y=alt.Y("low:Q", title=None, axis=axis, scale=heights),
            y2="high:Q",
        )
        .properties(height=ROW_PX * len(names) + 60)
    )
    return chart


def branches(order: Sequence[int], linkage: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """The tree's lines, three for each join: two along the distance and one across, from the leaves at distance 0."""
    ends = {leaf: (0.0, float(height)) for height, leaf in enumerate(order)}
    lines = []
    for number, (first, second, distance, _) in enumerate(linkage):
        (start, low), (other, high) = ends[int(first)], ends[int(second)]
        lines += [
            {"from": start, "to": distance, "low": low, "high": low},
            {"from": other, "to": distance, "low": high, "high": high},
            {"from": distance, "to": distance, "low": low, "high": high},
        ]
        ends[len(order) + number] = (distance, (low + high) / 2)
    return lines
