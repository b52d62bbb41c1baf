"""Choices that last for the session, whatever page or language is opened in between.

A browser keeps the label of what is selected, so a list in another language has to be another widget; what was chosen
is kept apart from both, under a key that is no widget's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from frontend.texts import language


def choose_one(
    label: str,
    options: Sequence[Any],
    key: str,
    *,
    format_func: Callable[[Any], str],
    default: Any = None,
    help: str | None = None,
    width: int | Literal["stretch"] = "stretch",
    on_change: Callable[[], None] | None = None,
) -> Any:
    """The one of `options` that is chosen; at first `default`, or the first of them."""
    kept = st.session_state.get(key, default)
    widget = widget_of(key)
    if st.session_state.get(widget) not in options or widget not in st.session_state:
        st.session_state[widget] = kept if kept in options else default if default in options else options[0]
    chosen = st.selectbox(
        label, options, format_func=format_func, key=widget, help=help, width=width, on_change=on_change
    )
    st.session_state[key] = chosen
    return chosen


def choose_several(
    label: str,
    options: Sequence[Any],
    key: str,
    *,
    format_func: Callable[[Any], str],
    default: Sequence[Any],
    placeholder: str,
    help: str | None = None,
) -> list[Any]:
    """Those of `options` that are chosen; at first `default`."""
    widget = widget_of(key)
    kept = st.session_state.get(widget, st.session_state.get(key, default))
    if widget not in st.session_state or any(item not in options for item in kept):
        st.session_state[widget] = [item for item in kept if item in options]
    chosen = st.multiselect(
        label,
        options,
        format_func=format_func,
        key=widget,
        help=help,
        placeholder=placeholder,
        select_all=False,
    )
    st.session_state[key] = list(chosen)
    return list(chosen)


def put_choice(key: str, value: Any) -> None:
    """Makes `value` what is chosen, before the choice is drawn."""
    st.session_state[key] = st.session_state[widget_of(key)] = value


def widget_of(key: str) -> str:
    """The key of the widget that shows the choice in the visitor's language."""
    return f"{key}.{language()}"
