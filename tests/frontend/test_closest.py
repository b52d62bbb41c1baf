"""The generator that a model with specialists names: in files for programs, in reports, and in the bot's answer."""

from __future__ import annotations

from typing import Any

from frontend.bot.answers import word_answer
from frontend.bot.pictures import Picture as Sent
from frontend.checking.asking import Answer
from frontend.checking.choice import Choice
from frontend.checking.downloads import list_records
from frontend.checking.report import word_report
from frontend.checking.tray import Picture

CARD = {"id": "m-1", "name": "model"}
PREDICTION: dict[str, Any] = {
    "sha256": "0" * 64,
    "verdict": "fake",
    "probability_fake": 0.9,
    "threshold": 0.5,
    "score": 2.5,
    "reasons": [],
    "reason_codes": [],
    "closest_generator": "<flux>",
    "width": 48,
    "height": 48,
    "format": "PNG",
}
SILENT = {**PREDICTION, "closest_generator": None}
SAID = "looks most like"


def test_files_for_programs_name_it() -> None:
    pictures = [Picture("1", "a.png", b""), Picture("2", "b.png", b"")]
    answers = {
        (picture.id, "m-1"): Answer("m-1", "0" * 64, prediction, None, detailed=False)
        for picture, prediction in zip(pictures, (PREDICTION, SILENT), strict=True)
    }
    assert [row["closest_generator"] for row in list_records(pictures, answers, Choice(CARD))] == ["<flux>", None]


def test_the_report_and_the_bot_say_it_where_there_is_one() -> None:
    sent = Sent("1", "a.png", 10, compressed=False)
    assert f"{SAID} &lt;flux&gt;." in word_answer(PREDICTION, CARD, sent)
    assert SAID not in word_answer(SILENT, CARD, sent)
    assert f"{SAID} <flux>." in word_report("en", "a.png", 10, PREDICTION, CARD).reasons[1]
    assert len(word_report("en", "a.png", 10, SILENT, CARD).reasons) == 1
