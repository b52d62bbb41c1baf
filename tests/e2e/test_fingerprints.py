"""A visitor enrols a generator from a zip and asks which source made a batch of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from frontend.client import Client
from frontend.uploads import Upload
from tests.e2e.web import click, find, settle, upload, wait_for_text
from tests.running import RunningService
from tests.traced import traced_png, traced_zip

pytestmark = pytest.mark.timeout(240)


def test_a_generator_is_enrolled_and_pictures_are_attributed_to_it(
    browser: WebDriver, web_app: str, running: RunningService, tmp_path: Path
) -> None:
    client = Client(running.url)
    client.wait(client.enrol_fingerprint_images("dots", Upload(archive=("dots.zip", traced_zip("dots", 16))))["id"])
    (tmp_path / "waves.zip").write_bytes(traced_zip("waves", 16))
    asked = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(asked):
        path.write_bytes(traced_png("waves", 100 + number))

    browser.get(f"{web_app}/fingerprints")
    click(browser, "Enrol", css="[role=tab]:last-child")
    name = find(browser, "[data-testid=stTextInput]", "Name of the source").find_element(By.TAG_NAME, "input")
    name.send_keys("waves\t")
    settle(browser)
    upload(browser, tmp_path / "waves.zip", label="One zip")
    settle(browser)
    click(browser, "Enrol", css="[data-testid=stMain] button[kind=primary]")
    wait_for_text(browser, "waves is enrolled.")

    click(browser, "Who made it?", css="[role=tab]")
    upload(browser, *asked, label="Pictures")
    settle(browser)
    click(browser, "All of them", css="[data-testid=stCheckbox] label")
    settle(browser)
    click(browser, "Who made it?", css="[data-testid=stMain] button[kind=primary]")
    wait_for_text(browser, "Made by waves")
    for one in client.fingerprints()["items"]:
        client.delete_fingerprint(one["id"])
        client.delete_dataset(one["dataset"]["id"])
