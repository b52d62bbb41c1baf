"""Second start: seconds until the first served prediction, memory of the serving process, and whether it loads torch.

    python -m benchmarks.startup

A first start makes the data folder; the figures are of the starts after it, each in a new process.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
from PIL import Image

from benchmarks.record import ROOT, write_result

STARTS = 5
SETTLED_SECONDS = 10.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def jpeg() -> bytes:
    """A 32 x 32 JPEG of noise."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def start_once(data: Path) -> dict[str, Any]:
    """Figures of one start: the server runs until its first answer and some seconds beyond."""
    port = free_port()
    environment = {**os.environ, "DEEPFAKE_DATA_DIR": str(data), "DEEPFAKE_PORT": str(port)}
    started = time.perf_counter()
    server = subprocess.Popen([sys.executable, "-m", "backend.cli", "serve"], cwd=ROOT, env=environment)
    try:
        answer = _first_answer(port, server)
        seconds = time.perf_counter() - started
        time.sleep(SETTLED_SECONDS)  # the worker processes have started by then
        process = psutil.Process(server.pid)
        maps = Path(f"/proc/{server.pid}/maps").read_text()
        return {
            "seconds_to_prediction": round(seconds, 2),
            "resident_mib": round(process.memory_info().rss / 2**20),
            "torch_loaded": "libtorch" in maps,
            "verdict": answer["predictions"][0]["verdict"],
        }
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _first_answer(port: int, server: subprocess.Popen[bytes]) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/predict"
    while server.poll() is None:
        try:
            answer = requests.post(url, files={"files": ("noise.jpg", jpeg())}, timeout=30)
        except requests.ConnectionError:
            time.sleep(0.02)
            continue
        answer.raise_for_status()
        return dict(answer.json())
    raise SystemExit("the server ended by itself")


def main() -> None:
    """Starts the server several times and writes the result."""
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        first = start_once(Path(folder))
        starts = [start_once(Path(folder)) for _ in range(STARTS)]
    seconds = [start["seconds_to_prediction"] for start in starts]
    figures = {
        "first_start": first,
        "starts": starts,
        "seconds_to_prediction_median": statistics.median(seconds),
        "resident_mib_max": max(start["resident_mib"] for start in starts),
    }
    print(figures)
    print(write_result("startup", figures, seed=0))


if __name__ == "__main__":
    main()
