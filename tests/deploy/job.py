"""What a user does with a deployment: import, train, choose, check, in HTTP and in a browser."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from frontend.client import Client
from frontend.transport import ApiError
from tests.e2e.web import chromium
from tests.pictures import photo

DATASET, MODEL = "deployed", "deployed"
CONFIG = {"name": MODEL, "extractor": "spectrum", "head": "logreg", "C": 1.0}


@dataclass(frozen=True)
class Outcome:
    """What must be found again after a restart."""

    model_id: str
    probability_fake: float


def do_main_job(client: Client) -> Outcome:
    """Imports the demonstration set, fits a detector on it, makes it the active one and checks a picture with it."""
    client.wait(client.import_source(DATASET, "demo")["id"])
    client.wait(client.fit(DATASET, CONFIG)["id"])
    models = client.models(q=MODEL)["items"]
    assert len(models) == 1, models
    client.set_active(models[0]["id"])
    outcome = check(client)
    assert outcome.model_id == models[0]["id"]
    return outcome


def check(client: Client) -> Outcome:
    """The answer on a picture, which is always the same one."""
    answer = client.predict([("photo.png", photo())])
    return Outcome(answer["model_id"], answer["predictions"][0]["probability_fake"])


def find_again(client: Client, before: Outcome) -> None:
    """Asserts that data set, model and verdict are what they were."""
    assert DATASET in [item["name"] for item in client.datasets()["items"]]
    assert client.model(before.model_id)["active"]
    assert check(client) == before


def check_protection(url: str, web_key: str) -> None:
    """Asserts that nobody gets in without a key, and that the web app's own key cannot train or manage."""
    without = requests.post(f"{url}/predict", files={"files": photo()}, timeout=30)
    assert without.status_code == 401, without.text
    visitor = Client(url, web_key)
    assert check(visitor).model_id
    with pytest.raises(ApiError) as refused:
        visitor.import_source("refused", "demo")
    assert refused.value.status == 403
    with pytest.raises(ApiError) as refused:
        visitor.set_active("cifake-logreg")
    assert refused.value.status == 403


def look_at_web_app(url: str) -> str:
    """Asserts that the page on which pictures are checked is there; says what looked at it."""
    with chromium() as browser:
        if browser is None:
            assert "streamlit" in requests.get(url, timeout=30).text.lower()
            return "its HTML only: no browser is installed"
        browser.get(url)
        WebDriverWait(browser, 60).until(
            lambda page: page.find_elements(By.CSS_SELECTOR, "[data-testid=stFileUploader] input[type=file]")
        )
        assert not browser.find_elements(By.CSS_SELECTOR, "[data-testid=stAlert]"), "the page shows an error"
        return "a browser"
