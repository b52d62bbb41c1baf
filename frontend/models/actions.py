"""What can be done with a model from the list and from its own page: use it, delete it, take it away as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from frontend.client import Client
from frontend.session import client, show_error
from frontend.texts import say
from frontend.transport import ApiError, Json


def show_use(card: Json) -> bool:
    """A button that makes the model the one that checks pictures; true once it does. Draw it in a row of buttons."""
    if card["active"]:
        st.badge(say("models.active"), icon=":material/star:", color="green")
        return False
    if not st.button(say("models.use"), key=f"use.{card['id']}", icon=":material/star:"):
        return False
    try:
        client().set_active(str(card["id"]))
    except ApiError as error:
        show_error(error)
        return False
    st.toast(say("models.now_used", name=card["name"]), icon=":material/star:")
    return True


def show_delete(card: Json) -> bool:
    """A button that deletes the model after one more question; true once it is gone."""
    with st.popover(say("models.delete"), icon=":material/delete:", key=f"deleting.{card['id']}"):
        if card["active"]:
            st.write(say("models.delete_active"))
            return False
        st.write(say("models.delete_question", name=card["name"]))
        if not st.button(say("models.delete_now"), key=f"delete.{card['id']}", type="primary"):
            return False
        try:
            client().delete_model(str(card["id"]))
        except ApiError as error:
            show_error(error)
            return False
    st.toast(say("models.deleted", name=card["name"]))
    return True


def show_export(card: Json) -> None:
    """A button that downloads the model as a zip, which the service makes when it is pressed."""
    st.download_button(
        say("models.export"),
        export_of(client(), str(card["id"])),
        file_name=f"{card['id']}.zip",
        mime="application/zip",
        key=f"export.{card['id']}",
        icon=":material/download:",
        on_click="ignore",
        help=say("models.export_help"),
    )


def export_of(service: Client, model_id: str) -> Callable[[], bytes]:
    """What fetches the zip. It runs in a thread of its own, so it has its client with it and asks no session."""

    def fetch() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            return service.export_model(model_id, Path(folder) / "model.zip").read_bytes()

    return fetch
