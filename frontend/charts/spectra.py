"""Charts of mean power spectra: along the radius, and as pictures of both directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from frontend.charts import CLASSES, HEIGHT
from frontend.charts.profile import class_scales, load_altair
from frontend.texts import say_text
from frontend.transport import Json

if TYPE_CHECKING:
    from altair import Chart

Picture = Sequence[Sequence[float]]
"""64 rows of 64 powers (log10), frequency 0 at [32][32]."""


def draw_radial(spectrum: Json) -> Chart:
    """log10 of power against frequency, a line a class."""
    alt = load_altair()
    rows = [
        {"frequency": frequency, "power": power, "label": label}
        for label, stats in spectrum["by_class"].items()
        for frequency, power in zip(spectrum["frequencies"], stats["radial"], strict=True)
    ]
    colour, dash = class_scales([label for label in CLASSES if label in spectrum["by_class"]])
    axis = alt.Axis(tickCount=5, format="~g", grid=False)
    chart: Chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("frequency:Q", title=say_text("chart.frequency"), scale=alt.Scale(domain=[0, 0.5]), axis=axis),
            y=alt.Y("power:Q", title=say_text("chart.power"), scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
            color=colour,
            strokeDash=dash,
        )
        .properties(height=HEIGHT)
    )
    return chart


def draw_picture(picture: Picture, limits: tuple[float, float], *, difference: bool = False) -> Chart:
    """A spectrum of both directions; of a difference, blue is where REAL has more power, orange where FAKE has."""
    import pandas as pd

    alt = load_altair()
    side = len(picture)
    places = [(place - side / 2 - 0.5) / side for place in range(side)]
    # A frame: Altair would check every one of 4,096 plain rows against its schema, which takes seconds.
    rows = pd.DataFrame(
        {
            "x": places * side,
            "y": [place for place in places for _ in range(side)],
            "power": [power for line in picture for power in line],
        }
    )
    overlap = 1.15 / side  # so that no gaps shine through between the rectangles
    rows["x2"], rows["y2"] = rows["x"] + overlap, rows["y"] + overlap
    colours = alt.Scale(scheme="blueorange" if difference else "viridis", domain=list(limits))
    title = say_text("chart.power_difference") if difference else say_text("chart.power")
    legend = alt.Legend(
        type="gradient", orient="bottom", title=title, titleLimit=300, gradientLength=200, gradientThickness=10
    )
    scale, axis = alt.Scale(domain=[-0.51, 0.51], nice=False), alt.Axis(values=[-0.4, 0, 0.4], grid=False)
    chart: Chart = (
        alt.Chart(rows)
        .mark_rect(strokeWidth=0)
        .encode(
            x=alt.X("x:Q", title=say_text("chart.frequency_across"), scale=scale, axis=axis),
            x2="x2:Q",
            y=alt.Y("y:Q", title=say_text("chart.frequency_down"), scale=scale, axis=axis),
            y2="y2:Q",
            color=alt.Color("power:Q", scale=colours, legend=legend),
        )
        .properties(height=360)
    )
    return chart


def limits_of(*pictures: Picture) -> tuple[float, float]:
    """The smallest and the largest value of several pictures, so that one scale of colours serves all."""
    values = [value for picture in pictures for line in picture for value in line]
    return min(values), max(values)


def subtract(first: Picture, second: Picture) -> list[list[float]]:
    """`first` - `second`, place by place."""
    return [[a - b for a, b in zip(left, right, strict=True)] for left, right in zip(first, second, strict=True)]
