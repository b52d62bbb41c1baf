"""Colours of a data set: channel means and deviations beside known tables, and histograms by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from frontend.charts.profile import draw_channel
from frontend.data.profile_facts import CIFAKE_TABLE, LABELS, in_split_order
from frontend.data.profile_summary import grey_sentence
from frontend.texts import say, say_text
from frontend.transport import Json


def show_colour(profile: Json) -> None:
    """The table, the histograms and the share of near-grey images."""
    st.subheader(say("colour.channels"))
    show_channel_table(profile["channels"])
    st.caption(channel_sentence(profile["channels"]))
    st.caption(say("colour.slip"))
    st.subheader(say("colour.histograms"))
    by_class = _choose_split(profile["channels"])
    names = (say_text("channel.red"), say_text("channel.green"), say_text("channel.blue"))
    for channel, (column, name) in enumerate(zip(st.columns(3), names, strict=True)):
        title = say_text("chart.level", channel=name)
        chart = draw_channel(by_class, channel, title)
        column.altair_chart(chart, width="stretch", alt=say_text("colour.histogram.alt", channel=name))
    st.caption(say("colour.histograms.reading"))
    st.subheader(say("colour.grey"))
    st.write(grey_sentence(profile))
    st.caption(say("colour.grey.meaning"))


def show_channel_table(channels: Json) -> None:
    """A row for all images, each class and each split, then ImageNet's and the original CIFAKE table's."""
    import pandas as pd

    rows = [_row(say_text("colour.row.all"), channels["all"]["mean"], channels["all"]["std"])]
    rows += [_row(label, stats["mean"], stats["std"]) for label, stats in channels["by_class"].items()]
    rows += [
        _row(say_text("colour.row.split", split=split), stats["mean"], stats["std"])
        for split in in_split_order(channels["by_split"])
        for stats in [channels["by_split"][split]]
        if split
    ]
    rows.append(_row("ImageNet", channels["imagenet"]["mean"], channels["imagenet"]["std"]))
    rows += [
        _row(say_text("colour.row.cifake", split=split), table["mean"], table["std"])
        for split, table in CIFAKE_TABLE.items()
    ]
    frame = pd.DataFrame(rows)
    three = st.column_config.NumberColumn(format="%.3f", width="small")
    config: dict[str, Any] = {str(name): three for name in frame.columns[1:]}
    st.dataframe(frame, hide_index=True, height="content", column_config=config, alt=say_text("colour.table"))


def channel_sentence(channels: Json) -> str:
    """How far the classes' channels lie apart (Markdown)."""
    by_class = channels["by_class"]
    if any(label not in by_class for label in LABELS):
        return say("colour.one_class")
    gaps = [fake - real for real, fake in zip(by_class["REAL"]["mean"], by_class["FAKE"]["mean"], strict=True)]
    place = max(range(3), key=lambda channel: abs(gaps[channel]))
    name = (say_text("channel.red"), say_text("channel.green"), say_text("channel.blue"))[place]
    gap = f"{abs(gaps[place]):.3f}"
    return say("colour.brighter" if gaps[place] > 0 else "colour.darker", channel=name.lower(), gap=gap)


def _choose_split(channels: Json) -> dict[str, Json]:
    """The statistics by class, of all images or of a split that the visitor chooses."""
    splits = channels["by_split_and_class"]
    chosen = ""
    if len(splits) > 1:
        chosen = st.segmented_control(
            say("pictures.split"),
            ["", *(split for split in in_split_order(splits) if split)],
            format_func=lambda split: say("split.all") if split == "" else say("split.named", split=split),
            default="",
            required=True,
            key="colour.split",
        )
    found = splits.get(chosen) if chosen else channels["by_class"]
    return {label: found[label] for label in LABELS if label in found}


def _row(name: str, mean: Sequence[float], std: Sequence[float]) -> dict[str, Any]:
    letters = (say_text("channel.r"), say_text("channel.g"), say_text("channel.b"))
    row: dict[str, Any] = {say_text("colour.images"): name}
    row |= {say_text("colour.mean", channel=letter): value for letter, value in zip(letters, mean, strict=True)}
    row |= {say_text("colour.std", channel=letter): value for letter, value in zip(letters, std, strict=True)}
    return row
