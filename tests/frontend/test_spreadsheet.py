"""Downloads of answers: nothing in them is run by a spreadsheet, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
import json

import pytest

from frontend.checking.spreadsheet import COLUMNS, escape_formula, write_csv, write_json


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "＝1",
        "　＋1",
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert escape_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "cat.jpg", "a=b", " plain", "1-2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert escape_formula(text) == text


def test_the_csv_reads_back_with_names_quoted_and_numbers_as_numbers() -> None:
    row = {"file": '=cmd|"x",\n1', "probability_fake": 0.25, "score": -1.5, "in_domain": False, "reasons": ["-a", "b"]}
    data = write_csv([row])
    assert data.startswith(b"\xef\xbb\xbf")
    header, cells = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert header == list(COLUMNS)
    read = dict(zip(header, cells, strict=True))
    assert read["file"] == "'" + row["file"]  # type: ignore[operator]
    assert (read["probability_fake"], read["score"], read["in_domain"]) == ("0.25", "-1.5", "false")
    assert read["reasons"] == "'-a; b"
    assert read["problem"] == ""


def test_the_json_names_its_layout_and_keeps_names_as_they_are() -> None:
    document = json.loads(write_json([{"file": "=1"}], "2026-01-01T00:00:00+00:00"))
    assert (document["schema"], document["version"]) == ("deepfake-answers", 1)
    assert document["answers"] == [{"file": "=1"}]
