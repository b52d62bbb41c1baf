"""Answers as files for other programs: CSV that a spreadsheet shows and never runs, and JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA, VERSION = "deepfake-answers", 1
COLUMNS = (
    "file",
    "verdict",
    "probability_fake",
    "threshold",
    "score",
    "in_domain",
    "reason_codes",
    "reasons",
    "problem",
    "width",
    "height",
    "format",
    "bytes",
    "sha256",
    "model_id",
    "model",
    "closest_generator",
)
"""Names for programs, the same in every language and version."""
STARTERS = frozenset("=+-@\t\r\n")


def write_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows under COLUMNS as UTF-8 with the mark that Excel looks for; what is missing is an empty cell."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in COLUMNS] for row in rows)
    return buffer.getvalue().encode("utf-8-sig", "replace")


def write_json(rows: Sequence[Mapping[str, Any]], created_at: str) -> bytes:
    """The rows with the name and version of this layout; `created_at` is a UTC time in ISO 8601."""
    document = {"schema": SCHEMA, "version": VERSION, "created_at": created_at, "answers": list(rows)}
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def escape_formula(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    That goes by its first character behind spaces and characters without width; full-width ones count as their plain
    forms, for Excel reads them so (OWASP, CSV injection).
    """
    if text[:1] in STARTERS:
        return "'" + text
    for character in text:
        if character.isspace() or unicodedata.category(character) in ("Cf", "Cc"):
            continue
        return "'" + text if unicodedata.normalize("NFKC", character)[:1] in STARTERS else text
    return text


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        value = "; ".join(str(item) for item in value)
    return escape_formula(str(value).replace("\0", ""))
