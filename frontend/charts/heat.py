"""The frame of a heat-map: names of columns upright above them, and a height that leaves room for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from frontend.charts.profile import load_altair

if TYPE_CHECKING:
    from altair import Axis, LayerChart

ROW_PX = 34
DARK_FROM = 0.55
"""The share of the scale from which a cell is so dark that its figure is white."""
_LETTER_PX, _LONGEST_PX = 6.2, 160
_BESIDES_PX, _TITLE_PX = 120, 35
"""Legend and margins; the title of the columns."""


def column_names() -> Axis:
    """The axis of the columns. On a slant the last name would end beyond a narrow screen."""
    axis: Axis = load_altair().Axis(labelLimit=_LONGEST_PX, labelAngle=-90, orient="top")
    return axis


def frame_heat(chart: LayerChart, rows: int, columns: Sequence[str], *, titled: bool) -> LayerChart:
    """The chart, so high that each row has ROW_PX. titled: its axes have titles.

    Streamlit fits the whole chart, names and all, into its height: rows would become narrower than their names.
    """
    longest = min(_LONGEST_PX, _LETTER_PX * max(len(name) for name in columns))
    framed: LayerChart = chart.properties(
        height=round(ROW_PX * rows + longest + _BESIDES_PX + (_TITLE_PX if titled else 0))
    )
    return framed
