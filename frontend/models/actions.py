"""What can be done with a model from the list and from its own page: use it, delete it, take it away as a file."""

from __future__ import annotations

import streamlit as st

from frontend.client import Client
from frontend.exports import Fetch, show_download
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
    """A button that has the service make a zip of the model, then one that saves it."""
    show_download(
        say("models.export"),
        export_of(client(), str(card["id"])),
        f"{card['id']}.zip",
        "application/zip",
        key=f"export.{card['id']}",
        help=say("models.export_help"),
    )


def export_of(service: Client, model_id: str) -> Fetch:
    """What fetches the zip."""
    return lambda target: service.export_model(model_id, target)
