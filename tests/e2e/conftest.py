"""The whole product as a person meets it: API and web app started together, and a real browser in front of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.e2e.web import chromium, running_web_app
from tests.running import RunningService


@pytest.fixture(scope="package")
def web_app(fitted: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the web app, in front of a service with an active model."""
    with running_web_app(fitted.url, fitted.environment, tmp_path_factory.mktemp("web")) as url:
        yield url


@pytest.fixture(scope="package")  # not the session: an open page goes on asking
def browser() -> Iterator[WebDriver]:
    """Debian's Chromium without a window."""
    with chromium() as chrome:
        if chrome is None:
            pytest.skip("no browser: Debian's packages chromium and chromium-driver are not installed")
        yield chrome
