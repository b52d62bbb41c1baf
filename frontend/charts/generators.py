"""Charts of detectors and generators: what is found of each, and the heat-map of train x test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from frontend.charts import FAKE, NEUTRAL
from frontend.charts.heat import DARK_FROM, ROW_PX, column_names, frame_heat
from frontend.charts.profile import load_altair
from frontend.texts import say_text
from frontend.transport import Json

if TYPE_CHECKING:
    from altair import Chart, LayerChart

MEASURES = ("recall", "auroc", "accuracy")
"""What the cells of train x test can show."""


def draw_recalls(rows: Sequence[Json]) -> LayerChart:
    """The share of each generator's fakes that is found, in per cent with its interval; the least found on top."""
    alt = load_altair()
    values = [
        {
            "generator": row["generator"],
            "found": 100 * row["recall"],
            "low": 100 * row["intervals"]["recall"][0],
            "high": 100 * row["intervals"]["recall"][1],
            "n": row["n"],
        }
        for row in rows
    ]
    order = [row["generator"] for row in sorted(rows, key=lambda row: row["recall"])]
    y = alt.Y("generator:N", title=None, sort=order, axis=alt.Axis(labelLimit=160, grid=True))
    scale = alt.Scale(domain=[0, 100])
    base = alt.Chart(alt.Data(values=values))
    lines = base.mark_rule(color=NEUTRAL, strokeWidth=3).encode(
        x=alt.X("low:Q", title=say_text("generators.chart.x"), scale=scale), x2="high:Q", y=y
    )
    dots = base.mark_point(filled=True, size=110, opacity=1, color=FAKE).encode(
        x=alt.X("found:Q", scale=scale),
        y=y,
        tooltip=["generator:N", *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("found", "low", "high")), "n:Q"],
    )
    chart: LayerChart = (lines + dots).properties(height=ROW_PX * len(rows) + 60)
    return chart


def draw_heat(rows: Sequence[Json], names: Sequence[str], measure: str = "recall") -> LayerChart:
    """One measure of each cell: a line for each of `rows` by the name in `names`, a column a generator.

    `measure` is one of MEASURES; `auroc` is drawn from 0 to 1, the others in per cent.
    """
    alt = load_altair()
    field, most = ("found" if measure == "recall" else measure), (1 if measure == "auroc" else 100)
    coarse, fine = (".2f", ".3f") if measure == "auroc" else (".0f", ".1f")
    values = [
        {"fitted": name, "tested": cell["generator"], field: most * cell[measure], "n": cell["n"]}
        for row, name in zip(rows, names, strict=True)
        for cell in row["generators"]
    ]
    columns = [cell["generator"] for cell in rows[0]["generators"]]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("tested:N", title=say_text("generators.heat.x"), sort=columns, axis=column_names()),
        y=alt.Y("fitted:N", title=say_text("generators.heat.y"), sort=list(names), axis=alt.Axis(labelLimit=160)),
    )
    title = say_text(f"generators.heat.value.{measure}")
    legend = alt.Legend(type="gradient", orient="bottom", title=title, titleLimit=300, gradientLength=120)
    cells: Chart = base.mark_rect().encode(
        color=alt.Color(f"{field}:Q", scale=alt.Scale(scheme="blues", domain=[0, most]), legend=legend),
        tooltip=["fitted:N", "tested:N", alt.Tooltip(f"{field}:Q", format=fine), "n:Q"],
    )
    ink = alt.condition(f"datum.{field} > {DARK_FROM * most}", alt.value("white"), alt.value("black"))
    figures = base.mark_text(fontSize=12).encode(text=alt.Text(f"{field}:Q", format=coarse), color=ink)
    return frame_heat(cells + figures, len(rows), columns, titled=True)
