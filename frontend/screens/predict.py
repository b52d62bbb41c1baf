"""Put pictures in, read their verdicts."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from frontend.checking.answers import show_few, show_many
from frontend.checking.asking import ask, forget_others, known_answers, next_batch
from frontend.checking.choice import Choice, choose_model, load_cards, remembered_cards, show_models
from frontend.checking.intake import show_intake, show_tray
from frontend.checking.overview import show_totals
from frontend.checking.tray import Tray, open_tray
from frontend.formatting import count
from frontend.session import run_page, show_error
from frontend.texts import say
from frontend.transport import ApiError

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
    online = True
    try:
        cards = load_cards()
    except ApiError as error:
        online, cards = False, remembered_cards()
        with main:
            show_outage(error)
    if not cards:
        return
    with side, st.container(border=True):
        choice = choose_model(cards)
        show_models(choice)
    show_answers(tray, choice, main, online=online)


def show_answers(tray: Tray, choice: Choice, main: DeltaGenerator, *, online: bool) -> None:
    """What is known of the pictures; then the next of them are asked for and the page is drawn again.

    A phone shows what is in `main` before the models; a table needs the whole width and comes below both.
    """
    pictures, answers = list(tray.pictures.values()), known_answers()
    batch = next_batch(pictures, choice.model_ids) if online else None
    wanted = [(picture.id, model_id) for picture in pictures for model_id in choice.model_ids]
    done = sum(key in answers for key in wanted)
    with main:
        bar = st.container()
        if batch is not None:
            bar.progress(done / len(wanted), text=say("predict.progress", done=count(done), total=count(len(wanted))))
        elif done < len(wanted):
            bar.info(say("predict.waiting"))
        if len(pictures) > 1:
            show_totals(pictures, answers, choice)
        if len(pictures) <= FEW:
            show_few(pictures, answers, choice, tray)
    if len(pictures) > FEW:
        show_many(pictures, answers, choice, tray)
    st.caption(say("model.limits"))
    if batch is None:
        return
    try:
        ask(*batch)
    except ApiError as error:
        with bar:
            show_outage(error)
    else:
        st.rerun()


def show_outage(error: ApiError) -> None:
    """What keeps the service from answering, with a button to ask again."""
    show_error(error)
    if error.status != 0:  # then show_error has drawn one
        st.button(say("predict.go_on"), key="predict.go_on")


run_page(show_page)
