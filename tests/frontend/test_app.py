"""The frame around every page: navigation, language, API key, running jobs."""

from __future__ import annotations

import pytest

from frontend.texts import TEXTS
from tests.frontend.conftest import Answering, Open, shown
from tests.running import ROOT, RunningService

PAGES = sorted(path.stem for path in (ROOT / "frontend" / "screens").glob("*.py"))
SECRET = "df_A-secret-key-of-somebody"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_both_languages(open_page: Open, fitted: RunningService, page: str) -> None:
    for language in ("en", "ru"):
        app = open_page(fitted.url, page, lang=language)
        assert not app.exception
        assert app.main.children, page


def test_the_visitor_reads_the_chosen_language(open_page: Open, fitted: RunningService) -> None:
    app = open_page(fitted.url)
    assert TEXTS["app.title"].en in shown(app)
    app.segmented_control(key="lang").set_value("ru").run()
    assert TEXTS["app.title"].ru in shown(app)
    assert TEXTS["app.title"].en not in shown(app)


def test_an_unknown_language_in_the_address_is_english(open_page: Open, fitted: RunningService) -> None:
    assert TEXTS["app.title"].en in shown(open_page(fitted.url, lang="xx"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_that_the_service_is_down(open_page: Open, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setattr("frontend.transport.TRIES", 1)  # each question waits before it is tried again
    app = open_page("http://127.0.0.1:9", page, id="x")  # port 9: nobody answers there
    assert not app.exception
    assert "make run" in shown(app)


def test_a_typed_key_is_sent_and_never_shown_again(
    open_page: Open, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFAKE_API_KEY", "of-the-installation")
    app = open_page(answering.url)
    assert {headers.get("Authorization") for _, _, headers, _ in answering.requests} == {"Bearer of-the-installation"}
    app.text_input(key="api_key_typed").input(SECRET)
    answering.requests.clear()
    app.button(key="FormSubmitter:key-Use this key").click().run()
    assert {headers.get("Authorization") for _, _, headers, _ in answering.requests} == {f"Bearer {SECRET}"}
    assert SECRET not in f"{app.main}{app.sidebar}"
    assert "A key of your own is in use." in shown(app)
    next(button for button in app.button if button.label == "Forget the key").click().run()
    assert app.text_input(key="api_key_typed").value == ""


def test_a_refused_key_is_a_sentence(open_page: Open, answering: Answering) -> None:
    for _ in range(10):
        answering.answer(401, {"code": "auth.missing", "detail": "This needs a key.", "status": 401})
    assert "API key that allows this: This needs a key." in shown(open_page(answering.url, "jobs"))


def test_a_key_that_may_not_see_jobs_asks_for_them_once(
    open_page: Open, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFAKE_API_KEY", "of-the-installation")
    for _ in range(40):
        answering.answer(403, {"code": "security.scope", "detail": "This needs another key.", "status": 403})
    app = open_page(answering.url)
    app.run()
    app.text_input(key="api_key_typed").input(SECRET)
    app.button(key="FormSubmitter:key-Use this key").click().run()
    asked = [headers["Authorization"] for _, path, headers, _ in answering.requests if path.startswith("/jobs")]
    assert asked == ["Bearer of-the-installation", f"Bearer {SECRET}"]
