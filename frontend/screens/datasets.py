"""All data sets: add one, find one, open one."""

from __future__ import annotations

import streamlit as st

from frontend.data.add_data import show_add_data
from frontend.data.dataset_actions import say_deleted
from frontend.data.dataset_list import show_datasets
from frontend.data.imports import show_imports
from frontend.session import client, run_page
from frontend.texts import say


def show_page() -> None:
    """The page from top to bottom."""
    st.title(say("nav.datasets"))
    st.write(say("datasets.intro"))
    say_deleted()
    with st.container(border=True):
        show_add_data(client().options())
    show_imports()  # below the form: where the eyes are after its button
    show_datasets()


run_page(show_page)
