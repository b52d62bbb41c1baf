"""The web app as its own process, and a real browser in front of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.running import ROOT, free_port

DESKTOP, PHONE = (1280, 1000), (390, 844)
PATIENCE_S = 60.0


@contextmanager
def running_web_app(api_url: str, environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The address of a web app that talks to the service at `api_url`; its log lies in `folder`."""
    port = free_port()
    address = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    log = folder / "streamlit.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "frontend" / "app.py"), *address],
            cwd=folder,
            env={**environment, "DEEPFAKE_API_URL": api_url},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer:\n{log.read_text()}")


@contextmanager
def chromium() -> Iterator[WebDriver | None]:
    """Debian's Chromium without a window; None where it is not installed."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        yield None
        return
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--lang=en",
        f"--window-size={DESKTOP[0]},{DESKTOP[1]}",
    ):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=Driver(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def read(browser: WebDriver) -> str:
    """The text of the page."""
    return browser.find_element(By.TAG_NAME, "body").text


def wait_for_text(browser: WebDriver, text: str, seconds: float = PATIENCE_S) -> str:
    """The page's text once it contains `text`."""
    wait = WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])
    try:
        wait.until(lambda b: text in read(b))
    except TimeoutException:
        raise AssertionError(f"{text!r} is not on the page, which says:\n{read(browser)}") from None
    return read(browser)


def find(browser: WebDriver, css: str, text: str = "", seconds: float = PATIENCE_S) -> WebElement:
    """The first visible element of a CSS selector whose text contains `text`."""

    def search(b: WebDriver) -> WebElement | None:
        found = b.find_elements(By.CSS_SELECTOR, css)
        return next((element for element in found if element.is_displayed() and text in element.text), None)

    wait = WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])
    element = wait.until(search, f"no {css} with {text!r}; the page says:\n{read(browser)}")
    assert element is not None
    return element


def click(browser: WebDriver, text: str, css: str = "button, a", seconds: float = PATIENCE_S) -> None:
    """Clicks the first visible button or link whose text contains `text`, once it is there and stays still."""

    def press(b: WebDriver) -> bool:
        element = find(b, css, text, seconds)
        b.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        if not element.is_enabled():
            return False
        element.click()
        return True

    from selenium.common.exceptions import ElementClickInterceptedException

    passing = [StaleElementReferenceException, ElementClickInterceptedException]
    WebDriverWait(browser, seconds, ignored_exceptions=passing).until(press, f"{text!r} cannot be clicked")


def upload(browser: WebDriver, *files: Path, label: str = "") -> None:
    """Puts files into the uploader whose text contains `label`, as a person's choice in the browser's dialogue does."""
    uploader = find(browser, "[data-testid=stFileUploader]", label)
    uploader.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys("\n".join(map(str, files)))


def settle(browser: WebDriver, seconds: float = PATIENCE_S) -> None:
    """Waits until the page's script has run to its end and nothing is being loaded."""
    idle = "return !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')"
    quiet_since = time.monotonic()
    deadline = quiet_since + seconds
    while time.monotonic() < deadline:
        if not browser.execute_script(idle):
            quiet_since = time.monotonic()
        if time.monotonic() - quiet_since > 1.0:
            return
        time.sleep(0.1)
    raise AssertionError(f"the page does not come to rest:\n{read(browser)}")
