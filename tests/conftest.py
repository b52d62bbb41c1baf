"""Parts that tests of several folders share."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.running import RunningService

for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:  # under nohup or in the background of a shell; children inherit it
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


SLOWEST = (
    "cluster/test_kills.py",
    "e2e/test_journey.py",
    "test_docs.py",
    "service/test_finetuning.py",
    "cli/test_commands.py",
    "cluster/test_replicas.py",
    "frontend/test_train_page.py",
    "core/test_extractors.py",
    "trials/test_disk.py",
    "frontend/test_jobs_page.py",
    "api/test_recovery.py",
    "cli/test_serve.py",
    "core/test_explain.py",
)
"""Files of more than 40 seconds, longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first: one that began last would keep a single process busy while the others are done."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Modules and tests live to the end: the garbage collector need not walk through them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A real server with empty folders, but for the detector that the project ships. Shared: leave it usable."""
    service = RunningService(tmp_path_factory.mktemp("service"))
    service.environment["DEEPFAKE_WORKERS"] = "2"
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def fitted(running: RunningService) -> RunningService:
    """The same server with the data set "fitted" (the demonstration set) and an active model "fitted" on it."""
    imported = requests.post(f"{running.url}/datasets?wait=240", json={"name": "fitted", "source": "demo"}, timeout=300)
    assert imported.status_code == 200, imported.text
    config = {"name": "fitted", "extractor": "spectrum", "head": "logreg", "C": 1.0}  # an extractor without weights
    asked = {"dataset_id": "fitted", "config": config}
    model = requests.post(f"{running.url}/fit?wait=240", json=asked, timeout=300)
    assert model.status_code == 200, model.text
    chosen = requests.post(f"{running.url}/set", json={"model_id": model.json()["id"]}, timeout=60)
    assert chosen.status_code == 200, chosen.text
    return running


@pytest.fixture
def chosen(fitted: RunningService) -> RunningService:
    """The same server, whose active model is "fitted" again, whatever an earlier test chose."""
    [model] = [
        m for m in requests.get(f"{fitted.url}/models?q=fitted", timeout=60).json()["items"] if m["name"] == "fitted"
    ]
    assert requests.post(f"{fitted.url}/set", json={"model_id": model["id"]}, timeout=60).status_code == 200
    return fitted
