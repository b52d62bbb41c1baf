"""Charts of how good a detector still is on images that something happened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frontend.charts import NEUTRAL, SERIES
from frontend.charts.profile import load_altair
from frontend.texts import say_known, say_text
from frontend.transport import Json

if TYPE_CHECKING:
    from altair import FacetChart

WIDTH, HEIGHT = 150, 150
COLUMNS = 4


def curves(rows: list[Json], figure: str) -> FacetChart:
    """One small chart a corruption: `figure` ("accuracy" or "auroc") in percent by strength, with 95 % intervals.

    A dashed line is the value of the images as they are; strengths stand in the order of the service, mild ones first.
    """
    alt = load_altair()
    baseline = next(row[figure] for row in rows if row["corruption"] is None)
    values = [
        {
            "corruption": say_known(f"corruption.{row['corruption']}", str(row["corruption"])),
            "strength": f"{row['strength']:g}",
            "order": place,
            "value": row[figure] * 100,
            "low": row["intervals"][figure][0] * 100,
            "high": row["intervals"][figure][1] * 100,
            "baseline": baseline * 100,
        }
        for place, row in enumerate(rows)
        if row["corruption"] is not None and row[figure] is not None
    ]
    lowest = min(50.0, *(row["low"] for row in values))
    x = alt.X("strength:N", title=say_text("robustness.strength"), sort=alt.SortField("order"))
    y = alt.Y("value:Q", title=say_text(f"robustness.{figure}"), scale=alt.Scale(domain=[lowest, 100], nice=True))
    tooltip = [
        "corruption:N",
        "strength:N",
        *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("value", "low", "high")),
    ]
    base = alt.Chart().encode(x=x)
    layers = alt.layer(
        base.mark_rule(color=NEUTRAL, strokeDash=[4, 3]).encode(y="baseline:Q"),
        base.mark_rule(color=SERIES[2], strokeWidth=2).encode(y="low:Q", y2="high:Q"),
        base.mark_line(color=SERIES[2]).encode(y=y, order="order:Q"),
        base.mark_point(color=SERIES[2], filled=True, size=60, opacity=1).encode(y=y, tooltip=tooltip),
        data=alt.Data(values=values),
    ).properties(width=WIDTH, height=HEIGHT)
    chart: FacetChart = layers.facet(
        facet=alt.Facet("corruption:N", title=None, sort=alt.SortField("order")), columns=COLUMNS
    ).resolve_scale(x="independent")
    return chart
