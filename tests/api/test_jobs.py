"""/jobs against the running service: list, show, cancel, repeat."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.pictures import dataset_zip
from tests.running import RunningService


def submit(service: RunningService, C: float) -> dict[str, Any]:
    config = {"extractor": "spectrum", "head": "logreg", "C": C}
    answer = httpx.post(f"{service.url}/fit", json={"dataset_id": "for jobs", "config": config})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def finished(service: RunningService, job_id: str, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = httpx.get(f"{service.url}/jobs/{job_id}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return dict(job)
        time.sleep(0.05)
    raise AssertionError(f"still {job}")


@pytest.fixture(scope="module")
def service(running: RunningService) -> RunningService:
    parts = {"archive": ("a.zip", dataset_zip(40, 2000)), "name": (None, "for jobs")}
    answer = httpx.post(f"{running.url}/datasets?wait=60", files=parts, timeout=90)
    assert answer.status_code == 200, answer.text
    return running


def test_a_job_tells_its_story(service: RunningService) -> None:
    asked = submit(service, 0.5)
    assert asked["state"] in ("queued", "running")
    job = finished(service, asked["id"])
    assert (job["state"], job["reason"], job["attempts"]) == ("done", None, 1)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert job["result"].keys() == {"model_id", "dataset_id"}
    assert job["progress"]["done"] <= job["progress"]["total"]


def test_lists(service: RunningService) -> None:
    finished(service, submit(service, 0.4)["id"])
    page = httpx.get(f"{service.url}/jobs", params={"state": "done", "kind": "fit", "limit": 2}).json()
    assert page["total"] >= len(page["items"]) >= 1
    assert {(job["state"], job["kind"]) for job in page["items"]} == {("done", "fit")}
    times = [job["created_at"] for job in httpx.get(f"{service.url}/jobs").json()["items"]]
    assert times == sorted(times, reverse=True)
    for query in ("state=lost", "kind=magic", "limit=0", "offset=-1"):
        assert httpx.get(f"{service.url}/jobs?{query}").json()["code"] == "request.invalid"


def test_cancel_and_repeat(service: RunningService) -> None:
    running = submit(service, 0.3)
    waiting = submit(service, 0.2)  # one job at a time: this one waits
    cancelled = httpx.delete(f"{service.url}/jobs/{waiting['id']}").json()
    assert cancelled["cancel_requested"] or cancelled["state"] == "cancelled"
    assert finished(service, waiting["id"])["state"] in ("cancelled", "done")
    answer = httpx.delete(f"{service.url}/jobs/{waiting['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    if httpx.get(f"{service.url}/jobs/{waiting['id']}").json()["state"] == "cancelled":
        again = httpx.post(f"{service.url}/jobs/{waiting['id']}/retry")
        assert again.status_code == 200, again.text
        assert finished(service, waiting["id"])["state"] == "done"
    done = finished(service, running["id"])
    assert done["state"] == "done"
    answer = httpx.post(f"{service.url}/jobs/{done['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_data_set_in_use_stays(service: RunningService) -> None:
    (dataset,) = httpx.get(f"{service.url}/datasets?q=for jobs").json()["items"]
    last = [submit(service, C) for C in (0.15, 0.12, 0.11, 0.1)][-1]  # a fit takes less than a second
    answer = httpx.delete(f"{service.url}/datasets/{dataset['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert finished(service, last["id"])["state"] == "done"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/retry")])
def test_unknown_jobs(service: RunningService, method: str, path: str) -> None:
    answer = httpx.request(method, f"{service.url}/jobs/no-such-job{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_foreign_pages_cannot_touch_jobs(service: RunningService) -> None:
    job = submit(service, 0.05)
    for method, path in (("DELETE", ""), ("POST", "/retry")):
        answer = httpx.request(
            method, f"{service.url}/jobs/{job['id']}{path}", headers={"Origin": "http://evil.example"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "security.cross_site")
    assert finished(service, job["id"])["state"] == "done"
