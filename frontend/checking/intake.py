"""Ways to put pictures in: the uploader, Ctrl+V, the camera; and what is in the tray."""

from __future__ import annotations

import streamlit as st

from frontend.checking.paste import MOST_MIB, listen_for_paste
from frontend.checking.tray import MOST_BYTES, Tray
from frontend.formatting import count, size
from frontend.texts import say

MOST_FILES = 900
"""At once: Streamlit's uploader fails near 980 files."""


def show_intake(tray: Tray) -> None:
    """The uploader with what it takes, and the ways that need no file."""
    key = f"tray.uploader.{tray.mount}"
    files = st.file_uploader(
        say("predict.upload"),
        accept_multiple_files=True,
        max_upload_size=MOST_MIB,
        key=key,
        on_change=lambda: tray.follow(st.session_state[key]),
    )
    tray.notice(files)
    with st.container(gap="xxsmall"):
        st.caption(say("predict.ways", most=MOST_FILES))
        if not listen_for_paste(lambda name, content: _take_pasted(tray, name, content)):
            st.warning(say("predict.paste_too_large", size=f"{MOST_MIB} MiB"))
    _offer_camera(tray)


def show_tray(tray: Tray) -> None:
    """How many pictures there are, with a button that removes them all; a sentence where there was no room."""
    if tray.left_out:
        st.warning(say("tray.full", count=tray.left_out, size=size(MOST_BYTES)))
    if not tray.pictures:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(say("tray.content", count=count(len(tray.pictures)), size=size(tray.n_bytes)), width="content")
        st.button(say("tray.clear"), key="tray.clear", icon=":material/delete_sweep:", on_click=tray.clear)


def _take_pasted(tray: Tray, name: str, content: bytes) -> None:
    nameless = name in ("", "image.png")  # what browsers call a picture that was no file
    tray.add(f"pasted-{tray.number()}.png" if nameless else name, content)


def _offer_camera(tray: Tray) -> None:
    """The camera, once it is asked for: before that the browser has nothing to ask permission for."""
    if not st.toggle(say("predict.camera"), key="tray.camera_on"):
        return
    key = f"tray.camera.{tray.mount}"

    def take() -> None:
        photo = st.session_state[key]
        if photo is not None:
            tray.add(f"photo-{tray.number()}.jpg", photo.getvalue())

    st.camera_input(say("predict.camera_label"), key=key, on_change=take)
