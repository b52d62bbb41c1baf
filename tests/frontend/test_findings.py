"""The audit's findings in words: every code that the service has is known here, in both languages."""

from __future__ import annotations

import ast

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.audit.judge import TRAITS
from frontend.data.findings import words_of
from frontend.texts import TEXTS
from tests.running import ROOT

SOURCE = ROOT / "backend" / "core" / "audit" / "judge.py"


def service_findings() -> dict[str, str]:
    """Code -> title of every finding that the service can make, where both are written out."""
    found = {f"file.{trait}": title for trait, (title, _) in TRAITS.items()}
    for call in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Finding":
            code, _, title = call.args[:3]
            if isinstance(code, ast.Constant):
                found[str(code.value)] = str(title.value) if isinstance(title, ast.Constant) else ""
    return found


@pytest.mark.parametrize("code", service_findings())
def test_every_finding_has_its_words(code: str) -> None:
    assert f"finding.detail.{code}" in TEXTS
    title = TEXTS[f"finding.title.{code}"].en
    assert title == (service_findings()[code] or title)


def test_in_english_the_service_speaks_and_the_hint_follows() -> None:
    finding = {"code": "content", "title": "A title", "detail": "A detail.", "hint": "A hint.", "figures": {}}
    assert words_of(finding) == ("A title", "A detail. A hint.")


def test_in_another_language_the_figures_stand_in_our_own_sentences() -> None:
    def page() -> None:
        import streamlit as st

        from frontend.data.findings import words_of

        st.session_state["lang"] = "ru"
        known = {"code": "near_grey", "title": "x", "detail": "y", "figures": {"real": 0.025, "fake": 0.15}}
        for finding in (known, known | {"figures": {}}, {"code": "new", "title": "New", "detail": "Detail."}):
            for words in words_of(finding):
                st.text(words)

    app = AppTest.from_function(page).run()
    shown = [element.value for element in app.text]
    assert "REAL 2.5 %, FAKE 15.0 %" in shown[1]
    assert shown[2:] == [TEXTS["finding.title.near_grey"].ru, "y", "New", "Detail."]
