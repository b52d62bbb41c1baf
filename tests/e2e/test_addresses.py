"""Addresses that somebody shared: the first thing a web app is asked for may be any of its pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.e2e.web import running_web_app, settle, wait_for_text
from tests.running import RunningService

pytestmark = pytest.mark.timeout(180)


def test_a_link_to_any_page_opens_it_in_its_frame_and_language(
    browser: WebDriver, fitted: RunningService, tmp_path: Path
) -> None:
    with running_web_app(fitted.url, fitted.environment, tmp_path) as url:
        browser.get(f"{url}/models?lang=ru")  # before anybody opened the front page
        text = wait_for_text(browser, "Проверить изображения")
        assert "Модели" in text
        browser.get(f"{url}/predict")
        wait_for_text(browser, "Real or generated?")
        settle(browser)
        assert browser.current_url == f"{url}/"
        browser.get(f"{url}/job?id=nonsense")
        assert "Check pictures" in wait_for_text(browser, "There is nothing at this address")
