"""The findings of a data set's audit, in the visitor's language."""

from __future__ import annotations

from typing import Any

import streamlit as st

from frontend.formatting import count, number, rate
from frontend.texts import TEXTS, language, plain, say_text
from frontend.transport import Json

SERIOUS = ("critical", "warning")

_SHARES = ("real", "fake", "distance")


def show_findings(findings: list[Json]) -> None:
    """A coloured box for each finding."""
    for finding in findings:
        title, detail = words_of(finding)
        text = f"**{plain(title)}**  \n{plain(detail)}"
        if finding.get("severity") in ("critical", "high", "error"):
            st.error(text, icon=":material/error:")
        elif finding.get("severity") in ("warning", "medium"):
            st.warning(text, icon=":material/warning:")
        else:
            st.info(text, icon=":material/info:")


def words_of(finding: Json) -> tuple[str, str]:
    """Title and detail as text: the service's own in English, and for what has no words here in another language."""
    code, figures = finding.get("code"), finding.get("figures") or {}
    said = " ".join(str(finding[part]) for part in ("detail", "hint") if finding.get(part))
    if language() == "en" or f"finding.title.{code}" not in TEXTS:
        return str(finding["title"]), said
    values = {name: _shown(name, value) for name, value in figures.items()}
    try:
        return say_text(f"finding.title.{code}"), say_text(f"finding.detail.{code}", **values)
    except KeyError:  # a later service with other figures
        return say_text(f"finding.title.{code}"), said


def _shown(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return rate(value) if name in _SHARES else number(value)
    return count(value) if isinstance(value, int) else str(value)
