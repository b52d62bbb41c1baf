"""All answers as files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from frontend.checking.asking import Answer, Answers
from frontend.checking.choice import Choice
from frontend.checking.describing import describe_reasons
from frontend.checking.spreadsheet import write_csv, write_json
from frontend.checking.tray import Picture
from frontend.texts import say
from frontend.transport import Json


def offer_downloads(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> None:
    """Buttons for CSV and JSON; the file is made when one is pressed."""
    rows = list_records(pictures, answers, choice)
    with st.container(horizontal=True):
        st.download_button(
            say("overview.csv"),
            lambda: write_csv(rows),
            "verdicts.csv",
            "text/csv",
            key="predict.csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            say("overview.json"),
            lambda: write_json(rows, datetime.now(UTC).isoformat(timespec="seconds")),
            "verdicts.json",
            "application/json",
            key="predict.json",
            icon=":material/download:",
            on_click="ignore",
        )


def list_records(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> list[dict[str, Any]]:
    """A row for each answer that is there, those of the first model first; the names are spreadsheet.COLUMNS."""
    return [
        _record(picture, answer, card)
        for card in choice.cards
        for picture in pictures
        if (answer := answers.get((picture.id, str(card["id"])))) is not None
    ]


def _record(picture: Picture, answer: Answer, card: Json) -> dict[str, Any]:
    prediction, problem = answer.prediction or {}, answer.problem or {}
    facts = ("probability_fake", "threshold", "score", "in_domain", "reason_codes", "width", "height", "format")
    return {
        "file": picture.name,
        "verdict": answer.verdict,
        **{name: prediction.get(name) for name in facts},
        "reasons": describe_reasons(answer.prediction, card) if answer.prediction else [],
        "problem": " ".join(str(problem[part]) for part in ("detail", "hint") if problem.get(part)) or None,
        "bytes": len(picture.content),
        "sha256": answer.sha256,
        "model_id": answer.model_id,
        "model": str(card["name"]),
        "closest_generator": prediction.get("closest_generator"),
    }
