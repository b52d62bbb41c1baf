"""Many pictures at once: totals, filters, and a table to sort and to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from frontend.checking.asking import Answer, Answers
from frontend.checking.choice import Choice
from frontend.checking.describing import describe_size, name_reasons
from frontend.checking.tray import Picture
from frontend.formatting import count
from frontend.texts import plain, say, say_text
from frontend.transport import Json

VERDICTS = ("fake", "real", "unsure", "failed")
SIGNS = {"fake": "⚠", "real": "✓", "unsure": "?", "failed": "✕", "waiting": "…"}
"""Before the words in a table, where icons are not to be had."""
ROW_PX = 48
MOST_ROWS_SEEN = 10


def show_totals(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> None:
    """How many pictures got which verdict; of two models each one's, and how often they disagree."""
    totals = [
        Counter(_verdict(answers.get((picture.id, model_id))) for picture in pictures) for model_id in choice.model_ids
    ]
    sums = [say("predict.summary", **{verdict: total[verdict] for verdict in VERDICTS}) for total in totals]
    if choice.other is None:
        st.subheader(sums[0])
        return
    apart = sum(_disagree(picture, answers, choice.model_ids) for picture in pictures)
    st.subheader(say("overview.disagreements", count=count(apart), total=count(len(pictures))))
    for card, sentence in zip(choice.cards, sums, strict=True):
        st.markdown(f"**{plain(str(card['name']))}** · {sentence}")


def filter_pictures(pictures: Sequence[Picture], answers: Answers, choice: Choice) -> list[Picture]:
    """Draws the filters; gives the pictures that pass them."""
    first = choice.model_ids[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.pills(
            say("overview.filter" if choice.other is None else "overview.filter_first"),
            VERDICTS,
            selection_mode="multi",
            wrap=True,
            format_func=lambda verdict: f"{SIGNS[verdict]} {say(f'verdict.short.{verdict}')}",
            key="predict.filter",
            persist_state="session",
        )
        search = st.text_input(
            say("overview.search"),
            placeholder=say_text("overview.search"),
            label_visibility="collapsed",
            key="predict.search",
            type="search",
            live=True,
            width=260,
            persist_state="session",
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
    rows = [_row(picture, answers, choice) for picture in pictures]

    def remember() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        st.session_state["predict.selected"] = ids[chosen[0]] if chosen and chosen[0] < len(ids) else None

    selected = st.session_state.get("predict.selected")
    st.caption(say("overview.choose"))
    if choice.other is not None:
        st.caption(say("overview.numbers", first=choice.card["name"], second=choice.other["name"]))
    st.dataframe(
        {name: [row[name] for row in rows] for name in rows[0]},
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


def _verdict(answer: Answer | None) -> str:
    return "waiting" if answer is None else answer.verdict


def _disagree(picture: Picture, answers: Answers, model_ids: Sequence[str]) -> bool:
    given = [answers[picture.id, model_id] for model_id in model_ids if (picture.id, model_id) in answers]
    return len({answer.verdict for answer in given}) > 1


def _row(picture: Picture, answers: Answers, choice: Choice) -> dict[str, Any]:
    """Cells by their columns, the verdict before the name: a phone shows the first three."""
    given = [answers.get((picture.id, model_id)) for model_id in choice.model_ids]
    row: dict[str, Any] = {"picture": picture.thumbnail if given[0] is not None else None}
    for n, answer in enumerate(given, 1):
        verdict, prediction = _verdict(answer), answer.prediction if answer is not None else None
        row[f"verdict{n}"] = f"{SIGNS.get(verdict, '')} {say_text(f'verdict.short.{verdict}')}"
        row[f"probability{n}"] = _shown_percent(prediction) if prediction else None
    row["name"] = picture.name
    if choice.other is None:
        prediction = given[0].prediction if given[0] is not None else None
        row["reasons"] = _explain(given[0])
        row["size"] = describe_size(prediction) if prediction else ""
    return row


def _explain(answer: Answer | None) -> str:
    if answer is None:
        return ""
    if answer.prediction is None:
        return str((answer.problem or {}).get("detail") or "")
    return "; ".join(name_reasons(answer.prediction))


def _shown_percent(prediction: Json) -> float | None:
    """Percent that a table rounds to 1..99, for 0 and 100 would claim certainty; the order of all stays as it is.

    None where the probability does not count.
    """
    probability = float(prediction["probability_fake"])
    if prediction.get("in_domain") is False:
        return None
    if probability > 0.99:
        return 99 + (probability - 0.99) * 49
    if probability < 0.01:
        return 0.51 + probability * 49
    return probability * 100


def _columns(choice: Choice) -> dict[str, Any]:
    column = st.column_config
    columns: dict[str, Any] = {
        "picture": column.ImageColumn(say_text("overview.picture"), width=60),
        "name": column.TextColumn(say_text("overview.name"), width=140),
        "reasons": column.TextColumn(say_text("overview.reasons"), width=150),
        "size": column.TextColumn(say_text("overview.size"), width=80),
    }
    for n in range(1, len(choice.cards) + 1):
        number = "" if choice.other is None else f" ({n})"
        columns[f"verdict{n}"] = column.TextColumn(say_text("overview.verdict") + number, width=110)
        columns[f"probability{n}"] = column.ProgressColumn(
            say_text("overview.probability") + number,
            help=say("overview.probability_help"),
            min_value=0,
            max_value=100,
            format="%.0f %%",
            width=120,
        )
    return columns
