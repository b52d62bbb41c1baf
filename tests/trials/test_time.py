"""A wall clock that jumps, and a server that stands still for a while: each job ends, once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.leftovers import eventually
from tests.pictures import dataset_zip
from tests.running import RunningService
from tests.trials.clock import Clock

HOUR = 3600
LEASE = 1


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[RunningService]:
    """A server whose wall clock the test sets, with one data set."""
    service = RunningService(tmp_path_factory.mktemp("time"))
    service.environment.update({"DEEPFAKE_JOB_LEASE": str(LEASE), **clock.environment})
    service.start()
    parts = {"archive": ("a.zip", dataset_zip(60)), "name": (None, "timed")}
    assert httpx.post(f"{service.url}/datasets?wait=60", files=parts, timeout=90).status_code == 200
    yield service
    service.stop()


def begin_fit(service: RunningService, extractor: str) -> str:
    """The id of a fit that has begun."""
    config = {"extractor": extractor, "head": "logreg", "C": 0.1}
    answer = httpx.post(f"{service.url}/fit", json={"dataset_id": "timed", "config": config})
    job = str(answer.json()["id"])
    eventually(lambda: httpx.get(f"{service.url}/jobs/{job}").json()["state"] != "queued")
    return job


def end_of(service: RunningService, job: str) -> dict[str, Any]:
    """The job once it has ended."""
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = httpx.get(f"{service.url}/jobs/{job}").json()
        if found["state"] in ("done", "failed", "cancelled"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def count_models(service: RunningService) -> int:
    return int(httpx.get(f"{service.url}/models").json()["total"])


@pytest.mark.parametrize(("jump", "extractor"), [(HOUR, "npr"), (-HOUR, "spectrum")])
def test_a_clock_that_jumps_neither_ends_nor_repeats_a_job(
    service: RunningService, clock: Clock, jump: int, extractor: str
) -> None:
    before = count_models(service)
    job = begin_fit(service, extractor)
    clock.jump(jump)
    try:
        ended = end_of(service, job)
        assert (ended["state"], ended["attempts"]) == ("done", 1), ended
        time.sleep(LEASE + 0.5)  # whoever took it for abandoned would have begun it again by now
        assert count_models(service) == before + 1
        assert httpx.get(f"{service.url}/ready").status_code == 200
    finally:
        clock.jump(0)
    assert end_of(service, job) == ended


def test_a_server_that_stands_still_goes_on_where_it_was(service: RunningService) -> None:
    before = count_models(service)
    job = begin_fit(service, "residual")
    os.kill(service.pid, signal.SIGSTOP)
    time.sleep(2 * LEASE)
    os.kill(service.pid, signal.SIGCONT)
    ended = end_of(service, job)
    assert ended["state"] == "done", ended
    assert count_models(service) == before + 1
    eventually(lambda: not Path(service.folder, "data", "jobs", job).exists())
