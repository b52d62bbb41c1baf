"""Many pictures at once: totals, filters, a table to sort and to choose from, and downloads of all answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from frontend.checking.asking import Answer, Answers
from frontend.checking.choice import Choice
from frontend.checking.describing import describe_reasons, describe_size
from frontend.checking.previews import make_thumbnail
from frontend.checking.spreadsheet import write_csv, write_json
from frontend.checking.tray import Picture
from frontend.texts import say, say_text
from frontend.transport import Json

VERDICTS = ("fake", "real", "unsure", "failed")
SIGNS = {"fake": "⚠", "real": "✓", "unsure": "?", "failed": "✕", "waiting": "…"}
"""Before the words in a table, where icons are not to be had."""
ROW_PX = 48
MOST_ROWS_SEEN = 10


def show_totals(pictures: Sequence[Picture], answers: Answers, model_id: str) -> None:
    """How many pictures got which verdict."""
    totals = Counter(_verdict(answers.get((picture.id, model_id))) for picture in pictures)
    st.subheader(say("predict.summary", **{verdict: totals[verdict] for verdict in VERDICTS}))


def filter_pictures(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> list[Picture]:
    """Draws the filters; gives the pictures that pass them."""
    first = choice.model_ids[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.pills(
            say("overview.filter"),
            VERDICTS,
            selection_mode="multi",
            format_func=lambda verdict: f"{SIGNS[verdict]} {say(f'verdict.short.{verdict}')}",
            key="predict.filter",
            persist_state="session",
        )
        search = st.text_input(
            say("overview.search"), key="predict.search", type="search", live=True, width=260, persist_state="session"
        )
    apart = choice.other is not None and st.toggle(
        say("overview.disagree"), key="predict.disagree", persist_state="session"
    )
    kept = [picture for picture in pictures if (search or "").casefold() in picture.name.casefold()]
    if wanted:
        kept = [picture for picture in kept if _verdict(answers.get((picture.id, first))) in wanted]
    if apart:
        kept = [picture for picture in kept if _disagree(picture, answers, choice.model_ids)]
    return kept


def show_table(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> Picture | None:
    """A table of the pictures; the one whose row is chosen, if any."""
    if not pictures:
        st.info(say("overview.nothing"))
        return None
    key = f"predict.table.{hash(tuple(picture.id for picture in pictures))}"  # another choice of rows, another table
    ids = [picture.id for picture in pictures]

    def remember() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        st.session_state["predict.selected"] = ids[rows[0]] if rows and rows[0] < len(ids) else None

    selected = st.session_state.get("predict.selected")
    st.dataframe(
        {name: [row[name] for row in rows] for rows in [_rows(pictures, answers, choice)] for name in rows[0]},
        hide_index=True,
        row_height=ROW_PX,
        height=(min(len(pictures), MOST_ROWS_SEEN) + 1) * ROW_PX,
        column_config=_columns(choice),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(selected)] if selected in ids else []}},
        on_select=remember,
        key=key,
        placeholder="",
        alt=say_text("overview.alt"),
    )
    return next((picture for picture in pictures if picture.id == st.session_state.get("predict.selected")), None)


def offer_downloads(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> None:
    """All answers as CSV and as JSON, made when one is asked for."""
    rows = [
        _record(picture, answer, card)
        for card in choice.cards
        for picture in pictures
        if (answer := answers.get((picture.id, str(card["id"])))) is not None
    ]
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


def thumbnail_of(picture: Picture) -> str | None:
    """A small JPEG of the picture as a data URI, made once in a session."""
    thumbnails: dict[str, str | None] = st.session_state.setdefault("predict.thumbnails", {})
    if picture.id not in thumbnails:
        thumbnails[picture.id] = make_thumbnail(picture.content)
    return thumbnails[picture.id]


def _verdict(answer: Answer | None) -> str:
    return "waiting" if answer is None else answer.verdict


def _disagree(picture: Picture, answers: Answers, model_ids: Sequence[str]) -> bool:
    given = [answers[picture.id, model_id] for model_id in model_ids if (picture.id, model_id) in answers]
    return len({answer.verdict for answer in given}) > 1


def _rows(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> list[dict[str, Any]]:
    rows = []
    for picture in pictures:
        given = [answers.get((picture.id, model_id)) for model_id in choice.model_ids]
        row: dict[str, Any] = {"picture": thumbnail_of(picture) if given[0] else None, "name": picture.name}
        for n, answer in enumerate(given):
            prediction = answer.prediction if answer is not None else None
            verdict = _verdict(answer)
            row[f"verdict{n}"] = f"{SIGNS.get(verdict, '')} {say_text(f'verdict.short.{verdict}')}"
            row[f"probability{n}"] = _shown_share(prediction["probability_fake"]) if prediction else None
        row["size"] = describe_size(given[0].prediction) if given[0] and given[0].prediction else ""
        row["reasons"] = _explain(given[0], choice)
        row["model"] = str(choice.card["name"])
        rows.append(row)
    return rows


def _explain(answer: Answer | None, choice: Choice) -> str:
    if answer is None:
        return ""
    if answer.prediction is None:
        return str((answer.problem or {}).get("detail") or "")
    return " ".join(describe_reasons(answer.prediction, choice.card))


def _shown_share(probability: float) -> float:
    """Percent with one decimal, never 0 or 100, which would claim certainty."""
    return min(max(round(probability * 100, 1), 0.1), 99.9)


def _columns(choice: Choice) -> dict[str, Any]:
    column = st.column_config
    names = [""] if choice.other is None else [f": {card['name']}" for card in choice.cards]
    columns: dict[str, Any] = {
        "picture": column.ImageColumn(say_text("overview.picture"), width=70),
        "name": column.TextColumn(say_text("overview.name"), width=170),
        "size": column.TextColumn(say_text("overview.size"), width=90),
        "reasons": column.TextColumn(say_text("overview.reasons"), width="large"),
        "model": None if choice.other is not None else column.TextColumn(say_text("predict.model")),
    }
    for n, name in enumerate(names):
        columns[f"verdict{n}"] = column.TextColumn(say_text("overview.verdict") + name, width=130)
        columns[f"probability{n}"] = column.ProgressColumn(
            say_text("overview.probability") + name, min_value=0, max_value=100, format="%.1f %%", width=150
        )
    return columns


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
    }
