"""The evidence report for one picture: what was said of it, by which model, and how far that can be trusted."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from frontend.checking.describing import (
    describe_closest,
    describe_domain,
    describe_interval,
    describe_probability,
    describe_reasons,
    describe_size,
    name_dataset,
    name_generators,
)
from frontend.checking.origin import provenance_rows
from frontend.checking.previews import make_preview
from frontend.formatting import count, number, percent, rate, size
from frontend.texts import say_text
from frontend.transport import Json

SCHEMA, VERSION = "deepfake-evidence-report", 1
LIMITS = ("generators", "size", "codecs", "real", "hint")
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
.verdict { border-left: .5rem solid #808080; padding: .3rem 1rem; font-size: 1.2rem; font-weight: 600; }
.fake { border-color: #D55E00; } .real { border-color: #0072B2; }
img { max-width: 100%; max-height: 26rem; min-width: 8rem; border: 1px solid #bbb; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd;
  overflow-wrap: anywhere; }
th { font-weight: 400; color: #555; width: 34%; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2, figure, tr { break-inside: avoid; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"

Rows = Sequence[tuple[str, str]]


class WrongDigestError(ValueError):
    """The answer was given for other bytes than these."""


@dataclass(frozen=True)
class Wording:
    """All words of a report in the language of the visitor who asks for it, made while the page is drawn."""

    language: str
    title: str
    filename: str
    made_at: str
    heading: str
    alternative: str
    reduced: str
    no_picture: str
    sections: tuple[tuple[str, Rows], ...]
    reasons: tuple[str, ...]
    reasons_title: str
    limits: tuple[str, ...]
    limits_title: str


def word_report(language: str, filename: str, n_bytes: int, prediction: Json, card: Json) -> Wording:
    """The words for this answer, in the language of the page that is being drawn, which is `language`."""
    said = (describe_probability(prediction), describe_closest(prediction), *describe_reasons(prediction, card))
    return Wording(
        language=language,
        title=say_text("report.title"),
        filename=filename,
        made_at=say_text("report.made_at"),
        heading=say_text(f"verdict.{prediction['verdict']}"),
        alternative=say_text("predict.picture", filename=filename),
        reduced=say_text("report.reduced"),
        no_picture=say_text("report.no_picture"),
        sections=(
            (say_text("report.picture"), _picture_rows(filename, n_bytes, prediction)),
            (say_text("report.answer"), _answer_rows(prediction, card)),
            *([(say_text("answer.provenance"), tuple(origin))] if (origin := provenance_rows(prediction)) else []),
            (say_text("report.model"), _model_rows(card)),
        ),
        reasons=tuple(sentence for sentence in said if sentence),
        reasons_title=say_text("report.why"),
        limits=tuple(say_text(f"report.limit.{limit}", generators=name_generators(card)) for limit in LIMITS),
        limits_title=say_text("report.limits"),
    )


def write_html(wording: Wording, content: bytes, prediction: Json, made_at: datetime) -> bytes:
    """One file without scripts that needs nothing else; the picture is in it. Raises WrongDigestError."""
    check_digest(content, prediction)
    moment = f"{made_at:%Y-%m-%d %H:%M:%S} UTC"
    sections = "\n".join(f"<h2>{escape(title)}</h2>\n{_table(rows)}" for title, rows in wording.sections)
    return f"""<!DOCTYPE html>
<html lang="{escape(wording.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(wording.title)}: {escape(wording.filename)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(wording.title)}</h1>
<p>{escape(wording.made_at)} {moment}</p>
<p class="verdict {escape(str(prediction["verdict"]))}">{escape(wording.heading)}</p>
<h2>{escape(wording.reasons_title)}</h2>
{_list(wording.reasons)}
{_figure(wording, content)}
{sections}
<h2>{escape(wording.limits_title)}</h2>
{_list(wording.limits)}
</body>
</html>
""".encode("utf-8", "replace")


def write_json(wording: Wording, content: bytes, prediction: Json, card: Json, made_at: datetime) -> bytes:
    """The same for a program: the picture by its digest, answer and model as the service gave them.

    Raises WrongDigestError.
    """
    check_digest(content, prediction)
    test = (card.get("metrics") or {}).get("test") or {}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "created_at": made_at.isoformat(timespec="seconds"),
        "language": wording.language,
        "picture": {
            "filename": wording.filename,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            **{key: prediction.get(key) for key in ("width", "height", "format")},
        },
        "answer": {
            **{key: value for key, value in prediction.items() if key not in ("index", "filename", "sha256")},
            "verdict_in_words": wording.heading,
            "reasons_in_words": list(wording.reasons),
        },
        "model": {
            **{key: card.get(key) for key in ("id", "name", "digest", "created_at", "backbone", "backbone_digest")},
            **{key: card.get(key) for key in ("extractor", "dataset", "generators", "sides", "unsure_band")},
            "test": {
                **{key: test.get(key) for key in ("n", "accuracy", "auroc")},
                "accuracy_interval_95": (test.get("intervals") or {}).get("accuracy"),
            },
        },
        "limits": list(wording.limits),
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def check_digest(content: bytes, prediction: Mapping[str, Any]) -> None:
    """Raises WrongDigestError where the service's digest is not that of `content`."""
    if hashlib.sha256(content).hexdigest() != prediction.get("sha256"):
        raise WrongDigestError("the answer belongs to other bytes")


def _picture_rows(filename: str, n_bytes: int, prediction: Json) -> Rows:
    return (
        (say_text("report.filename"), filename),
        ("SHA-256", str(prediction["sha256"])),
        (say_text("report.size"), f"{size(n_bytes)} ({count(n_bytes)} B)"),
        (say_text("report.pixels"), describe_size(prediction)),
        (say_text("report.format"), str(prediction["format"])),
    )


def _answer_rows(prediction: Json, card: Json) -> Rows:
    return (
        (say_text("report.verdict"), say_text(f"verdict.short.{prediction['verdict']}")),
        (say_text("report.probability"), percent(float(prediction["probability_fake"]))),
        (say_text("report.threshold"), percent(float(prediction["threshold"]))),
        (say_text("report.score"), number(float(prediction["score"]))),
        (say_text("report.domain"), describe_domain(prediction, card)),
    )


def _model_rows(card: Json) -> Rows:
    test = (card.get("metrics") or {}).get("test") or {}
    unknown = say_text("unknown")
    return (
        (say_text("report.model_name"), str(card["name"])),
        (say_text("report.model_id"), str(card["id"])),
        (say_text("report.model_digest"), str(card.get("digest") or unknown)),
        (say_text("report.backbone"), str(card.get("backbone") or say_text("none"))),
        (say_text("report.backbone_digest"), str(card.get("backbone_digest") or say_text("none"))),
        (say_text("report.dataset"), name_dataset(card)),
        (say_text("report.generators"), name_generators(card)),
        (say_text("report.accuracy"), f"{rate(test.get('accuracy'))} ({describe_interval(test)})"),
        (say_text("report.test_images"), count(test.get("n"))),
    )


def _table(rows: Rows) -> str:
    cells = "\n".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table>\n{cells}\n</table>"


def _list(sentences: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "\n</ul>"


def _figure(wording: Wording, content: bytes) -> str:
    preview = make_preview(content)
    if preview is None:
        return f"<p>{escape(wording.no_picture)}</p>"
    image = f'<img src="{preview.data_uri}" alt="{escape(wording.alternative)}">'
    note = "" if preview.original else f"<figcaption>{escape(wording.reduced)}</figcaption>"
    return f"<figure>{image}{note}</figure>"
