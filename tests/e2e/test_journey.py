"""From the front page to a detector of one's own, in the browser alone, on a service that is killed in between."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from backend.core.demo import write_demo_zip
from tests.e2e.web import click, read, running_web_app, upload, wait_for_text
from tests.running import RunningService

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of this journey's own, as it is right after installation."""
    service = RunningService(tmp_path_factory.mktemp("journey"))
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def site(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_web_app(service.url, service.environment, tmp_path_factory.mktemp("web")) as url:
        yield url


def restart(service: RunningService) -> None:
    """The server ends as a crash ends it, and comes back."""
    service.kill()
    service.start()


def test_a_visitor_trains_a_detector_on_a_zip_and_gets_verdicts_from_it(
    browser: WebDriver, site: str, service: RunningService, tmp_path: Path
) -> None:
    archive, picture = tmp_path / "my holiday.zip", tmp_path / "from a generator.jpg"
    write_demo_zip(archive)
    with zipfile.ZipFile(archive) as written:
        picture.write_bytes(written.read(next(name for name in written.namelist() if name.startswith("FAKE/"))))

    browser.get(site)
    wait_for_text(browser, "Real or generated?")
    open_page(browser, "Data")
    wait_for_text(browser, "Add a data set")
    upload(browser, archive)
    click(browser, "Add the data set", "button")
    wait_for_text(browser, "“my holiday” is being imported")
    restart(service)
    wait_for_text(browser, "“my holiday” is there", 120)

    click(browser, "Train a detector on it")
    click(browser, "Start training", "button")
    wait_for_text(browser, "Cancel")
    restart(service)
    browser.refresh()  # the address finds the training again
    wait_for_text(browser, "is ready", 120)
    click(browser, "Use this model")
    wait_for_text(browser, "This model answers on the page")

    click(browser, "Open the model")
    wait_for_text(browser, "Right and wrong answers")
    click(browser, "Found: ", "[data-testid=stMain] button")
    WebDriverWait(browser, 40).until(lambda b: pictures_shown(b) >= 10, "the cell shows no pictures")
    assert "cell=tp" in browser.current_url

    open_page(browser, "Check pictures")
    upload(browser, picture)
    text = wait_for_text(browser, "Probability that it is fake")
    assert "my holiday" in text
    assert "Traceback" not in text


def test_a_page_comes_back_with_the_service(browser: WebDriver, site: str, service: RunningService) -> None:
    service.kill()
    browser.get(f"{site}/datasets")
    wait_for_text(browser, "does not answer")
    service.start()
    wait_for_text(browser, "Add a data set")


@pytest.mark.parametrize(("page", "text"), [("Data", "All data sets"), ("Check pictures", "Compare with")])
def test_a_form_that_stays_while_the_service_is_away_is_a_whole_page_again_with_it(
    browser: WebDriver, site: str, service: RunningService, page: str, text: str
) -> None:
    browser.get(site)
    open_page(browser, page)
    wait_for_text(browser, text)
    service.kill()
    open_page(browser, page)
    wait_for_text(browser, "does not answer")
    service.start()
    WebDriverWait(browser, 40).until(lambda b: "does not answer" not in read(b), "the page did not come back")
    wait_for_text(browser, text)


def open_page(browser: WebDriver, title: str) -> None:
    """Follows the navigation at the left."""
    click(browser, title, "[data-testid=stSidebarNav] a")


def pictures_shown(browser: WebDriver) -> int:
    """How many pictures the browser has really drawn."""
    drawn = "return [...document.querySelectorAll('[data-testid=stImage] img')].filter(i => i.naturalWidth > 1).length"
    return int(browser.execute_script(drawn))
