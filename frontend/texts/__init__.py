"""Every sentence that the web app shows, in one place: key -> language -> text."""

from __future__ import annotations

import re

ENGLISH: dict[str, str] = {
    "app.title": "Real or generated?",
    "nav.predict": "Check pictures",
    "predict.intro": "Drop one or more pictures here. Each gets a verdict: real, fake, or unsure.",
    "predict.upload": "Pictures (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)",
    "predict.working": "Looking at {count} picture(s)…",
    "predict.summary": "{fake} fake, {real} real, {unsure} unsure, {failed} not readable.",
    "verdict.fake": "Fake: it looks like the work of a generator.",
    "verdict.real": "Real: no trace of the generators that this model knows.",
    "verdict.unsure": "Unsure: this model cannot tell.",
    "predict.probability": "Probability that it is fake: {percent}. From {threshold} on it counts as FAKE.",
    "predict.no_preview": "This file format has no preview here.",
    "predict.picture": "The uploaded picture {filename}",
    "percent.most": "over 99 %",
    "percent.least": "under 1 %",
    "model.with_accuracy": "Answers come from the model {name}: right on {accuracy} of the test pictures of {dataset}.",
    "model.without_accuracy": "Answers come from the model {name}; its accuracy on test pictures was not measured.",
    "model.limits": "Known limits: it learnt from {dataset} and knows these generators: {generators}. Pictures of "
    "other generators, other sizes or with heavy compression can fool it: take the verdict as a hint, never as proof.",
    "model.generators_unknown": "not named in its data",
    "error.down": "The service at {url} does not answer. Start it with `make run` (or set DEEPFAKE_API_URL to its "
    "address), then press the button. The chosen pictures are kept.",
    "error.not_ready": "Nothing can be checked at the moment. {detail} Where there is no detector yet, fit one (see "
    "docs/tutorial.md) and make it active with `deepfake set ID`.",
    "error.retry": "Try again",
}


def say(key: str, **values: object) -> str:
    """The text of `key` with its {values} filled in, as Markdown: every value is escaped, so it shows as it is."""
    return ENGLISH[key].format(**{name: plain(str(value)) for name, value in values.items()})


def say_text(key: str, **values: object) -> str:
    """The text of `key` with its {values} filled in, for places that show text and no Markdown."""
    return ENGLISH[key].format(**values)


def plain(text: str) -> str:
    """Text such that Markdown shows it as it is: a file name or a service's sentence never becomes markup."""
    one_line = " ".join(text.split())
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", one_line)


def percent(share: float) -> str:
    """A share of 0..1 in whole percent for people: never 0 or 100, which would claim certainty."""
    if share > 0.99:
        return ENGLISH["percent.most"]
    if share < 0.01:
        return ENGLISH["percent.least"]
    return f"{share * 100:.0f} %"
