"""Clients that hold connections open and hardly send: the service goes on answering everybody else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from backend.api import problems
from backend.api.limits import BodyLimit
from tests.api.serving import serving
from tests.pictures import photo
from tests.running import RunningService

MOST = 64
SECONDS = 3.0
"""Other clients wait no longer than this while the slow ones are there; alone they wait milliseconds."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A server that takes few connections."""
    service = RunningService(tmp_path_factory.mktemp("slow"))
    service.environment["DEEPFAKE_MAX_CONNECTIONS"] = str(MOST)
    service.start()
    yield service
    service.stop()


@contextmanager
def clients(service: RunningService, count: int, first_bytes: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent only these bytes."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            client.sendall(first_bytes)
            opened.append(client)
        yield opened


def head(service: RunningService, path: str = "/predict") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: 100000\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n\r\n--X\r\n"
    ).encode()


def others_are_answered(service: RunningService) -> None:
    began = time.monotonic()
    assert httpx.get(f"{service.url}/health", timeout=SECONDS).status_code == 200
    answer = httpx.post(f"{service.url}/predict", files={"files": ("a", photo(1))}, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    assert time.monotonic() - began < SECONDS


def files_of(service: RunningService) -> int:
    return len(list(Path(f"/proc/{service.pid}/fd").iterdir()))


def test_heads_that_trickle_take_nobodys_place(service: RunningService) -> None:
    others_are_answered(service)
    before = files_of(service)
    with clients(service, 5 * MOST, b"GET /health HTTP/1.1\r\nX-Slow: ") as slow:
        for _ in range(3):
            others_are_answered(service)
            assert files_of(service) <= before + MOST + 40  # its worker processes may start meanwhile
            for client in slow[-MOST // 2 :]:
                client.sendall(b"a")


def test_bodies_that_trickle_leave_room_for_others(service: RunningService) -> None:
    with clients(service, MOST // 2, head(service)) as slow:
        for client in slow:
            client.sendall(b"C")
        others_are_answered(service)


def test_a_server_full_of_requests_says_so_and_recovers(service: RunningService) -> None:
    with clients(service, MOST, head(service)):
        deadline = time.monotonic() + SECONDS
        while (answer := httpx.get(f"{service.url}/health", timeout=SECONDS)).status_code == 200:
            assert time.monotonic() < deadline
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable.connections")
        assert int(answer.headers["retry-after"]) > 0
    deadline = time.monotonic() + SECONDS
    while httpx.get(f"{service.url}/health", timeout=SECONDS).status_code != 200:
        assert time.monotonic() < deadline
    others_are_answered(service)


def test_a_body_below_the_least_pace_is_given_up() -> None:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(BodyLimit, max_upload_bytes=10**6, upload_paths=["/upload"], grace_seconds=0.5)

    @app.post("/upload")
    async def upload(request: Request) -> int:
        return len(await request.body())

    with serving(app) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        client.settimeout(0.05)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < 9:  # a byte in 50 ms is never idle for long
            client.sendall(b"a")
            try:
                answer = client.recv(1000)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")
