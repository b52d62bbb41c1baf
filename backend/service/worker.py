"""What runs in a worker process around each piece of work. Imports nothing heavy: every worker loads it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from backend.core.errors import ConfigError
from backend.service.heap import freed_memory_kept, trim_memory
from backend.service.storage import sweep_scratch


class WorkerManners(WorkerPlugin):
    """Makes each worker process, a restarted one too, stand back behind the process that answers requests."""

    name = "manners"

    def __init__(self, niceness: int) -> None:
        self.niceness = niceness

    def setup(self, worker: Any) -> None:
        """Lower the priority of every thread, and leave Ctrl-C to the process that owns this one."""
        be_nice(self.niceness)
        with suppress(ConfigError, OSError):  # what cannot be swept is in nobody's way
            sweep_scratch()
        # The engine raises what a task raised, and its caller decides what of it is worth a line in the log.
        logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)
        if worker.nanny is not None:  # a worker that we started; an external one keeps its own habits
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def be_nice(niceness: int) -> None:
    """Give every thread of this process that niceness: on Linux each has its own, and only new threads inherit it."""
    tasks = Path("/proc/self/task")
    threads = [int(task.name) for task in tasks.iterdir()] if tasks.exists() else [0]
    for thread in threads:
        try:
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
        except (ProcessLookupError, PermissionError):  # it has just ended, or is nicer already
            continue


@dataclass(frozen=True)
class Task:
    """A function of one item that keeps the memory it frees, and gives it back to the system afterwards."""

    function: Callable[[Any], Any]

    def __call__(self, item: Any) -> Any:
        try:
            with freed_memory_kept():
                return self.function(item)
        finally:
            trim_memory()


@dataclass(frozen=True)
class Outcome:
    """What a call returned, and the address of its worker if that has become too heavy to be kept."""

    value: Any
    heavy_worker: str


@dataclass(frozen=True)
class AllCores:
    """A function that gets its arguments as one tuple and may use `threads` BLAS threads (None: one a core)."""

    function: Callable[..., Any]
    threads: int | None

    def __call__(self, arguments: tuple[Any, ...]) -> Outcome:
        import scipy.linalg  # noqa: F401  (brings its own BLAS: it must be loaded before the limits are lifted)
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=self.threads or len(os.sched_getaffinity(0))):
            value = self.function(*arguments)
        return Outcome(value, get_worker().address if "torch" in sys.modules else "")
