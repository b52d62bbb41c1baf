"""The page that most people meet, drawn by Streamlit's own test harness against the real service."""

from __future__ import annotations

import io
import socket

import pytest
import requests
import streamlit as st
from PIL import Image

from frontend.texts import plain
from tests.frontend.conftest import Answering, Open, shown
from tests.running import RunningService


def picture(fmt: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(buffer, fmt)
    return buffer.getvalue()


def test_it_opens_with_the_models_name_accuracy_and_limits(open_page: Open, fitted: RunningService) -> None:
    text = shown(open_page(fitted.url))
    card = next(c for c in requests.get(f"{fitted.url}/models", timeout=30).json()["items"] if c["active"])
    assert f"model {card['name']}" in text
    assert f"{card['accuracy']['test'] * 100:.1f} %" in text
    assert "Known limits" in text
    for generator in card["generators"]:
        assert generator in text


def test_a_picture_gets_its_verdict_in_words_first(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url)
    data = picture()
    page.file_uploader[0].upload("photo.png", data).run()
    expected = requests.post(f"{fitted.url}/predict", files={"files": ("photo.png", data)}, timeout=60).json()
    verdict = expected["predictions"][0]["verdict"]
    lines = shown(page).splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("### "))
    assert f" {verdict.capitalize()}: " in lines[heading]
    assert "photo.png" in lines[heading:]


def test_a_photograph_of_4000_pixels_is_outside_of_what_was_trained_on(open_page: Open, fitted: RunningService) -> None:
    page, buffer = open_page(fitted.url), io.BytesIO()
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(buffer, "JPEG")
    page.file_uploader[0].upload("photo.jpg", buffer.getvalue()).run()
    text = shown(page)
    assert "Unsure: " in text
    assert "The picture is 4000 × 3000 pixels; the model was trained on sides of" in text
    assert "Outside of what the model was trained on." in text


def test_of_several_files_the_broken_one_gets_a_sentence_and_the_others_a_verdict(
    open_page: Open, fitted: RunningService
) -> None:
    page = open_page(fitted.url)
    uploader = page.file_uploader[0]
    uploader.upload("same.png", picture()).upload("same.png", b"no picture").upload("p.tiff", picture("TIFF")).run()
    text = shown(page)
    assert text.count("### ") == 2
    assert len(page.error) == 1
    assert page.error[0].value.replace("\\", "").startswith("same.png: ")
    assert "1 not readable" in text


def test_a_file_alone_that_is_no_picture_gets_a_sentence(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url)
    page.file_uploader[0].upload("notes.txt", b"hello").run()
    assert len(page.error) == 1
    assert "not an image" in shown(page)
    assert "Known limits" in shown(page)


@pytest.mark.parametrize("name", ["**bold** [x](y) <b>.png", "$x$ :red[y] `z`.png", "# title\n- item.png"])
def test_a_file_name_is_text_and_never_markup(open_page: Open, fitted: RunningService, name: str) -> None:
    page = open_page(fitted.url)
    page.file_uploader[0].upload(name, b"no picture").run()
    assert page.error[0].value.startswith(plain(name))
    page = open_page(fitted.url)
    page.file_uploader[0].upload(name, picture()).run()
    assert [text.value for text in page.text] == [name]  # st.text shows no Markdown


def test_without_the_service_it_says_what_to_do_and_keeps_the_pictures(
    open_page: Open, fitted: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        page = open_page(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        page.file_uploader[0].upload("photo.png", picture()).run()
        assert "make run" in shown(page)
    monkeypatch.setenv("DEEPFAKE_API_URL", fitted.url)
    st.cache_resource.clear()
    page.button(key="retry").click().run()  # "Try again"
    assert "### " in shown(page)
    assert not page.error


def test_without_a_model_it_says_so(open_page: Open, answering: Answering) -> None:
    answering.answer(503, {"code": "unavailable.not_ready", "detail": "No model is chosen for prediction."})
    page = open_page(answering.url)
    assert "No model is chosen for prediction." in shown(page)
    assert "page Train" in shown(page)


def test_an_answer_of_another_program_is_a_sentence(open_page: Open, answering: Answering) -> None:
    answering.answers.append((200, b"<html>"))
    page = open_page(answering.url)
    assert len(page.error) == 1
    assert "DEEPFAKE_API_URL" in shown(page)
