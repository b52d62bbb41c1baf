"""`deepfake serve --web`, which is what `make run` starts: both parts answer, and one signal ends both."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.pictures import photo
from tests.running import ROOT, RunningService, free_port


@pytest.fixture
def folders(tmp_path: Path) -> RunningService:
    """Folders and environment of a service that is not started."""
    return RunningService(tmp_path / "service")


@pytest.fixture
def both(folders: RunningService) -> Iterator[tuple[subprocess.Popen[str], list[str], list[str]]]:
    """The running command, the addresses of API and web app, and what it printed until it was ready."""
    web_port = free_port()
    with folders.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli", "serve", "--web", "--web-port", str(web_port)],
            cwd=ROOT,
            env=folders.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith("Ready."):
            break
    yield process, [folders.url, f"http://127.0.0.1:{web_port}"], printed
    process.terminate()
    process.wait(40)
    process.stdout.close()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def greeting(url: str, name: str) -> bytes:
    """How the web app answers a page of its own address, which the browser knows by that name."""
    port = int(url.rpartition(":")[2])
    head = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {name}:{port}\r\nOrigin: http://{name}:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode())
        return connection.recv(4096)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_both_addresses_once_they_answer_and_a_signal_stops_both(both, folders, number: int) -> None:
    process, urls, printed = both
    text = "".join(printed)
    assert text.endswith("Ready. Ctrl-C stops both.\n"), text + folders.log.read_text()
    assert "detector" in text.lower()
    assert f"http://127.0.0.1:{folders.port}" in text
    assert all(url in text for url in urls)
    assert answers(f"{urls[0]}/health")
    assert answers(urls[1])
    assert greeting(urls[1], "127.0.0.1").startswith(b"HTTP/1.1 101 ")
    assert greeting(urls[1], "rebound.example").startswith(b"HTTP/1.1 403 ")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    process.send_signal(number)
    assert process.wait(40) == 0
    assert not any(answers(url) for url in urls)
    deadline = time.monotonic() + 10
    while any(member.is_running() for member in family) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [member for member in family if member.is_running()]


def test_a_port_in_use_is_said_at_once(running: RunningService) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "backend.cli", "serve", "--web", "--web-port", str(free_port())],
        cwd=ROOT,
        env=running.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert ran.returncode == 1
    assert str(running.port) in ran.stderr
    assert "PORT" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_api_process_is_small_and_never_imports_torch(folders: RunningService) -> None:
    """Under 400 MiB once it has predicted, where a detector came with the project."""
    folders.start()
    try:
        if folders.has_shipped_model:
            files = {"files": ("grey.png", photo())}
            assert requests.post(f"{folders.url}/predict", files=files, timeout=60).status_code == 200
        process = psutil.Process(folders.pid)
        assert process.memory_info().rss < 400 * 2**20
        assert not [mapped.path for mapped in process.memory_maps() if "libtorch" in mapped.path]
    finally:
        folders.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends the children of a killed process")
def test_when_it_is_killed_neither_part_stays_behind(both) -> None:
    process, urls, _ = both
    family = psutil.Process(process.pid).children(recursive=True)
    process.stdout.close()
    process.kill()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    assert not any(answers(url) for url in urls)
