"""How a job and the worker processes talk: by small files in the job's folder, since a worker sees paths only.

One file says whose turn it is: a worker goes on as long as it names the start of the job that the work belongs to. So
work stops when the job is cancelled, when another server has taken the job over, and when the job and its folder are
gone. A second file says how far the work is. Both survive the death of either side.
"""

from __future__ import annotations

import json
import time

from backend.core.errors import Cancelled, Unreachable
from backend.service.storage import is_local, read_bytes, write_bytes
from backend.settings import StorePath

_REPORT_SECONDS = 0.25
_DISTANT_SECONDS = 1.0
"""Between two requests to an object store; a local file costs nothing to look at."""


def never() -> bool:
    """False: nobody cancels."""
    return False


class Turn:
    """True when called once the work should stop: the file does not name this start of the job. Can be sent to workers.

    `token` is the start's own name. An object store is asked once a second at most, and one that does not answer stops
    nobody.
    """

    def __init__(self, path: StorePath, token: str) -> None:
        self.path, self.token = path, token
        self._asked = float("-inf")

    def __reduce__(self) -> tuple[type[Turn], tuple[StorePath, str]]:
        return type(self), (self.path, self.token)

    def take(self) -> None:
        """Make it this start's turn; the work of every earlier start stops."""
        write_bytes(self.path, self.token.encode())

    def end(self) -> None:
        """Tell everybody who looks to stop."""
        write_bytes(self.path, b"")

    def __call__(self) -> bool:
        if not is_local(self.path):
            if time.monotonic() - self._asked < _DISTANT_SECONDS:
                return False
            self._asked = time.monotonic()
        return self.is_over()

    def is_over(self) -> bool:
        """As a call, but asks the store each time."""
        try:
            return read_bytes(self.path).decode() != self.token
        except FileNotFoundError:
            return True
        except Unreachable:
            return False


class WorkerReport:
    """A progress callback (stage, done, total) for a worker process; it raises Cancelled once the turn is over."""

    def __init__(self, turn: Turn, path: StorePath) -> None:
        self.turn, self.path = turn, path
        self.seconds = _REPORT_SECONDS if is_local(path) else _DISTANT_SECONDS
        self._written = 0.0
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self.turn():
            raise Cancelled("The job was told to stop.")
        now = time.monotonic()
        if stage == self._stage and done < total and now - self._written < self.seconds:
            return
        self._written, self._stage = now, stage
        try:
            write_bytes(self.path, json.dumps([stage, int(done), int(total)]).encode())
        except Unreachable:  # only the figure is late
            return

    def read(self) -> tuple[str, int, int] | None:
        """The last (stage, done, total) that a worker wrote, or None."""
        try:
            stage, done, total = json.loads(read_bytes(self.path))
        except (FileNotFoundError, Unreachable):
            return None
        return str(stage), int(done), int(total)
