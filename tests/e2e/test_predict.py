"""A visitor opens the page, uploads pictures and reads what the service thinks of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from PIL import Image
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.web import upload, wait_for_text
from tests.running import RunningService

pytestmark = pytest.mark.timeout(180)


def test_a_visitor_uploads_a_picture_and_reads_its_verdict(
    browser: WebDriver, web_app: str, fitted: RunningService, tmp_path: Path
) -> None:
    browser.get(web_app)
    wait_for_text(browser, "Known limits")
    photo = tmp_path / "photo of a wall.png"
    Image.effect_noise((96, 64), 60).convert("RGB").save(photo)
    with photo.open("rb") as stream:
        answer = requests.post(f"{fitted.url}/predict", files={"files": stream}, timeout=60).json()
    verdict = str(answer["predictions"][0]["verdict"])

    upload(browser, photo)
    text = wait_for_text(browser, "Probability that it is fake")
    assert f"{verdict.capitalize()}: " in text
    assert photo.name in text
    [image] = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stImage] img")
    WebDriverWait(browser, 20).until(
        lambda b: b.execute_script("return arguments[0].naturalWidth", image) == 96, "the picture is not shown"
    )
    assert "photo of a wall.png" in str(image.get_attribute("alt"))


def test_a_file_that_is_no_picture_gets_a_sentence_beside_the_others_verdicts(
    browser: WebDriver, web_app: str, tmp_path: Path
) -> None:
    browser.get(web_app)
    wait_for_text(browser, "Known limits")
    notes, photo = tmp_path / "<b>notes.txt", tmp_path / "photo.jpg"
    notes.write_text("hello")
    Image.effect_noise((64, 64), 60).convert("RGB").save(photo)
    upload(browser, notes, photo)
    text = wait_for_text(browser, "1 not readable")
    assert "<b>notes.txt: " in text
    assert text.count("Probability that it is fake") == 1
    assert "Traceback" not in text
