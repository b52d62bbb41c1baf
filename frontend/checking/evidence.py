"""The buttons that give the evidence report for one answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import streamlit as st

from frontend.checking.asking import Answer
from frontend.checking.report import word_report, write_html, write_json
from frontend.checking.tray import Picture
from frontend.texts import language, say
from frontend.transport import Json


def offer_report(picture: Picture, answer: Answer, card: Json) -> None:
    """Draws both buttons; a sentence in their place where the service answered for other bytes, nothing without a
    verdict."""
    prediction = answer.prediction
    if prediction is None:
        return
    if answer.sha256 != prediction.get("sha256"):
        st.warning(say("report.refused"))
        return
    wording = word_report(language(), picture.name, len(picture.content), prediction, card)

    def html() -> bytes:
        return write_html(wording, picture.content, prediction, datetime.now(UTC))

    def document() -> bytes:
        return write_json(wording, picture.content, prediction, card, datetime.now(UTC))

    name = "report-" + (re.sub(r"[^\w.-]+", "_", picture.name)[:80] or "picture")
    key = f"{picture.id}.{answer.model_id}"
    with st.container(horizontal=True):
        st.download_button(
            say("report.html"),
            html,
            f"{name}.html",
            "text/html",
            key=f"html.{key}",
            icon=":material/description:",
            on_click="ignore",
        )
        st.download_button(
            say("report.json"),
            document,
            f"{name}.json",
            "application/json",
            key=f"json.{key}",
            icon=":material/data_object:",
            on_click="ignore",
        )
