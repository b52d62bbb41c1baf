"""Charts of a data set's profile that set REAL against FAKE: counts, histograms, sizes, qualities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from frontend.charts import CLASSES, HEIGHT
from frontend.data.profile_facts import histograms_of
from frontend.texts import say_text
from frontend.transport import Json

if TYPE_CHECKING:
    from altair import Chart, LayerChart

SMALL = 290
"""Pixels of a chart that stands beside others."""
_DASHES = {"REAL": [1, 0], "FAKE": [6, 3]}
_COUNT = "datum.value < 10000 ? replace(format(datum.value, ','), ',', '\u202f') : format(datum.value, '~s')"
"""Labels of an axis of whole numbers: 800 and 1 000, and not 0.8k; 50k where the figures are long."""


def load_altair() -> Any:
    """The module altair, only when a chart is drawn; its own types are too loose to be of help."""
    import altair

    return altair


def class_scales(labels: Sequence[str]) -> tuple[Any, Any]:
    """Colour and dash of the classes present, under one legend below the chart."""
    alt = load_altair()
    legend = alt.Legend(orient="bottom", title=None, symbolType="stroke", symbolStrokeWidth=3, symbolSize=400)
    colour = alt.Scale(domain=list(labels), range=[CLASSES[label] for label in labels])
    dash = alt.Scale(domain=list(labels), range=[_DASHES[label] for label in labels])
    return (
        alt.Color("label:N", scale=colour, legend=legend),
        alt.StrokeDash("label:N", scale=dash, legend=legend),
    )


def draw_counts(groups: dict[str, dict[str, int]], *, named: bool = True) -> LayerChart:
    """A bar a class of each group, such as a split, with its number of images at its end; `named` by its class."""
    alt = load_altair()
    rows: list[dict[str, Any]] = [
        {
            "group": " · ".join(part for part in ((name, label) if named else (name,)) if part),
            "label": label,
            "images": images,
        }
        for name, counts in groups.items()
        for label, images in counts.items()
        if images
    ]
    room = alt.Scale(domain=[0, 1.12 * max(int(row["images"]) for row in rows)], nice=False)  # for the numbers
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("group:N", sort=[str(row["group"]) for row in rows], title=None, axis=alt.Axis(labelLimit=160)),
        x=alt.X("images:Q", title=say_text("chart.images"), scale=room, axis=alt.Axis(tickCount=4, labelExpr=_COUNT)),
    )
    colour = alt.Color("label:N", scale=alt.Scale(domain=list(CLASSES), range=list(CLASSES.values())), legend=None)
    bars = base.mark_bar().encode(color=colour)
    numbers = base.mark_text(align="left", dx=4, color="#808080").encode(text=alt.Text("images:Q", format=","))
    chart: LayerChart = (bars + numbers).properties(height=28 * len(rows) + 80)
    return chart


def draw_channel(by_class: dict[str, Json], channel: int, title: str) -> Chart:
    """The histogram of one channel, a line a class."""
    alt = load_altair()
    rows = [
        {"level": 256 * place / len(shares) + 128 / len(shares), "share": share, "label": label}
        for label, stats in by_class.items()
        for shares in [stats["histogram"][channel]]
        for place, share in enumerate(shares)
    ]
    colour, dash = class_scales(list(by_class))
    levels = alt.Axis(values=[0, 64, 128, 192, 255], grid=False)
    chart: Chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(interpolate="step", strokeWidth=2)
        .encode(
            x=alt.X("level:Q", title=title, scale=alt.Scale(domain=[0, 255], nice=False), axis=levels),
            y=alt.Y("share:Q", title=say_text("chart.share_of_pixels"), axis=alt.Axis(format="~%", tickCount=4)),
            color=colour,
            strokeDash=dash,
        )
        .properties(height=SMALL)
    )
    return chart


def draw_distribution(distribution: Json, title: str) -> LayerChart:
    """Two histograms over each other, as shares of their class, with a rule at each median."""
    alt = load_altair()
    by_class = distribution["by_class"]
    edges, histograms = histograms_of(distribution)
    rows: list[dict[str, Any]] = []
    for label, shares in histograms.items():
        rows += [{"value": edge, "share": share, "label": label} for edge, share in zip(edges, shares, strict=False)]
        rows.append({"value": edges[-1], "share": shares[-1], "label": label})
    medians = [{"value": stats["quantiles"]["p50"], "label": label} for label, stats in by_class.items()]
    colour, dash = class_scales(list(by_class))
    kind = "log" if distribution["scale"] == "log" else "linear"
    scale = alt.Scale(type=kind, domain=[edges[0], edges[-1]], nice=False, clamp=True)
    x = alt.X("value:Q", title=title, scale=scale, axis=_few(format="~s") if kind == "log" else _few())
    lines = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=x,
            y=alt.Y("share:Q", title=say_text("chart.share_of_images"), axis=alt.Axis(format="~%", tickCount=4)),
            color=colour,
            strokeDash=dash,
        )
    )
    rules = (
        alt.Chart(alt.Data(values=medians))
        .mark_rule(strokeWidth=1.5, opacity=0.8)
        .encode(x=x, color=colour, strokeDash=dash)
    )
    chart: LayerChart = (lines + rules).properties(height=SMALL)
    return chart


def draw_sizes(common: Sequence[Json]) -> Chart:
    """The common sizes as marks, width against height; the class by colour and shape, the number by area."""
    alt = load_altair()
    rows = [
        {"width": size["width"], "height": size["height"], "label": label, "images": images}
        for size in common
        for label, images in size["by_class"].items()
        if images
    ]
    present = [label for label in CLASSES if any(row["label"] == label for row in rows)]
    legend = alt.Legend(orient="bottom", title=None)
    colours = alt.Scale(domain=present, range=[CLASSES[label] for label in present])
    shapes = alt.Scale(domain=present, range=[{"REAL": "circle", "FAKE": "triangle-up"}[label] for label in present])
    axis, scale = _few(labelExpr=_COUNT), alt.Scale(zero=False, padding=20)
    chart: Chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=False, strokeWidth=2)
        .encode(
            x=alt.X("width:Q", title=say_text("chart.width"), scale=scale, axis=axis),
            y=alt.Y("height:Q", title=say_text("chart.height"), scale=scale, axis=axis),
            color=alt.Color("label:N", scale=colours, legend=legend),
            shape=alt.Shape("label:N", scale=shapes, legend=legend),
            size=alt.Size("images:Q", scale=alt.Scale(range=[60, 500]), legend=None),
            tooltip=["label:N", "width:Q", "height:Q", "images:Q"],
        )
        .properties(height=HEIGHT)
    )
    return chart


def draw_qualities(qualities: dict[str, dict[str, int]], totals: dict[str, int]) -> Chart:
    """The share of each class's images that have a JPEG quality, a stem a quality."""
    alt = load_altair()
    rows = [
        {"quality": int(quality), "label": label, "share": images / totals[label]}
        for quality, counts in qualities.items()
        for label, images in counts.items()
        if totals.get(label)
    ]
    colour, dash = class_scales([label for label in CLASSES if any(row["label"] == label for row in rows)])
    chart: Chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=alt.X("quality:Q", title=say_text("chart.quality"), scale=alt.Scale(zero=False, padding=10), axis=_few()),
            y=alt.Y("share:Q", title=say_text("chart.share_of_images"), axis=alt.Axis(format="~%", tickCount=4)),
            color=colour,
            strokeDash=dash,
        )
        .properties(height=SMALL)
    )
    return chart


def _few(**labels: str) -> Any:
    """An axis with so few figures that they stand apart on a phone; `labels` is how they are written."""
    alt = load_altair()
    return alt.Axis(tickCount=5, labelOverlap=True, grid=False, **labels)
