"""Evidence reports: complete, safe to open, and never for other bytes than those that were answered."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from frontend.checking.report import POLICY, WrongDigestError, word_report, write_html, write_json
from tests.pictures import encode, photo

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = '<script>alert("x")</script>.png'
CARD: dict[str, Any] = {
    "id": "m-1",
    "name": "<b>model</b>",
    "digest": "d" * 64,
    "backbone": "net",
    "backbone_digest": "e" * 64,
    "dataset": {"name": "<i>set</i>"},
    "generators": ["gen-1"],
    "sides": [32, 32],
    "unsure_band": [0.25, 0.75],
    "metrics": {"test": {"n": 20000, "accuracy": 0.9655, "auroc": 0.995, "intervals": {"accuracy": [0.963, 0.968]}}},
}


def answered(content: bytes) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "verdict": "unsure",
        "probability_fake": 1.0,
        "threshold": 0.5,
        "score": 2.5,
        "in_domain": False,
        "reasons": ["service's size", "<u>service's own</u>"],
        "reason_codes": ["size", "later"],
        "width": 48,
        "height": 48,
        "format": "PNG",
        "model_id": "m-1",
    }


def html_of(content: bytes) -> str:
    prediction = answered(content)
    return write_html(word_report("en", NAME, len(content), prediction, CARD), content, prediction, AT).decode()


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    tags = Tags()
    tags.feed(html_of(photo()))
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "b", "i", "u", "link", "iframe", "a"}
    assert all(not name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert [a["src"][:22] for tag, a in tags.seen if tag == "img" and a["src"]] == ["data:image/png;base64,"]
    assert POLICY in [a.get("content") for tag, a in tags.seen if tag == "meta"]
    assert POLICY.startswith("default-src 'none';")


def test_the_page_says_what_was_answered_by_whom_and_when() -> None:
    content = photo()
    page = html_of(content)
    expected = [hashlib.sha256(content).hexdigest(), "over 99 %", "d" * 64, "e" * 64, "gen-1", "96.3 % – 96.8 %"]
    expected += ["2026-01-02 03:04:05 UTC", "48 × 48", "does not count", "untested on others", "not proof"]
    expected += ["&lt;u&gt;service&#x27;s own&lt;/u&gt;", "&lt;script&gt;alert"]
    for text in expected:
        assert text in page
    assert "100 %" not in page


def test_a_picture_that_browsers_do_not_show_comes_as_a_smaller_copy_that_says_so() -> None:
    page = html_of(encode(Image.new("RGB", (2000, 500), "teal"), "TIFF"))
    assert "data:image/jpeg;base64," in page
    assert "smaller copy" in page


def test_without_a_preview_there_is_a_report_all_the_same() -> None:
    assert "cannot be shown here" in html_of(b"no picture")


def test_a_file_compressed_too_hard_is_told_in_words_with_what_the_model_learnt_from() -> None:
    prediction = {**answered(b""), "reasons": ["in the service's words"], "reason_codes": ["codec"]}
    told = str(word_report("en", NAME, 0, prediction, {**CARD, "codec": {"jpeg_quality": [75, 92]}}))
    assert "compressed far harder" in told
    assert "JPEG quality 75 and above" in told
    assert "in the service's words" in str(word_report("en", NAME, 0, prediction, CARD))  # of a card without it


def test_a_photograph_of_4000_pixels_is_outside_of_what_was_trained_on() -> None:
    size = {"width": 4000, "height": 3000, "reasons": ["in the service's words"], "reason_codes": ["size"]}
    told = str(word_report("en", NAME, 0, {**answered(b""), **size}, CARD))
    assert "4000 × 3000 pixels; the model was trained on sides of 32 pixels" in told
    assert "Outside of what the model was trained on." in told


def test_a_program_reads_the_same() -> None:
    content = photo()
    prediction = answered(content)
    wording = word_report("en", NAME, len(content), prediction, CARD)
    text = write_json(wording, content, prediction, CARD, AT)
    document = json.loads(text)
    assert (document["schema"], document["version"]) == ("deepfake-evidence-report", 1)
    assert document["picture"]["filename"] == NAME
    assert document["picture"]["sha256"] == prediction["sha256"]
    assert document["answer"]["probability_fake"] == 1.0
    assert document["model"]["digest"] == CARD["digest"]
    assert document["created_at"] == "2026-01-02T03:04:05+00:00"


def test_there_is_no_report_for_other_bytes() -> None:
    prediction = answered(photo(1))
    wording = word_report("en", NAME, 1, prediction, CARD)
    with pytest.raises(WrongDigestError):
        write_html(wording, photo(2), prediction, AT)
    with pytest.raises(WrongDigestError):
        write_json(wording, photo(2), prediction, CARD, AT)


def write_in_russian(name: str, content: bytes, prediction: dict, card: dict) -> None:  # type: ignore[type-arg]
    """A page in Russian whose only text is the report; it runs by itself, so it imports what it needs."""
    from datetime import UTC, datetime

    import streamlit as st

    from frontend.checking.report import word_report, write_html, write_json

    st.session_state["lang"] = "ru"
    wording = word_report("ru", name, len(content), prediction, card)
    at = datetime(2026, 1, 2, tzinfo=UTC)
    st.text(write_html(wording, content, prediction, at).decode())
    st.text(write_json(wording, content, prediction, card, at).decode())


def test_in_russian_the_words_are_russian_and_names_stay_text() -> None:
    content = photo()
    page = AppTest.from_function(write_in_russian, args=(NAME, content, answered(content), CARD), default_timeout=30)
    html, document = (element.value for element in page.run().text)
    assert not page.exception
    tags = Tags()
    tags.feed(html)
    assert ("html", {"lang": "ru"}) in tags.seen
    assert not {tag for tag, _ in tags.seen} & {"script", "b", "i", "u", "link", "iframe", "a"}
    assert hashlib.sha256(content).hexdigest() in html
    for words in ("Отчёт об изображении", "Неясно", "&lt;script&gt;", "Известные ограничения"):
        assert words in html
    assert json.loads(document)["language"] == "ru"
    assert json.loads(document)["answer"]["verdict_in_words"].startswith("Неясно")
    assert json.loads(document)["answer"]["verdict"] == "unsure"
