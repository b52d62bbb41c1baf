"""A real server for tests: `deepfake serve` as its own process, on a free port and folders of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHIPPED = "cifake-*"
"""Folders below models/ that come with the project."""


class RunningService:
    """`start`, `stop` and `kill` a server; it finds its data and models again at the next start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DEEPFAKE_")},
            "DEEPFAKE_DATA_DIR": str(folder / "data"),
            "DEEPFAKE_MODELS_DIR": str(folder / "models"),
            "DEEPFAKE_PORT": str(self.port),
            "DEEPFAKE_WORKERS": "1",  # each takes seconds to start, and the tests keep the cores busy
            "DEEPFAKE_WORKER_NICENESS": "0",  # on a machine that is busy with other tests, 10 would be hardly anything
        }
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "models").mkdir(parents=True)
        for shipped in [*(ROOT / "models").glob(SHIPPED), ROOT / "models" / "backbones"]:
            if shipped.is_dir():
                shutil.copytree(shipped, folder / "models" / shipped.name)

    @property
    def has_shipped_model(self) -> bool:
        """Whether a detector came with the project."""
        return any((self.folder / "models").glob(f"{SHIPPED}/card.json"))

    def start(self, seconds: float = 60.0) -> float:
        """Starts the server and waits until it answers; returns the seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backend.cli", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() - began < seconds:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-4000:]}")

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self._process is not None
        return self._process.pid

    def send_signal(self, number: int) -> None:
        """Sends the server a signal and does not wait."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        """The server's exit status, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        """Asks the server to end and waits for it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def kill(self) -> None:
        """Ends the server at once, as a crash would; its worker processes notice by themselves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port of loopback that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
