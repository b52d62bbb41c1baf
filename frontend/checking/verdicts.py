"""One picture and what a model says of it: the verdict in words first, then how sure it is and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from frontend.checking.asking import Answer
from frontend.checking.describing import (
    describe_closest,
    describe_domain,
    describe_probability,
    describe_reasons,
    describe_size,
)
from frontend.checking.explaining import KNOWN, is_tried, show_note, show_stability, show_stages
from frontend.checking.heatmap import overlay, read_heatmap
from frontend.checking.previews import SIDE_PX, Preview, read_upright
from frontend.checking.provenance import show_provenance
from frontend.checking.tray import Picture
from frontend.formatting import size
from frontend.texts import plain, say, say_text
from frontend.transport import Json

COLOURS = {"real": "blue", "fake": "orange", "unsure": "gray"}  # told apart by colour-blind people, and by the words
ICONS = {"real": ":material/check_circle:", "fake": ":material/warning:", "unsure": ":material/help:"}
SMALL_PX, MOST_PX = 256, 560
"""Widths on the page: smaller pictures are enlarged to the first, none is wider than the second."""


def show_verdict(answer: Answer, card: Json) -> None:
    """The verdict in words, the probability, and what speaks for and against it."""
    prediction = answer.prediction
    if prediction is None:
        show_problem(answer.problem or {})
        return
    verdict = str(prediction["verdict"])
    words = say(f"verdict.{verdict}")
    st.markdown(f"### :{COLOURS.get(verdict, 'gray')}[{ICONS.get(verdict, ICONS['unsure'])} {words}]")
    if prediction.get("in_domain") is False:
        st.caption(plain(describe_probability(prediction)))  # and no bar: the probability does not count
    else:
        probability = float(prediction["probability_fake"])
        st.progress(min(max(probability, 0.0), 1.0), text=plain(describe_probability(prediction)))
    if closest := describe_closest(prediction):
        st.markdown(f":material/fingerprint: {plain(closest)}")
    for reason in describe_reasons(prediction, card):
        st.markdown(f":material/arrow_right: {plain(reason)}")
    st.markdown(f":material/straighten: {plain(describe_domain(prediction, card))}")
    for part in ("stability", "provenance"):
        if part == "stability" and is_tried(prediction.get(part)):
            show_stability(prediction[part])
        elif prediction.get(part):
            st.markdown(f"**{say(f'answer.{part}')}**")
            if isinstance(evidence := prediction[part].get("evidence"), list):
                show_provenance(evidence)
            else:
                show_details(prediction[part])


def show_problem(problem: Json) -> None:
    """Why there is no verdict, with the file's name where the service gives it."""
    sentence = f"{problem.get('detail') or ''} {problem.get('hint') or ''}"
    st.error(plain(f"{problem['filename']}: {sentence}" if problem.get("filename") else sentence))


def show_picture(picture: Picture, answer: Answer | None) -> None:
    """The picture, under its heat-map where the service gives one, and what file it is."""
    prediction = (answer.prediction if answer is not None else None) or {}
    explanation = prediction.get("explanation") or {}
    if answer is not None and read_heatmap(explanation.get("heatmap")) is not None:
        show_overlay(picture, str(explanation["heatmap"]), answer.model_id)
    else:
        _show_image(picture.preview, picture.name)
    show_note(explanation)
    show_stages(explanation)
    rest = {key: value for key, value in explanation.items() if key not in KNOWN}
    if rest:
        st.markdown(f"**{say('answer.explanation')}**")
        show_details(rest)
    st.text(picture.name)
    facts = [size(len(picture.content))]
    if prediction:
        facts = [str(prediction["format"]), say_text("answer.pixels", size=describe_size(prediction)), *facts]
    st.caption(plain(" · ".join(facts)))


@st.fragment
def show_overlay(picture: Picture, heatmap: str, model_id: str) -> None:
    """The picture under its heat-map, with a slider for how much of it is seen."""
    layer = read_heatmap(heatmap)
    if layer is None or picture.preview is None:
        _show_image(picture.preview, picture.name)
        return
    image = st.container()
    strength = st.slider(say("answer.strength"), 0, 100, 60, 5, format="%d %%", key=f"strength.{picture.id}.{model_id}")
    with image:
        mixed = overlay(read_upright(picture.content, SIDE_PX), layer, strength / 100)
        st.image(mixed, width=_width(mixed.width), alt=say_text("answer.heatmap", filename=picture.name))


def show_details(values: Mapping[str, Any]) -> None:
    """Anything that the service tells as a table of names and values, shown as text."""
    cells = {plain(str(key)): plain(_text_of(value)) for key, value in values.items()}
    st.table(cells, border="horizontal")


def _text_of(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text_of(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text_of(item) for item in value)
    if isinstance(value, bool):
        return say_text("yes" if value else "no")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _show_image(preview: Preview | None, filename: str) -> None:
    if preview is None:
        st.caption(say("predict.no_preview"))
    else:
        st.image(preview.content, width=_width(preview.width), alt=say_text("predict.picture", filename=filename))


def _width(pixels: int) -> int:
    return min(max(pixels, SMALL_PX), MOST_PX)
