"""Files of a data set: sizes in pixels, formats, modes and JPEG qualities, by class."""

from __future__ import annotations

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.profile import draw_qualities, draw_sizes
from frontend.data.profile_facts import LABELS, both_classes, sizes_apart, values_apart
from frontend.formatting import count
from frontend.texts import say, say_option, say_text
from frontend.transport import Json


def show_files(profile: Json) -> None:
    """A table each, with a chart where there is something to see in one."""
    st.subheader(say("files.sizes"))
    sizes = profile["sizes"]
    st.write(size_sentence(profile))
    if sizes["distinct"] > 1:
        chart, table = st.columns(2)
        with chart:
            show_chart(draw_sizes(sizes["common"]), say("files.sizes.reading"), say_text("files.sizes.alt"))
    else:
        table = st.container()
    with table:
        rows = {f"{size['width']} × {size['height']}": size["by_class"] for size in sizes["common"]}
        show_by_class(rows, say_text("files.size"), say_text("files.sizes"))
    for column, part in zip(st.columns(2), ("formats", "modes"), strict=True):
        with column:
            st.subheader(say(f"files.{part}"))
            rows = {say_option(f"mode.{value}", value): row for value, row in profile[part].items()}
            show_by_class(rows, say_text(f"files.{part}.one"), say_text(f"files.{part}"))
            st.caption(table_sentence(profile, profile[part]))
    st.subheader(say("files.quality"))
    qualities = profile["jpeg_quality"]
    if not qualities:
        st.write(say("files.quality.none"))
    elif len(qualities) == 1:
        st.write(say("files.quality.one", quality=next(iter(qualities))))
    else:
        totals = profile["counts"]["by_class"]
        reading = say("files.quality.apart") if values_apart(qualities) else say("files.quality.reading")
        show_chart(draw_qualities(qualities, totals), reading, say_text("files.quality.alt"))


def size_sentence(profile: Json) -> str:
    """What the sizes say about the classes (Markdown)."""
    sizes = profile["sizes"]
    if sizes["distinct"] == 1:
        only = sizes["common"][0]
        return say("files.sizes.one", width=only["width"], height=only["height"])
    if sizes_apart(profile):
        return say("files.sizes.apart", distinct=count(sizes["distinct"]))
    return say("files.sizes.several", distinct=count(sizes["distinct"]))


def table_sentence(profile: Json, table: dict[str, dict[str, int]]) -> str:
    """What a table of formats or modes says about the classes (Markdown)."""
    if not both_classes(profile):
        return say("files.one_class")
    if len(table) == 1:
        return say("files.same")
    return say("files.apart") if values_apart(table) else say("files.mixed")


def show_by_class(rows: dict[str, dict[str, int]], column: str, alternative: str) -> None:
    """Numbers of images by class, a row a value."""
    import pandas as pd

    frame = pd.DataFrame(
        [{column: name} | {label: row.get(label, 0) for label in LABELS} for name, row in rows.items()]
    )
    integer = st.column_config.NumberColumn(format="localized")
    columns = dict.fromkeys(LABELS, integer)
    st.dataframe(
        frame, hide_index=True, height="content" if len(rows) <= 8 else 320, column_config=columns, alt=alternative
    )
