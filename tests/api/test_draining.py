"""The end of a server: not ready at once, serving for a while, nobody cut off; and what it logged until then."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pictures import photo
from tests.running import RunningService

DRAIN = 4.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningService]:
    service = RunningService(tmp_path / "service")
    service.environment |= {"DEEPFAKE_DRAIN_SECONDS": str(DRAIN), "DEEPFAKE_LOG_FORMAT": "json"}
    service.start()
    yield service
    service.kill()


def multipart(data: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of one picture with a name that nobody should find in a log."""
    request = httpx.Request("POST", "http://x/predict", files={"files": ("secret-name.png", data)})
    return {"Content-Type": request.headers["Content-Type"]}, request.read()


def log_of(service: RunningService) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.read_text().splitlines()]


class SlowUpload:
    """A prediction whose body's end is held back."""

    def __init__(self, service: RunningService, data: bytes) -> None:
        headers, self.body = multipart(data)
        self.socket = socket.create_connection(("127.0.0.1", service.port))
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(self.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(head.encode() + b"\r\n" + self.body[:50])

    def finish(self) -> bytes:
        self.socket.sendall(self.body[50:])
        answer = b""
        while piece := self.socket.recv(65536):
            answer += piece
        self.socket.close()
        return answer


def test_nobody_is_cut_off(server: RunningService) -> None:
    if not server.has_shipped_model:
        pytest.skip("no detector came with the project")
    headers, body = multipart(photo(1))
    assert httpx.post(f"{server.url}/predict", content=body, headers=headers, timeout=30).status_code == 200
    slow = SlowUpload(server, photo(2))
    outcomes: list[int | str] = []
    told = time.monotonic()

    def ask_until_refused() -> None:
        while time.monotonic() < told + DRAIN + 5:
            try:
                answer = httpx.post(f"{server.url}/predict", content=body, headers=headers, timeout=30)
            except httpx.ConnectError:
                return  # a new connection is not taken any more: that request was never begun
            outcomes.append(answer.status_code)

    with ThreadPoolExecutor(3) as threads:
        asked = {"name": "demo", "source": "demo"}
        importing = threads.submit(httpx.post, f"{server.url}/datasets?wait=60", json=asked, timeout=70)
        asking = [threads.submit(ask_until_refused) for _ in range(2)]
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        told = time.monotonic()
        time.sleep(0.1)
        ready = httpx.get(f"{server.url}/ready", timeout=5)
        assert (ready.status_code, ready.json()["code"]) == (503, "unavailable.not_ready")
        assert not ready.json()["checks"]["serving"]["ok"]
        assert ready.headers["connection"] == "close"
        assert httpx.get(f"{server.url}/health", timeout=5).status_code == 200
        for thread in asking:
            thread.result()
        assert time.monotonic() - told > DRAIN * 0.8
        assert set(outcomes) == {200}
        assert importing.result().status_code == 202  # it does not wait any longer
        assert slow.finish().startswith(b"HTTP/1.1 200 ")  # after the last connection was taken
    server.wait()
    with closing(sqlite3.connect(server.folder / "data" / "deepfake.db")) as database:
        states = database.execute("SELECT state FROM jobs").fetchall()
    assert states in ([("queued",)], [("done",)])  # the next server goes on with it
    assert not [line for line in log_of(server) if line["level"] == "error"]


def test_a_request_is_one_line_without_anything_secret(server: RunningService) -> None:
    headers, body = multipart(photo(1))
    named = {"X-Request-ID": "from-the-proxy.1", "Authorization": "Bearer dfk_wrong_key"}
    httpx.post(f"{server.url}/predict?secret=parameter", content=body, headers={**headers, **named}, timeout=30)
    httpx.get(f"{server.url}/models/secret-id", headers={"X-Request-ID": 'bad"id'})
    kept = httpx.get(f"{server.url}/models", headers={"X-Request-ID": "a" * 64})
    replaced = httpx.get(f"{server.url}/models", headers={"X-Request-ID": "a" * 65})
    httpx.get(f"{server.url}/health")
    assert kept.headers["x-request-id"] == "a" * 64
    assert replaced.headers["x-request-id"] != "a" * 65
    server.send_signal(signal.SIGTERM)
    while httpx.get(f"{server.url}/ready").json().get("status") == "ready":
        time.sleep(0.05)
    server.send_signal(signal.SIGTERM)  # the second one does not wait for the rest of the draining
    server.wait()
    ends = [line["time"] for line in log_of(server) if line["message"].startswith(("Told to end", "Shutting down"))]
    told, shut = (datetime.fromisoformat(end) for end in ends)
    assert (shut - told).total_seconds() < DRAIN
    lines = [line for line in log_of(server) if line["logger"] == "deepfake.access"]
    asked = [line["message"] for line in lines]
    assert asked[:4] == ["POST /predict", "GET /models/{model_id}", "GET /models", "GET /models"]
    first = lines[0]
    assert first["request_id"] == "from-the-proxy.1"
    assert first["status"] in (401, 422)
    assert first["address"] == "127.0.0.1"
    assert first["ms"] >= 0
    assert first["bytes_out"] > 0
    text = server.log.read_text()
    assert not [word for word in ("secret", "dfk_wrong", 'bad"id', "bad\\") if word in text]
