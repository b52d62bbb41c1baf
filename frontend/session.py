"""What the pages share: the client with the visitor's key, the address of a page, and how an error is shown."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey

from frontend.client import NOT_READY, Client
from frontend.texts import plain, say, say_problem
from frontend.transport import DOWN, ApiError

RETRY_EVERY_S = 2.0

_KEY, _TYPED = "api_key", "api_key_typed"


def client() -> Client:
    """A client that speaks for this visitor; it keeps no connection, so making one costs nothing."""
    return Client(api_key=st.session_state.get(_KEY))


def run_page(draw: Callable[[], None]) -> None:
    """Draws a page; what the service refuses ends it with a sentence."""
    try:
        draw()
    except ApiError as error:
        show_error(error)


def show_error(error: ApiError) -> None:
    """The error as a sentence that says what to do. Where the service is down, the page is drawn anew with its return.

    Not within a form: there is a button where no answer came.
    """
    if error.code == DOWN:
        st.error(say("error.down", url=client().base_url))
        _offer_retry()
        _wait_for_service(time.monotonic())
    elif error.status == 0:
        st.error(plain(explain(error)))
        _offer_retry()
    elif error.code == NOT_READY:
        st.warning(say("error.not_ready", detail=error.detail))
    elif error.status in (401, 403):
        st.warning(say("error.forbidden", detail=error.detail))
    elif error.status == 404 or _is_about_address(error):
        st.warning(say("error.missing", detail=error.detail))
    else:
        st.error(plain(explain(error)))


def _offer_retry() -> None:
    """A button that draws the page anew; one is enough where several parts of it got no answer."""
    with suppress(StreamlitDuplicateElementKey):
        st.button(say("error.retry"), key="retry")


@st.fragment(run_every=RETRY_EVERY_S)
def _wait_for_service(since: float) -> None:
    """Draws the page anew once the service answers; not with the first drawing, whose error would not be seen."""
    if time.monotonic() - since < RETRY_EVERY_S / 2:
        return
    try:
        client().health()
    except ApiError:
        return
    st.rerun()


def explain(error: ApiError) -> str:
    """What the service says of an error, as text in the visitor's language where that is known."""
    return say_problem(error.code, f"{error.detail} {error.hint}")


def _is_about_address(error: ApiError) -> bool:
    """Whether the service refused an id that can be none, as of an address that was cut or mistyped."""
    return bool(error.errors) and all(str(fault.get("field", "")).startswith("path.") for fault in error.errors)


def asked(name: str = "id") -> str:
    """The value of a parameter of the page's address, such as ?id=..., "" where there is none."""
    return str(st.query_params.get(name, ""))


def show_key_field() -> None:
    """A field for an API key; a key that is set is never shown again."""
    if st.session_state.get(_KEY):
        st.caption(say("key.set"))
        st.button(say("key.forget"), on_click=_forget_key)
        return
    if os.environ.get("DEEPFAKE_API_KEY"):
        st.caption(say("key.from_environment"))
    with st.form("key", border=False):
        st.text_input(say("key.label"), type="password", key=_TYPED, help=say("key.help"), autocomplete="off")
        st.form_submit_button(say("key.use"), on_click=_use_key)


def _use_key() -> None:
    st.session_state[_KEY] = st.session_state[_TYPED].strip()
    st.session_state[_TYPED] = ""


def _forget_key() -> None:
    del st.session_state[_KEY]
