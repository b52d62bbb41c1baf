"""What uploads, downloads and half-done imports left on the disk of a running service."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.running import RunningService


def uploads(service: RunningService) -> list[str]:
    """Folders of uploads, jobs and downloads that are there now."""
    return sorted(path.name for path in (service.folder / "data" / "jobs").glob("*") if path.is_dir())


def leftovers(service: RunningService, seconds: float = 3.0) -> list[str]:
    """What is still there after a moment: a job that has ended removes its folder just afterwards."""
    deadline = time.monotonic() + seconds
    while True:
        found = uploads(service) + [path.name for path in (service.folder / "data").glob("datasets/.*")]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until that holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def half_an_upload(service: RunningService, path: str) -> socket.socket:
    """A connection over which half of an upload has been sent, and has begun to reach the disk."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: 8000000\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n\r\n"
        '--X\r\nContent-Disposition: form-data; name="archive"; filename="a.zip"\r\n\r\n'
    )
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    connection.sendall(head.encode() + b"x" * 4_000_000)
    jobs = service.folder / "data" / "jobs"
    eventually(lambda: any(file.stat().st_size > 10**6 for file in jobs.rglob("0*")))
    return connection


def peak_growth(service: RunningService, act: Callable[[], object]) -> int:
    """Bytes by which the server's memory rose above its present size at any moment of `act`."""
    process = Path(f"/proc/{service.pid}")
    (process / "clear_refs").write_text("5")  # the peak starts again at the present size
    before = _status(process, "VmRSS")
    act()
    return _status(process, "VmHWM") - before


def _status(process: Path, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", (process / "status").read_text())
    assert found is not None
    return 1024 * int(found[1])
