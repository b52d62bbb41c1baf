"""What the pages share: the client, and how an error is shown."""

from __future__ import annotations

import streamlit as st

from frontend.client import NOT_READY, Client
from frontend.texts import plain, say
from frontend.transport import ApiError


@st.cache_resource
def client() -> Client:
    """The one client of this web app."""
    return Client()


def show_error(error: ApiError) -> None:
    """The error as a sentence that says what to do; where the service is down, with a button to try again."""
    if error.status == 0:
        st.error(say("error.down", url=client().base_url))
        st.button(say("error.retry"))
    elif error.code == NOT_READY:
        st.warning(say("error.not_ready", detail=error.detail))
    else:
        st.error(plain(f"{error.detail} {error.hint}"))
