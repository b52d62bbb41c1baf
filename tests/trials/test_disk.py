"""A disk that is full or read-only: clear refusals, no crash, and work goes on once it can be written to again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.leftovers import leftovers
from tests.pictures import dataset_zip, photo
from tests.running import RunningService
from tests.trials.disks import filled, needs_root, read_only, small_disk

pytestmark = needs_root
QUICK = {"head": "logreg", "C": 0.1}
FULL, READ_ONLY = (507, "unavailable.storage_full"), (507, "unavailable.storage_read_only")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A server on a disk of its own, with one data set and one model; its log lies elsewhere."""
    root = tmp_path_factory.mktemp("disk")
    with small_disk(root / "disk", 80) as disk:
        service = RunningService(disk / "service")
        service.log = root / "server.log"
        service.environment["DEEPFAKE_MIN_FREE"] = "0"
        service.start()
        parts = {"archive": ("a.zip", dataset_zip(30)), "name": (None, "kept")}
        assert httpx.post(f"{service.url}/datasets?wait=60", files=parts, timeout=90).status_code == 200
        yield service
        service.stop()


def ask(service: RunningService, method: str, path: str, **arguments: Any) -> tuple[int, str]:
    """(status, code) of the answer."""
    answer = httpx.request(method, f"{service.url}{path}", timeout=60, **arguments)
    is_json = "json" in answer.headers.get("content-type", "")
    return answer.status_code, answer.json().get("code", "") if is_json else ""


def changes(service: RunningService) -> Iterator[tuple[str, tuple[int, str]]]:
    """Everything that has to write, tried once: (what, (status, code))."""
    model = httpx.get(f"{service.url}/models").json()["items"][0]["id"]
    fit = {"dataset_id": "kept", "config": {**QUICK, "extractor": "residual"}}
    parts = {"archive": ("a.zip", dataset_zip(30)), "name": (None, "more")}
    yield "upload", ask(service, "POST", "/datasets", files=parts)
    yield "import", ask(service, "POST", "/datasets?wait=30", json={"name": "demo", "source": "demo"})
    yield "fit", ask(service, "POST", "/fit?wait=30", json=fit)
    yield "spool of a prediction", ask(service, "POST", "/predict", files={"files": ("a", b"x" * 12 * 2**20)})
    yield "notes of a model", ask(service, "PATCH", f"/models/{model}", json={"notes": "x" * 9000})
    yield "export", ask(service, "GET", "/datasets/kept/export")


def reading_goes_on(service: RunningService) -> None:
    for path in ("/health", "/ready", "/models", "/jobs", "/datasets/kept", "/datasets/kept/images/0/thumbnail"):
        assert ask(service, "GET", path)[0] == 200, path
    assert ask(service, "POST", "/predict", files={"files": ("a", photo(1))})[0] == 200


def all_works(service: RunningService, extractor: str) -> None:
    fit = {"dataset_id": "kept", "config": {**QUICK, "extractor": extractor}}
    answer = httpx.post(f"{service.url}/fit?wait=60", json=fit, timeout=90)
    assert answer.status_code == 200, answer.text
    assert ask(service, "POST", "/set", json={"model_id": answer.json()["id"]})[0] == 200
    assert leftovers(service) == []


def test_a_full_disk_is_said_and_reading_goes_on(service: RunningService) -> None:
    with filled(service.folder.parent):
        assert {what: seen for what, seen in changes(service) if seen != FULL} == {}
        assert ask(service, "POST", "/set", json={"model_id": active(service)}) in (FULL, (200, ""))
        reading_goes_on(service)
    all_works(service, "npr")


def active(service: RunningService) -> str:
    return str(httpx.get(f"{service.url}/ready").json()["model_id"])


def test_a_disk_that_fills_up_during_a_fit_fails_it_and_a_retry_ends_it(service: RunningService) -> None:
    fit = {"dataset_id": "kept", "config": {**QUICK, "extractor": "cnn"}}
    with filled(service.folder.parent, 120_000):  # enough to begin with
        job = httpx.post(f"{service.url}/fit", json=fit, timeout=60).json()
        assert end_of(service, job["id"])["state"] == "failed"
        assert "disk is full" in end_of(service, job["id"])["reason"]
    assert ask(service, "POST", f"/jobs/{job['id']}/retry")[0] in (200, 202)
    assert end_of(service, job["id"])["state"] == "done"


def end_of(service: RunningService, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while (found := httpx.get(f"{service.url}/jobs/{job}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return dict(found)


def test_a_read_only_disk_is_said_and_reading_goes_on(service: RunningService) -> None:
    with read_only(service.folder):
        assert {what: seen for what, seen in changes(service) if seen != READ_ONLY} == {}
        reading_goes_on(service)
    all_works(service, "spectrum")


def test_a_start_on_a_full_or_read_only_disk_says_why_and_a_later_one_finds_all(service: RunningService) -> None:
    service.stop()
    with filled(service.folder.parent):
        fails_to_start(service, "is full")
    with read_only(service.folder):
        fails_to_start(service, "cannot be written to")
    service.start()
    reading_goes_on(service)


def fails_to_start(service: RunningService, why: str) -> None:
    """Holds that a start ends by itself with a sentence."""
    before = len(service.log.read_text())
    with pytest.raises(AssertionError, match="did not start"):
        service.start()
    assert why in service.log.read_text()[before:]
    assert "Traceback" not in service.log.read_text()[before:]
