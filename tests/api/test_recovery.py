"""Clients that leave, servers that are killed, disks that are full: nothing half-written stays, and work goes on."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.leftovers import eventually, half_an_upload, leftovers, peak_growth, uploads
from tests.pictures import dataset_zip, photo
from tests.running import RunningService

QUICK = {"extractor": "spectrum", "head": "logreg", "C": 0.1}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A server of this file's own, with small limits: it is killed and starved."""
    service = RunningService(tmp_path_factory.mktemp("recovery"))
    service.environment["DEEPFAKE_MAX_UPLOAD_BYTES"] = str(30 * 2**20)
    service.environment["DEEPFAKE_MAX_QUEUED_JOBS"] = "2"
    service.environment["DEEPFAKE_JOB_LEASE"] = "2"
    service.start()
    yield service
    service.stop()


@pytest.mark.parametrize("path", ["/fit", "/datasets"])
def test_a_client_that_leaves_half_way_leaves_nothing(service: RunningService, path: str) -> None:
    half_an_upload(service, path).close()
    eventually(lambda: uploads(service) == [])
    assert httpx.get(f"{service.url}/jobs").json()["total"] == 0


def test_a_client_that_leaves_a_prediction_leaves_nothing(service: RunningService) -> None:
    before = open_files(service)
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: 8000000\r\n"
        part = b'--X\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        kind = b"Content-Type: multipart/form-data; boundary=X\r\n\r\n"
        connection.sendall(head.encode() + kind + part + b"x" * 5_000_000)
        eventually(lambda: open_files(service) > before)  # it has no name, but it is there
        assert uploads(service) == []
    eventually(lambda: open_files(service) <= before)


def open_files(service: RunningService) -> int:
    """Nameless files of the server below its data folder."""
    links = Path(f"/proc/{service.pid}/fd").iterdir()
    found = 0
    for link in links:
        try:
            target = str(link.readlink())
        except OSError:
            continue
        found += str(service.folder / "data" / "jobs") in target
    return found


def test_a_killed_server_leaves_nothing_of_an_upload(service: RunningService) -> None:
    connection = half_an_upload(service, "/datasets")
    service.kill()
    connection.close()
    assert len(uploads(service)) == 1
    service.start()
    assert leftovers(service) == []


def test_a_killed_server_takes_its_jobs_up_again(service: RunningService) -> None:
    archive = ("a.zip", dataset_zip(150, 5000))
    parts = {"archive": archive, "name": (None, "resumed"), "config": (None, '{"extractor": "spectrum", "C": 0.1}')}
    job = httpx.post(f"{service.url}/fit", files=parts, timeout=60).json()
    service.kill()
    service.start()
    deadline = time.monotonic() + 90
    while job["state"] not in ("done", "failed") and time.monotonic() < deadline:
        time.sleep(0.2)
        job = httpx.get(f"{service.url}/jobs/{job['id']}").json()
    assert job["state"] == "done", job
    chosen = httpx.post(f"{service.url}/set", json={"model_id": job["result"]["model_id"]})
    assert chosen.status_code == 200, chosen.text
    assert leftovers(service) == []


def test_the_chosen_model_survives_a_restart(service: RunningService) -> None:
    (card,) = httpx.get(f"{service.url}/models?q=resumed").json()["items"]
    assert card["active"]
    before = httpx.post(f"{service.url}/predict", files={"files": ("a", photo(1))}).json()
    service.stop()
    service.start()
    after = httpx.post(f"{service.url}/predict", files={"files": ("a", photo(1))}).json()
    assert after == before
    assert after["model_id"] == card["id"]


def test_a_full_queue_is_said_before_the_upload(service: RunningService) -> None:
    answers = [fit_again(service) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused, [answer.status_code for answer in answers]
    assert refused[0].json()["code"] == "unavailable.queue_full"
    assert int(refused[0].headers["retry-after"]) > 0
    answer = httpx.post(f"{service.url}/datasets", files={"archive": ("a.zip", b"x" * 10**6), "name": (None, "late")})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable.queue_full")
    for state in ("queued", "running"):
        for job in httpx.get(f"{service.url}/jobs?state={state}").json()["items"]:
            httpx.delete(f"{service.url}/jobs/{job['id']}")
    eventually(lambda: httpx.get(f"{service.url}/jobs?state=running").json()["total"] == 0, 60)


def fit_again(service: RunningService) -> httpx.Response:
    return httpx.post(f"{service.url}/fit", json={"dataset_id": "resumed", "config": QUICK})


def test_a_body_over_the_limit(service: RunningService) -> None:
    for path, field in (("/datasets", "archive"), ("/predict", "files"), ("/fit", "archive"), ("/eda", "files")):
        answer = httpx.post(f"{service.url}{path}", files={field: ("a", b"x" * (31 * 2**20))}, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")
    assert leftovers(service) == []


@pytest.mark.parametrize(("path", "field"), [("/datasets", "archive"), ("/predict", "files"), ("/eda", "files")])
def test_an_upload_is_never_wholly_in_memory(service: RunningService, path: str, field: str) -> None:
    def send() -> None:
        parts = {field: ("a", b"x" * (28 * 2**20)), "name": (None, "large")}
        answer = httpx.post(f"{service.url}{path}", files=parts, timeout=60)
        assert answer.status_code in (415, 422), answer.text  # it has arrived, but is neither a zip nor an image

    assert peak_growth(service, send) < (40 if field == "files" else 12) * 2**20
    assert leftovers(service) == []


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/datasets", {"archive": ("a.zip", b"x" * 12 * 2**20), "name": (None, "full")}),
        ("/fit", {"archive": ("a.zip", b"x" * 12 * 2**20)}),
        ("/predict", {"files": ("a.png", b"x" * 12 * 2**20)}),
        ("/eda", {"files": ("a.png", b"x" * 12 * 2**20)}),
    ],
)
def test_a_full_disk_is_said_and_leaves_nothing(service: RunningService, path: str, parts: dict[str, Any]) -> None:
    """A limit on file size fails a write exactly as a full disk does, without filling one."""
    limits = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (8 * 2**20, limits[1]))
    try:
        answer = httpx.post(f"{service.url}{path}", files=parts, timeout=60)
    finally:
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, limits)
    assert (answer.status_code, answer.json()["code"]) == (507, "unavailable.storage_full")
    assert leftovers(service) == []
    assert httpx.post(f"{service.url}/predict", files={"files": ("a", photo(1))}).status_code == 200


def test_a_download_that_is_broken_off_leaves_nothing(service: RunningService) -> None:
    url = f"{service.url}/datasets/{httpx.get(f'{service.url}/datasets?q=resumed').json()['items'][0]['id']}/export"
    with httpx.stream("GET", url, timeout=60) as answer:
        assert answer.status_code == 200
    assert leftovers(service) == []


def test_nothing_leaks_into_the_log(service: RunningService) -> None:
    marker = "private-file-name"
    httpx.post(f"{service.url}/predict", files={"files": (f"{marker}.png", photo(2))})
    httpx.post(f"{service.url}/predict", files={"files": (f"{marker}.png", b"bad")})
    assert marker not in service.log.read_text()
