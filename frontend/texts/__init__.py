"""Every sentence that the web app and the bot show, in each language: a file a page, a table in each."""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar

from frontend.texts import (
    bot,
    checking,
    common,
    data,
    enrolment,
    evidence,
    explaining,
    figures,
    findings,
    fingerprints,
    generators,
    jobs,
    models,
    problems,
    robustness,
    train,
    trust,
)
from frontend.texts.language import LANGUAGES, Text

TEXTS: dict[str, Text] = {
    **common.TEXTS,
    **bot.TEXTS,
    **checking.TEXTS,
    **data.TEXTS,
    **enrolment.TEXTS,
    **explaining.TEXTS,
    **figures.TEXTS,
    **generators.TEXTS,
    **evidence.TEXTS,
    **findings.TEXTS,
    **fingerprints.TEXTS,
    **jobs.TEXTS,
    **models.TEXTS,
    **problems.TEXTS,
    **robustness.TEXTS,
    **train.TEXTS,
    **trust.TEXTS,
}
LANGUAGE_KEY = "lang"
"""Of the choice in the session, and of its parameter in a page's address."""


_SPOKEN: ContextVar[str] = ContextVar("spoken", default="")


def speak(language: str) -> None:
    """From here on texts are in `language`, a key of LANGUAGES, in this context (PEP 567): for what has no page."""
    _SPOKEN.set(language)


def language() -> str:
    """The language of `speak`, else the visitor's, a key of LANGUAGES; English outside of a page."""
    return _SPOKEN.get() or _visitors_language()


def _visitors_language() -> str:
    if "streamlit" not in sys.modules:  # the bot does without it
        return "en"
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    chosen = st.session_state.get(LANGUAGE_KEY)
    return str(chosen) if chosen in LANGUAGES else "en"


def say(key: str, **values: object) -> str:
    """The text of `key` with its {values} filled in, as Markdown: every value is escaped, so it shows as it is."""
    return say_text(key, **{name: plain(str(value)) for name, value in values.items()})


def say_text(key: str, **values: object) -> str:
    """The text of `key` with its {values} filled in, for places that show text and no Markdown."""
    return TEXTS[key].of(language()).format(**values)


def say_option(key: str, text: str) -> str:
    """The service's own English `text` for a choice, in the visitor's language where there is a text of `key`."""
    known = TEXTS.get(key)
    return text if known is None or language() == "en" else known.of(language())


def say_problem(code: str, sentence: str) -> str:
    """What the service says of a problem, as text; in another language first what its code means, where known."""
    known = TEXTS.get(f"problem.{code}")
    return sentence.strip() if known is None or language() == "en" else f"{known.of(language())} ({sentence.strip()})"


def say_known(key: str, name: str) -> str:
    """The text of `key`, as text; where there is none, the service's own `name` as it comes."""
    return say_text(key) if key in TEXTS else name


def plain(text: str) -> str:
    """Text such that Markdown shows it as it is: a file name or a service's sentence never becomes markup."""
    one_line = re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip()  # no-break spaces hold figures together
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", one_line)
