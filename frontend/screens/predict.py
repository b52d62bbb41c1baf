"""Put pictures in, read their verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from frontend.checking.asking import (
    Answer,
    Answers,
    ask,
    can_explain,
    explain,
    forget_others,
    known_answers,
    next_batch,
)
from frontend.checking.choice import Choice, choose_model, load_cards, remembered_cards, show_model
from frontend.checking.intake import show_intake, show_tray
from frontend.checking.overview import filter_pictures, offer_downloads, show_table, show_totals
from frontend.checking.report import word_report, write_html, write_json
from frontend.checking.tray import Picture, Tray, open_tray
from frontend.checking.verdicts import show_picture, show_verdict
from frontend.formatting import count
from frontend.session import run_page, show_error
from frontend.texts import language, plain, say
from frontend.transport import ApiError, Json

FEW = 3  # pictures that are shown one below the other; more of them come in a table


def show_page() -> None:
    """The page from top to bottom: pictures in, the model beside them, verdicts below."""
    st.title(say("app.title"))
    st.write(say("predict.intro"))
    tray = open_tray()
    main, side = st.columns([2, 1], gap="large")
    with main:
        show_intake(tray)
        show_tray(tray)
    forget_others(tray.pictures)
    outage: ApiError | None = None
    try:
        cards = load_cards()
    except ApiError as error:
        outage, cards = error, remembered_cards()
    if outage is not None:
        with main:
            show_error(outage)
    if not cards:
        return
    with side, st.container(border=True):
        choice = choose_model(cards)
        for card in choice.cards:
            show_model(card)
        st.caption(say("model.limits"))
    alone = len(tray.pictures) == 1 and choice.other is None
    with main if alone else st.container():
        show_answers(tray, choice, online=outage is None)


def show_answers(tray: Tray, choice: Choice, *, online: bool) -> None:
    """What is known of the pictures; then the next of them are asked for and the page is drawn again."""
    pictures, answers = list(tray.pictures.values()), known_answers()
    batch = next_batch(pictures, choice.model_ids) if online else None
    bar = st.container()
    if batch is not None:
        total = len(pictures) * len(choice.cards)
        done = sum((picture.id, model_id) in answers for picture in pictures for model_id in choice.model_ids)
        bar.progress(done / total, text=say("predict.progress", done=count(done), total=count(total)))
    elif not online and any((picture.id, choice.model_ids[0]) not in answers for picture in pictures):
        bar.info(say("predict.waiting"))
    if len(pictures) > FEW:
        show_many(pictures, answers, choice, tray)
    else:
        show_few(pictures, answers, choice, tray)
    if batch is not None:
        try:
            ask(*batch)
        except ApiError as error:
            with bar:
                show_error(error)
                if error.status != 0:
                    st.button(say("predict.go_on"), key="predict.go_on")
            return
        st.rerun()


def show_few(pictures: Sequence[Picture], answers: Answers, choice: Choice, tray: Tray) -> None:
    """Every picture with its full answer, and a line of totals where there are several."""
    if len(pictures) > 1:
        show_totals(pictures, answers, choice.model_ids[0])
    for picture in pictures:
        show_one(picture, answers, choice, tray)
    if len(pictures) > 1:
        offer_downloads(pictures, answers, choice)


def show_many(pictures: Sequence[Picture], answers: Answers, choice: Choice, tray: Tray) -> None:
    """Totals, filters and a table; below it the full answer for the picture whose row is chosen."""
    show_totals(pictures, answers, choice.model_ids[0])
    kept = filter_pictures(pictures, answers, choice)
    selected = show_table(kept, answers, choice)
    offer_downloads(pictures, answers, choice)
    if selected is None:
        st.caption(say("overview.choose"))
    else:
        show_one(selected, answers, choice, tray)


def show_one(picture: Picture, answers: Answers, choice: Choice, tray: Tray) -> None:
    """The full answer for one picture: of one model beside the picture, of two models side by side."""
    given = [(answers.get((picture.id, str(card["id"]))), card) for card in choice.cards]
    with st.container(border=True):
        shown, *columns = st.columns([2, 3] if len(given) == 1 else [1, 1, 1], gap="medium")
        with shown:
            show_picture(picture, given[0][0])
            if tray.is_kept(picture.id):
                st.button(say("tray.remove"), key=f"remove.{picture.id}", on_click=partial(tray.remove, picture.id))
        for column, (answer, card) in zip(columns, given, strict=True):
            with column:
                if choice.other is not None:
                    st.markdown(f"**{plain(str(card['name']))}**")
                if answer is None:
                    st.caption(say("verdict.short.waiting"))
                    continue
                show_verdict(answer, card)
                offer_more(picture, answer, card)


def offer_more(picture: Picture, answer: Answer, card: Json) -> None:
    """A further look where the service can take one, and the evidence report."""
    if answer.prediction is None:
        return
    key = f"{picture.id}.{answer.model_id}"
    if can_explain(answer) and st.button(say("answer.explain"), key=f"explain.{key}", icon=":material/travel_explore:"):
        try:
            explain(picture, answer.model_id)
        except ApiError as error:
            show_error(error)
        else:
            st.rerun()
    if answer.sha256 != answer.prediction.get("sha256"):
        st.warning(say("report.refused"))
        return
    prediction = answer.prediction
    wording = word_report(language(), picture.name, len(picture.content), prediction, card)
    name = "report-" + (re.sub(r"[^\w.-]+", "_", picture.name)[:80] or "picture")
    with st.container(horizontal=True):
        st.download_button(
            say("report.html"),
            lambda: write_html(wording, picture.content, prediction, datetime.now(UTC)),
            f"{name}.html",
            "text/html",
            key=f"html.{key}",
            icon=":material/description:",
            on_click="ignore",
        )
        st.download_button(
            say("report.json"),
            lambda: write_json(
                wording,
                filename=picture.name,
                content=picture.content,
                prediction=prediction,
                card=card,
                made_at=datetime.now(UTC),
            ),
            f"{name}.json",
            "application/json",
            key=f"json.{key}",
            icon=":material/data_object:",
            on_click="ignore",
        )


run_page(show_page)
