"""How a job and the worker processes talk: by small files in the job's folder, since a worker sees paths only.

A worker process is told to stop through a flag file, and says how far it is through a progress file. Both survive the
death of either side, and cost a `stat` each time they are asked.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from backend.core.errors import Cancelled

_REPORT_SECONDS = 0.25


def never() -> bool:
    """False: nobody cancels."""
    return False


@dataclass(frozen=True)
class StopFlag:
    """True when called once the work should stop. Can be sent to a worker process."""

    path: Path

    def __call__(self) -> bool:
        return self.path.exists()

    def set(self) -> None:
        """Tell everybody who looks to stop."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()


class WorkerReport:
    """A progress callback (stage, done, total) for a worker process; it raises Cancelled once the flag is set."""

    def __init__(self, flag: StopFlag, path: Path) -> None:
        self.flag, self.path = flag, path
        self._written = 0.0
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self.flag():
            raise Cancelled("The job was told to stop.")
        now = time.monotonic()
        if stage == self._stage and done < total and now - self._written < _REPORT_SECONDS:
            return
        self._written, self._stage = now, stage
        partial = self.path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps([stage, int(done), int(total)]))
        partial.replace(self.path)

    def read(self) -> tuple[str, int, int] | None:
        """The last (stage, done, total) that a worker wrote, or None."""
        try:
            stage, done, total = json.loads(self.path.read_text())
        except FileNotFoundError:
            return None
        return str(stage), int(done), int(total)
