"""`make screenshots`: pictures of every page for docs/screenshots/, in light and dark theme and at a phone's width.

A service of its own, the demonstration set and two detectors fitted on it: no data but the project's own.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.webdriver.chrome.webdriver import WebDriver

from backend.core.demo import make_demo
from frontend.client import Client
from tests.e2e.web import DESKTOP, PHONE, chromium, click, running_web_app, settle, upload
from tests.running import ROOT, RunningService

TARGET = ROOT / "docs" / "screenshots"
TALLEST_PX = 5000
TAB = "[role=tab]"
VIEWS = (("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light"))
"""Suffix of the file's name, window in pixels, theme."""


@dataclass(frozen=True)
class Stage:
    """What the pages show: ids of what the service holds, and pictures to check."""

    dataset: str
    models: tuple[str, str]
    job: str
    matrix: str
    pictures: list[Path]


@dataclass(frozen=True)
class Scene:
    """One picture of the documentation: an address, and what a person does there."""

    name: str
    address: Callable[[Stage], str]
    act: Callable[[WebDriver, Stage], Any] = lambda browser, stage: None


SCENES = (
    Scene("check", lambda _: ""),
    Scene("check-one", lambda _: "", lambda browser, stage: upload(browser, stage.pictures[1])),
    Scene("check-many", lambda _: "", lambda browser, stage: upload(browser, *stage.pictures)),
    Scene("check-compare", lambda s: f"?compare={s.models[1]}", lambda b, s: upload(b, s.pictures[-1])),
    Scene("data", lambda _: "datasets"),
    Scene("data-set", lambda stage: f"dataset?id={stage.dataset}"),
    Scene("train", lambda stage: f"train?dataset={stage.dataset}"),
    Scene("train-done", lambda stage: f"train?job={stage.job}"),
    Scene("models", lambda _: "models"),
    Scene("models-compare", lambda stage: f"models?compare={','.join(stage.models)}"),
    Scene("model", lambda stage: f"model?id={stage.models[0]}"),
    Scene("model-mistakes", lambda stage: f"model?id={stage.models[0]}&cell=fp&split=test"),
    Scene("generators", lambda stage: f"generators?id={stage.matrix}"),
    Scene("fingerprints", lambda _: "fingerprints", lambda browser, _: click(browser, "Enrolled", css=TAB)),
    Scene("fingerprints-compare", lambda _: "fingerprints", lambda browser, _: click(browser, "Compare", css=TAB)),
    Scene("jobs", lambda _: "jobs"),
    Scene("job", lambda stage: f"job?id={stage.job}"),
    Scene("check-russian", lambda _: "?lang=ru", lambda browser, stage: upload(browser, stage.pictures[-1])),
)


def prepare(service: RunningService, folder: Path) -> Stage:
    """Fills the service, and writes pictures to check into `folder`."""
    client = Client(service.url)
    dataset = str(client.wait(client.import_source("demonstration", "demo")["id"])["result"]["dataset_id"])
    client.wait(client.eda(dataset)["id"])
    jobs = [
        client.wait(client.fit(dataset, config)["id"])
        for config in (
            {"name": "demonstration, logistic regression", "head": "logreg"},
            {"name": "demonstration, fingerprints", "head": "svm_sgd", "extractor": ["spectrum", "residual"]},
        )
    ]
    models = [str(job["result"]["model_id"]) for job in jobs]
    client.set_active(models[0])
    matrix = client.wait(client.cross_evaluate([dataset])["id"])["result"]["evaluation_id"]
    images = list(make_demo())
    for generator in sorted({image.generator for image in images} - {""}):
        client.wait(client.enrol_fingerprint(generator, dataset, source_generator=generator)["id"])
    pictures = []
    for number, image in enumerate(images[5 :: len(images) // 9]):
        path = folder / f"picture {number + 1}.jpg"
        path.write_bytes(image.data)
        pictures.append(path)
    notes = folder / "notes.txt"
    notes.write_text("This is no picture.")
    return Stage(dataset, (models[0], models[1]), str(jobs[1]["id"]), str(matrix), [notes, *pictures])


def picture_of(browser: WebDriver, window: tuple[int, int], theme: str) -> Image.Image:
    """The whole page as it is, however long, in a window of that width."""
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    resize(browser, *window)
    settle(browser)
    height = int(browser.execute_script("return document.querySelector('[data-testid=stMain]').scrollHeight"))
    resize(browser, window[0], min(max(height, window[1]), TALLEST_PX))
    settle(browser)
    data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    return Image.open(io.BytesIO(base64.b64decode(data)))


def resize(browser: WebDriver, width: int, height: int) -> None:
    """Makes the page that large, whatever the window."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width <= PHONE[0]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def main(wanted: list[str]) -> int:
    """Makes the pictures of the scenes whose names are given, of all by default."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        if browser is None:
            print("Debian's packages chromium and chromium-driver are needed.", file=sys.stderr)
            return 1
        folder = Path(name)
        service = RunningService(folder / "service")
        service.start()
        try:
            stage = prepare(service, folder)
            with running_web_app(service.url, service.environment, folder) as url:
                for scene in SCENES:
                    if not wanted or scene.name in wanted:
                        shoot(browser, url, scene, stage)
        finally:
            service.stop()
    return 0


def shoot(browser: WebDriver, url: str, scene: Scene, stage: Stage) -> None:
    """Writes one scene in every view."""
    for suffix, window, theme in VIEWS:
        resize(browser, *window)
        browser.get(f"{url}/{scene.address(stage)}")
        settle(browser)
        scene.act(browser, stage)
        time.sleep(1.0)  # an upload begins
        target = TARGET / f"{scene.name}-{suffix}.png"
        picture_of(browser, window, theme).convert("RGB").quantize(128).save(target, optimize=True)
        print(target.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
