"""All data sets: add one, find one, open one."""

from __future__ import annotations

import streamlit as st

from frontend.data.add_data import show_add_data
from frontend.data.dataset_actions import say_deleted
from frontend.data.dataset_list import show_datasets
from frontend.data.imports import show_imports
from frontend.session import client, run_page, show_error
from frontend.texts import say
from frontend.transport import ApiError, Json

# In the session: what the service offered when it answered last. (A string here would be shown: Streamlit's "magic".)
OPTIONS = "datasets.options"


def show_page() -> None:
    """The page from top to bottom."""
    st.title(say("nav.datasets"))
    st.write(say("datasets.intro"))
    say_deleted()
    outage = st.container()  # always there, so that the form below is the same one whether the service answers or not
    try:
        options: Json = client().options()
    except ApiError as error:
        if OPTIONS not in st.session_state:
            raise
        with outage:
            show_error(error)
        with st.container(border=True):  # a form that is not drawn would lose its files
            show_add_data(st.session_state[OPTIONS])
        return
    st.session_state[OPTIONS] = options
    with st.container(border=True):
        show_add_data(options)
    show_imports()  # below the form: where the eyes are after its button
    show_datasets()


run_page(show_page)
