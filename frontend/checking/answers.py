"""The answers for a few pictures one below the other, or for many in a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from frontend.checking.asking import Answer, Answers, can_explain, can_try_changes, explain
from frontend.checking.choice import Choice
from frontend.checking.downloads import offer_downloads
from frontend.checking.evidence import offer_report
from frontend.checking.overview import filter_pictures, show_table
from frontend.checking.tray import Picture, Tray
from frontend.checking.verdicts import show_picture, show_verdict
from frontend.session import show_error
from frontend.texts import plain, say
from frontend.transport import ApiError


def show_few(pictures: Sequence[Picture], answers: Answers, choice: Choice, tray: Tray) -> None:
    """Every picture with its full answer; downloads where there are several."""
    for picture in pictures:
        show_one(picture, answers, choice, tray)
    if len(pictures) > 1:
        offer_downloads(pictures, answers, choice)


def show_many(pictures: Sequence[Picture], answers: Answers, choice: Choice, tray: Tray) -> None:
    """Filters and a table; below it the full answer for the picture whose row is chosen."""
    kept = filter_pictures(pictures, answers, choice)
    selected = show_table(kept, answers, choice)
    offer_downloads(pictures, answers, choice)
    if selected is not None:
        show_one(selected, answers, choice, tray)


def show_one(picture: Picture, answers: Answers, choice: Choice, tray: Tray) -> None:
    """The full answer for one picture: the verdict of each model, then the picture, which a phone shows below them."""
    with st.container(border=True):
        if choice.other is None:
            verdict, shown = st.columns([3, 2], gap="medium")
            verdicts = [verdict]
        else:
            verdicts, shown = list(st.columns(2, gap="medium")), st.container()
        given = [answers.get((picture.id, model_id)) for model_id in choice.model_ids]
        for column, answer, card in zip(verdicts, given, choice.cards, strict=True):
            with column:
                if choice.other is not None:
                    st.markdown(f"**{plain(str(card['name']))}**")
                if answer is None:
                    st.caption(say("verdict.short.waiting"))
                    continue
                show_verdict(answer, card)
                _offer_more(picture, answer)
                offer_report(picture, answer, card)
        with shown:
            show_picture(picture, given[0])
            if tray.is_kept(picture.id):
                st.button(say("tray.remove"), key=f"remove.{picture.id}", on_click=partial(tray.remove, picture.id))


def _offer_more(picture: Picture, answer: Answer) -> None:
    key = f"{picture.id}.{answer.model_id}"
    why = hold = False
    with st.container(horizontal=True):
        if can_explain(answer):
            why = st.button(say("answer.explain"), key=f"explain.{key}", icon=":material/travel_explore:")
        if can_try_changes(answer):
            words, more = say("answer.try_changes"), say("answer.try_changes_help")
            hold = st.button(words, key=f"stability.{key}", icon=":material/rule:", help=more)
    if why or hold:
        try:
            explain(picture, answer.model_id, stability=hold)
        except ApiError as error:
            show_error(error)
        else:
            st.rerun()
