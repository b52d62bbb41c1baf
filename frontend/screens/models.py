"""All models in a table: choose one to open, use or delete, several to compare."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any
from zlib import crc32

import streamlit as st

from frontend.formatting import count, moment, size
from frontend.models.actions import show_delete, show_use
from frontend.models.comparison import MOST, setting_text, show_comparison
from frontend.session import asked, client, run_page, show_error
from frontend.texts import say, say_text
from frontend.transport import ApiError, Json

PAGE = 50
NAME_PX = 170  # leaves room for the accuracy on a phone
# The service sorts all models in one of these orders; the table's own headings sort what is on the page.
ORDERS = ("-created_at", "-accuracy", "-auroc", "name", "size_bytes")


def show_page() -> None:
    """The table, or the comparison that the address names (?compare=id1,id2)."""
    compared = [part for part in asked("compare").split(",") if part]
    if compared:
        show_compared(compared)
    else:
        show_models()


def show_compared(ids: Sequence[str]) -> None:
    """The comparison of the models with these ids; those that do not exist any more get a sentence."""
    st.title(say("compare.title"))
    st.page_link("screens/models.py", label=say("compare.back"), icon=":material/arrow_back:")
    cards: list[Json] = []
    for model_id in dict.fromkeys(ids[:MOST]):
        try:
            cards.append(client().model(model_id))
        except ApiError as error:
            if error.status != 404:
                raise
            show_error(error)
    if len(ids) > MOST:
        st.info(say("compare.too_many", most=MOST))
    if len(cards) < 2:
        st.info(say("compare.too_few"))
        return
    st.caption(say("compare.share"))
    show_comparison(cards)


def show_models() -> None:
    """Search, table, and what can be done with the rows that are chosen."""
    st.title(say("models.title"))
    with st.grid(2, min_column_width=250):
        q = st.text_input(say("models.search"), key="q", bind="query-params", icon=":material/search:", max_chars=100)
        order = st.selectbox(
            say("models.sort"), ORDERS, format_func=lambda key: say_text(f"models.sort.{key}"), key="models.sort"
        )
    place = st.container()
    page = int(st.session_state.get("models.page") or 1)
    answer = client().models(q=str(q or ""), sort=order, limit=PAGE, offset=(page - 1) * PAGE)
    pages = max(1, ceil(answer["total"] / PAGE))
    if page > pages:  # fewer than before: the last one of them
        page = pages
        answer = client().models(q=str(q or ""), sort=order, limit=PAGE, offset=(page - 1) * PAGE)
    if pages > 1:
        st.pagination(pages, default=page, key="models.page")
    cards = answer["items"]
    with place:
        if not cards:
            st.info(say("models.nothing_found") if q else say("models.none"))
            if not q:
                st.page_link("screens/train.py", label=say("nav.train"), icon=":material/model_training:")
            return
        chosen = show_table(cards)
        st.caption(say("models.count", count=count(answer["total"])))
        show_chosen(chosen)


def show_table(cards: Sequence[Json]) -> list[Json]:
    """The table; returns the cards of the rows that are chosen."""
    import pandas as pd

    columns = {
        say_text(f"models.column.{name}"): list(values)
        for name, values in zip(COLUMNS, zip(*(row_of(card) for card in cards), strict=True), strict=True)
    }
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {
        say_text("models.column.name"): st.column_config.TextColumn(pinned=True, width=NAME_PX),
        **{say_text(f"models.column.{name}"): number(format="%.1f %%") for name in ("test", "train")},
        **{say_text(f"models.column.{name}"): number(format="%.4f") for name in ("auroc", "log_loss", "hinge_loss")},
        say_text("models.column.C"): number(format="%g"),
    }
    state = st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        column_config=config,
        placeholder="–",
        key=f"models.table.{crc32(repr([card['id'] for card in cards]).encode())}",  # other rows: nothing is chosen
        alt=say_text("models.title"),
    )
    return [cards[row] for row in state["selection"]["rows"] if row < len(cards)]


COLUMNS = (
    "name",
    "test",
    "active",
    "auroc",
    "log_loss",
    "hinge_loss",
    "train",
    "head",
    "C",
    "backbone",
    "stages",
    "input_size",
    "activation",
    "dataset",
    "images",
    "created",
    "size",
)


def row_of(card: Json) -> tuple[Any, ...]:
    """A model's row: one value for each of COLUMNS."""
    test, data = card["metrics"].get("test") or {}, card["dataset"] or {}
    accuracy = card["accuracy"]
    return (
        str(card["name"]),
        _percent(accuracy.get("test")),
        say_text("models.in_use") if card["active"] else "",
        test.get("auroc"),
        test.get("log_loss"),
        test.get("hinge_loss"),
        _percent(accuracy.get("train")),
        str(card["head"]["name"]),
        (card["head"].get("chosen") or {}).get("C"),
        *features_of(card["extractor"].get("spec") or {}),
        str(card["activation"]),
        str(data.get("name") or ""),
        data.get("images"),
        moment(card["created_at"]),
        size(int(card["size_bytes"])),
    )


def features_of(spec: Json) -> tuple[str, str, str]:
    """Backbone or extractor, stages and input size; of several side by side each of them."""
    parts = spec.get("parts") or [spec]
    names = " + ".join(str(part.get("backbone") or part.get("name")) for part in parts)
    stages, sizes = (
        ", ".join(setting_text(part[key]) for part in parts if part.get(key)) for key in ("stages", "input_size")
    )
    return names, stages, sizes


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def show_chosen(chosen: Sequence[Json]) -> None:
    """What can be done with the chosen rows."""
    if not chosen:
        st.caption(say("models.hint"))
        return
    if len(chosen) == 1:
        card = chosen[0]
        st.markdown(f"**{say('models.chosen', name=card['name'])}**")
        with st.container(horizontal=True):
            if st.button(say("models.open"), key="models.open", type="primary", icon=":material/open_in_new:"):
                st.switch_page("screens/model.py", query_params={"id": str(card["id"])})
            used = show_use(card)
            deleted = show_delete(card)
        st.caption(say("models.hint_more"))
        if used or deleted:
            st.rerun()
        return
    if len(chosen) > MOST:
        st.info(say("compare.too_many", most=MOST))
    ids = ",".join(str(card["id"]) for card in chosen[:MOST])
    if st.button(
        say("models.compare", count=min(len(chosen), MOST)),
        key="models.compare",
        type="primary",
        icon=":material/compare_arrows:",
    ):
        st.query_params["compare"] = ids
        st.rerun()


run_page(show_page)
