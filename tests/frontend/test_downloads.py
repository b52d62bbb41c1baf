"""Files with all answers: every name, digest and figure as the service and the files have them."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import requests

from frontend.checking.asking import Answer
from frontend.checking.choice import Choice
from frontend.checking.downloads import list_records
from frontend.checking.spreadsheet import COLUMNS, write_csv, write_json
from frontend.checking.tray import Picture
from tests.pictures import photo
from tests.running import RunningService

NAMES = ("=HYPERLINK(1)", "кот, «фото».png", "-2+3.png")
BAD = "@broken.png"


def test_the_files_hold_what_the_service_answered(fitted: RunningService) -> None:
    pictures = [Picture(str(n), name, photo(n)) for n, name in enumerate(NAMES)]
    pictures += [Picture("bad", BAD, b"no picture"), Picture("waiting", "later.png", photo(9))]
    files = [("files", (picture.name, picture.content)) for picture in pictures[:4]]
    answered = requests.post(f"{fitted.url}/predict", files=files, timeout=60).json()
    predictions = {item["index"]: item for item in answered["predictions"]}
    problems = {item["index"]: item for item in answered["errors"]}
    assert (set(predictions), set(problems)) == ({0, 1, 2}, {3})
    card = requests.get(f"{fitted.url}/models/{answered['model_id']}", timeout=30).json()
    answers = {
        (picture.id, card["id"]): Answer(
            card["id"], hashlib.sha256(picture.content).hexdigest(), predictions.get(n), problems.get(n), detailed=False
        )
        for n, picture in enumerate(pictures[:4])
    }
    rows = list_records(pictures, answers, Choice(card))
    assert all(set(row) == set(COLUMNS) for row in rows)

    table = list(csv.DictReader(io.StringIO(write_csv(rows).decode("utf-8-sig"), newline="")))
    assert [row["file"] for row in table] == ["'=HYPERLINK(1)", "кот, «фото».png", "'-2+3.png", "'@broken.png"]
    for n, row in enumerate(table[:3]):
        assert row["sha256"] == hashlib.sha256(photo(n)).hexdigest() == predictions[n]["sha256"]
        assert float(row["probability_fake"]) == predictions[n]["probability_fake"]
        assert row["verdict"] == predictions[n]["verdict"]
        assert row["model_id"] == card["id"]
    assert table[3]["verdict"] == "failed"
    assert "not an image" in table[3]["problem"]
    assert table[3]["probability_fake"] == ""

    document = json.loads(write_json(rows, "2026-01-01T00:00:00+00:00"))
    assert [row["file"] for row in document["answers"]] == [*NAMES, BAD]
    assert document["answers"][0]["score"] == predictions[0]["score"]
