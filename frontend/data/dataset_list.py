"""The table of all data sets: searched, paged, and with what one can do with the chosen one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from frontend.data.dataset_actions import count_of, generator_names, show_actions
from frontend.formatting import count
from frontend.session import client
from frontend.texts import say, say_option, say_text
from frontend.transport import Json

PAGE_SIZE = 50


def show_datasets() -> None:
    """The list, newest first; the chosen row's actions stand below it."""
    st.subheader(say("datasets.title"))
    query = st.text_input(say("datasets.search"), key="datasets.q", icon=":material/search:", max_chars=100).strip()
    place = (int(st.session_state.get("datasets.page", 1)) - 1) * PAGE_SIZE
    found = client().datasets(q=query, limit=PAGE_SIZE, offset=place)
    if place and not found["items"]:  # the last page went away with its last data set, or a search left fewer
        place = 0
        found = client().datasets(q=query, limit=PAGE_SIZE)
    items, total = found["items"], int(found["total"])
    if not items:
        st.info(say("datasets.not_found", query=query) if query else say("datasets.empty"))
        return
    chosen = _show_table(items)
    if total > PAGE_SIZE:
        last = place + len(items)
        st.caption(say("pages.position", first=count(place + 1), last=count(last), total=count(total)))
        st.pagination(-(-total // PAGE_SIZE), key="datasets.page")
    if chosen is None:
        st.caption(say("datasets.choose"))
        return
    with st.container(border=True):
        st.text(say_text("datasets.chosen", name=chosen["name"]))
        show_actions(chosen, with_link=True)


def source_of(dataset: Json) -> str:
    """Where a data set came from, in words."""
    return say_option(f"dataset.from.{dataset['source']}", str(dataset["source"]))


def _show_table(items: list[Json]) -> Json | None:
    import pandas as pd

    rows = [_row(item) for item in items]
    integer = st.column_config.NumberColumn(format="localized")
    picked: Any = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="auto" if len(rows) <= 10 else 400,
        column_config={
            say_text("dataset.images"): integer,
            "REAL": integer,
            "FAKE": integer,
            say_text("dataset.size"): st.column_config.NumberColumn(format="bytes"),
            say_text("dataset.created"): st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="datasets.table." + str(abs(hash(tuple(item["id"] for item in items)))),
        alt=say_text("datasets.table"),
    )
    return items[picked.selection.rows[0]] if picked.selection.rows else None


def _row(dataset: Json) -> dict[str, Any]:
    import pandas as pd

    return {
        say_text("dataset.name"): dataset["name"],
        say_text("dataset.images"): dataset["images"],
        "REAL": count_of(dataset, "REAL"),
        "FAKE": count_of(dataset, "FAKE"),
        say_text("dataset.size"): dataset["bytes"],
        say_text("dataset.version"): dataset["version"],
        say_text("dataset.created"): pd.Timestamp(dataset["created_at"]),
        say_text("dataset.source"): source_of(dataset),
        say_text("dataset.generators"): generator_names(dataset),
    }
