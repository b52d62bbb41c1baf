"""Charts of how good detectors are: ROC, reliability, losses, the search for C, and each kind of picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from frontend.charts import CLASSES, DASHES, HEIGHT, NEUTRAL, SERIES
from frontend.texts import say_text
from frontend.transport import Json

if TYPE_CHECKING:
    from altair import Chart, LayerChart

SINGLE = SERIES[2]
"""Of a line that stands alone: neither the colour of REAL nor that of FAKE."""
CORNER_PERCENT = 10.0
"""Of false alarms: what the zoomed ROC curve shows."""


def name_series(cards: Sequence[Json]) -> list[str]:
    """A name for each card, no two alike: where names are the same, the end of the id is added."""
    names = [" ".join(str(card["name"]).split()) for card in cards]
    return [
        name if names.count(name) == 1 else f"{name} ({str(card['id'])[-8:]})"
        for name, card in zip(names, cards, strict=True)
    ]


def roc(cards: Sequence[Json], split: str = "test", *, corner: bool = False) -> LayerChart:
    """ROC curves of `cards` over each other in percent, with a dot where each model's threshold lies.

    `corner` shows only the first 10 % of false alarms, which matter where most pictures are real.
    """
    alt = _altair()
    lines: list[Json] = []
    dots: list[Json] = []
    for name, card in zip(name_series(cards), cards, strict=True):
        figures = card["metrics"][split]
        points = zip(figures["roc"]["fpr"], figures["roc"]["tpr"], strict=True)
        lines += [{"x": x * 100, "y": y * 100, "model": name, "order": i} for i, (x, y) in enumerate(points)]
        if figures["fpr"] is not None and figures["recall"] is not None:
            dots.append({"x": figures["fpr"] * 100, "y": figures["recall"] * 100, "model": name})
    bottom = _lowest(lines) if corner else 0.0
    across = alt.Scale(domain=[0, CORNER_PERCENT if corner else 100], nice=False)
    up = alt.Scale(domain=[bottom, 100], nice=False)
    x = alt.X("x:Q", title=say_text("figures.roc.x"), scale=across)
    y = alt.Y("y:Q", title=say_text("figures.roc.y"), scale=up)
    tooltip = ["model:N", *_tooltips(alt, "figures.roc")]
    colour, dash, shape = _series(alt, [*dict.fromkeys(line["model"] for line in lines)])
    curve = (
        alt.Chart(alt.Data(values=lines))
        .mark_line(clip=True, interpolate="linear")
        .encode(x=x, y=y, order="order:Q", color=colour, strokeDash=dash)
    )
    working = (
        alt.Chart(alt.Data(values=dots))
        .mark_point(size=110, filled=True, opacity=1, clip=True)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=tooltip)
    )
    height = HEIGHT + 60 + _legend_height(len(cards))
    chart: LayerChart = alt.layer(_diagonal(alt, x, y), curve, working).properties(height=height)
    return chart


def reliability(cards: Sequence[Json], split: str = "test") -> LayerChart:
    """Share of fakes against the probability given, one dot a bin, its area by the number of images."""
    alt = _altair()
    rows = [
        {
            "x": found["mean_probability"] * 100,
            "y": found["fraction_fake"] * 100,
            "count": found["count"],
            "model": name,
        }
        for name, card in zip(name_series(cards), cards, strict=True)
        for found in card["metrics"][split]["reliability"]["bins"]
        if found["count"]
    ]
    whole = alt.Scale(domain=[0, 100], nice=False)
    x = alt.X("x:Q", title=say_text("figures.reliability.x"), scale=whole)
    y = alt.Y("y:Q", title=say_text("figures.reliability.y"), scale=whole)
    colour, dash, shape = _series(alt, [*dict.fromkeys(row["model"] for row in rows)])
    data = alt.Data(values=rows)
    line = alt.Chart(data).mark_line(opacity=0.6).encode(x=x, y=y, color=colour, strokeDash=dash)
    dots = (
        alt.Chart(data)
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=x,
            y=y,
            color=colour,
            shape=shape,
            size=alt.Size("count:Q", legend=None, scale=alt.Scale(type="sqrt", range=[30, 400])),
            tooltip=[
                "model:N",
                *_tooltips(alt, "figures.reliability"),
                alt.Tooltip("count:Q", title=say_text("figures.name.n")),
            ],
        )
    )
    height = HEIGHT + 60 + _legend_height(len(cards))
    chart: LayerChart = alt.layer(_diagonal(alt, x, y), line, dots).properties(height=height)
    return chart


def losses(history: Sequence[Json]) -> LayerChart:
    """Loss on training and validation images of each epoch, each line with its name at its end."""
    alt = _altair()
    rows = [
        {"epoch": entry["epoch"], "loss": entry[f"{split}_loss"], "split": say_text(f"figures.split.{split}")}
        for split in ("train", "validation")
        for entry in history
        if entry.get(f"{split}_loss") is not None
    ]
    names = [*dict.fromkeys(str(row["split"]) for row in rows)]
    colour, dash, shape = _series(alt, names, (SERIES[2], SERIES[3]))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("epoch:Q", title=say_text("figures.losses.x"), axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("loss:Q", title=say_text("figures.losses.y"), scale=alt.Scale(zero=False)),
        color=colour,
    )
    tooltip = ["split:N", "epoch:Q", alt.Tooltip("loss:Q", format=".4f")]
    chart: LayerChart = alt.layer(
        base.mark_line().encode(strokeDash=dash),
        base.mark_point(filled=True, size=40).encode(shape=shape, tooltip=tooltip),
    ).properties(height=HEIGHT + _legend_height(len(names)))
    return chart


def c_search(candidates: dict[str, float], chosen: float) -> LayerChart:
    """Loss in cross-validation of each C on a logarithmic axis; the chosen one is larger and named."""
    alt = _altair()
    rows = [
        {"C": float(value), "loss": loss, "chosen": _same(float(value), chosen)} for value, loss in candidates.items()
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("C:Q", title=say_text("figures.c.x"), scale=alt.Scale(type="log"), axis=alt.Axis(format="~g")),
        y=alt.Y("loss:Q", title=say_text("figures.c.y"), scale=alt.Scale(zero=False, padding=28)),
        tooltip=[alt.Tooltip("C:Q", format="~g"), alt.Tooltip("loss:Q", format=".4f")],
    )
    chart: LayerChart = alt.layer(
        base.mark_line(color=SINGLE, strokeDash=[4, 3]),
        base.mark_point(filled=True, size=50, color=SINGLE, opacity=1),
        base.transform_filter("datum.chosen").mark_point(filled=True, size=220, color=SINGLE, opacity=1),
        base.transform_filter("datum.chosen").mark_text(
            text=say_text("figures.c.chosen"), dy=21, fontSize=13, color=NEUTRAL
        ),
    ).properties(height=HEIGHT)
    return chart


def by_class(groups: dict[str, Json]) -> Chart:
    """For each kind of picture the share of REAL called REAL and of FAKE called FAKE, the worst kind on top."""
    alt = _altair()
    rows: list[dict[str, Any]] = []
    for name, figures in groups.items():
        if figures.get("fpr") is not None:
            rows.append({"kind": name, "right": (1 - figures["fpr"]) * 100, "label": "REAL", "n": figures["n"]})
        if figures.get("recall") is not None:
            rows.append({"kind": name, "right": figures["recall"] * 100, "label": "FAKE", "n": figures["n"]})
    order = sorted(groups, key=lambda name: groups[name]["accuracy"])
    labels = list(CLASSES)
    chart: Chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=alt.X(
                "right:Q",
                title=say_text("figures.by_class.x"),
                scale=alt.Scale(zero=False, padding=12),
                axis=alt.Axis(format="~g"),
            ),
            y=alt.Y("kind:N", title=None, sort=order, axis=alt.Axis(labelLimit=120, grid=True)),
            color=alt.Color(
                "label:N",
                title=say_text("figures.by_class.answer"),
                scale=alt.Scale(domain=labels, range=list(CLASSES.values())),
                legend=alt.Legend(orient="bottom"),
            ),
            shape=alt.Shape("label:N", scale=alt.Scale(domain=labels, range=["circle", "triangle-up"])),
            tooltip=["kind:N", "label:N", alt.Tooltip("right:Q", format=".1f"), "n:Q"],
        )
        .properties(height=max(120, 28 * len(groups) + 80))
    )
    return chart


def _altair() -> Any:
    """The module, which takes half a second to import: asked for by what draws. Its types say less than its objects."""
    import altair

    return altair


def _series(alt: Any, names: Sequence[str], colours: Sequence[str] = SERIES) -> tuple[Any, Any, Any]:
    """Colour, dash and shape by name. The legend shows the dots, one below the other as names may be long.

    One name alone needs no legend.
    """
    used = [SINGLE] if len(names) == 1 else list(colours[: len(names)])
    field = f"{'split' if colours is not SERIES else 'model'}:N"
    legend = (
        None
        if len(names) == 1
        else alt.Legend(orient="bottom", title=None, columns=1, labelLimit=300, symbolStrokeWidth=0, symbolOpacity=1)
    )
    shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"][: len(names)]
    return (
        alt.Color(field, legend=legend, scale=alt.Scale(domain=list(names), range=used)),
        alt.StrokeDash(field, legend=None, scale=alt.Scale(domain=list(names), range=DASHES[: len(names)])),
        alt.Shape(field, legend=legend, scale=alt.Scale(domain=list(names), range=shapes)),
    )


def _legend_height(names: int) -> int:
    """Pixels that the legend takes from the chart."""
    return 24 * names if names > 1 else 0


def _diagonal(alt: Any, x: Any, y: Any) -> Any:
    ends = alt.Data(values=[{"x": 0, "y": 0}, {"x": 100, "y": 100}])
    return alt.Chart(ends).mark_line(color=NEUTRAL, strokeDash=[2, 4], clip=True).encode(x=x, y=y)


def _tooltips(alt: Any, prefix: str) -> list[Any]:
    return [alt.Tooltip(f"{axis}:Q", title=say_text(f"{prefix}.{axis}"), format=".1f") for axis in "xy"]


def _lowest(lines: Sequence[Json]) -> float:
    """Where the zoomed curve's axis begins: below each line's height at 0.5 % of false alarms, in steps of 10 %."""
    starts = {str(line["model"]): 0.0 for line in lines}
    for line in lines:
        if line["x"] <= 0.5:
            starts[str(line["model"])] = max(starts[str(line["model"])], float(line["y"]))
    return min(90.0, min(starts.values()) // 10 * 10)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
