"""Where work runs: worker processes, so that a fit never blocks a request and a dead worker's work runs again."""

# mypy: allow-untyped-calls
from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.core.errors import Cancelled, DeepfakeError, Unavailable, Unreachable, WorkerLost
from backend.service.failures import log_failure
from backend.service.signals import WorkerReport, never
from backend.settings import Settings, count_cores

if TYPE_CHECKING:
    from backend.service.cluster import Cluster
    from backend.service.worker import Outcome

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
_START_SECONDS = 120.0
_IDLE_CHECK_SECONDS = 10.0
_NO_WORKER_SECONDS = 120.0
_ROUNDS = 4


@dataclass(frozen=True)
class _Work:
    """What `map` was asked to do. `tick` is called again and again, and raises to end it."""

    function: Callable[[Any], Any]
    items: Sequence[Any]
    on_result: Callable[[int, Any], None]
    tick: Callable[[], None]


class Engine:
    """Runs functions on worker processes. Its methods may be called from several threads at once.

    Functions and items travel as pickles: give paths and small plain values, never arrays.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._starter: threading.Thread | None = None
        self._fault = ""
        self._closed = False

    @property
    def state(self) -> str:
        """stopped, starting, ready, or failed (the next piece of work tries again)."""
        if self._cluster is not None:
            return "ready"
        if self._starter is not None and self._starter.is_alive():
            return "starting"
        return "failed" if self._fault else "stopped"

    def start(self) -> None:
        """Start the worker processes in the background; `map` and `call` wait for them. Again: nothing happens."""
        with self._lock:
            if self._closed or self._cluster is not None or (self._starter is not None and self._starter.is_alive()):
                return
            self._starter = threading.Thread(target=self._open, name="engine-start", daemon=True)
            self._starter.start()

    def wait(self, seconds: float) -> bool:
        """Whether the worker processes run, after at most that long."""
        deadline = time.monotonic() + seconds
        while self.state == "starting" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return self.state == "ready"

    def close(self) -> None:
        """End the worker processes. Work that still runs raises Cancelled."""
        with self._lock:
            self._closed = True
            starter = self._starter
        if starter is not None:
            starter.join()
        self._discard()

    def map(
        self,
        function: Callable[[Any], Any],
        items: Sequence[Any],
        *,
        on_result: Callable[[int, Any], None],
        cancelled: Callable[[], bool] = never,
    ) -> None:
        """Run the function on every item, in any order; `on_result(index, result)` is called in this thread.

        Only a few items are handed out at a time, so memory does not grow with their number. `cancelled` is asked about
        50 times a second, and so is whatever `on_result` raises passed on: then what has not started never will.
        An item whose worker died runs again. Raises what the function raised, Cancelled, Unavailable where no worker
        can be started, or WorkerLost where workers died again and again.
        """

        def tick() -> None:
            if cancelled():
                raise Cancelled("The work was told to stop.")

        self._map(_Work(function, items, on_result, tick))

    def call(
        self,
        function: Callable[..., Any],
        *args: Any,
        cancelled: Callable[[], bool] = never,
        report: WorkerReport | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> Any:
        """What the function returns, run as one piece of work that may use all cores (BLAS threads).

        Where the function is given the same `report`, its progress is passed to `on_progress` in this thread, and it
        stops when the report's flag is set. Raises as `map`.
        """
        results: list[Outcome] = []
        last: tuple[str, int, int] | None = None
        looked = 0.0

        def tick() -> None:
            nonlocal last, looked
            if cancelled():
                raise Cancelled("The work was told to stop.")
            if report is None or on_progress is None or time.monotonic() - looked < report.seconds:
                return
            looked = time.monotonic()
            now = report.read()
            if now is not None and now != last:
                last = now
                on_progress(*now)

        from backend.service.worker import AllCores

        threads = None if self._settings.dask_scheduler_address else count_cores()
        self._map(_Work(AllCores(function, threads), [args], lambda _, result: results.append(result), tick))
        cluster, outcome = self._cluster, results[0]
        if outcome.heavy_worker and cluster is not None:
            cluster.renew_worker(outcome.heavy_worker)
        return outcome.value

    def _map(self, work: _Work) -> None:
        left = deque(range(len(work.items)))
        for _ in range(_ROUNDS):  # more than one only where the scheduler itself was lost
            if not left:
                return
            self._round(self._connected(work.tick), work, left)
        if left:
            raise self._lost(
                f"The connection to the worker processes was lost {_ROUNDS} times.", "Look at the scheduler's log."
            )

    def _lost(self, message: str, hint: str) -> DeepfakeError:
        """What to raise: somebody else's cluster comes back at its own time, so its jobs may wait for it."""
        return (Unreachable if self._settings.dask_scheduler_address else WorkerLost)(message, hint)

    def _round(self, cluster: Cluster, work: _Work, left: deque[int]) -> None:
        """Works `left` off. Returns early, with what is not done back in `left`, where the scheduler was lost."""
        from distributed import as_completed

        from backend.service.worker import Task

        client, task = cluster.client, Task(work.function)
        in_flight = max(2, 2 * cluster.count_threads())
        pending: dict[Any, int] = {}
        completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        moved = checked = time.monotonic()
        try:
            while left or pending:
                work.tick()
                if client.status != "running":
                    return
                while left and len(pending) < in_flight:
                    future = client.submit(task, work.items[left[0]], pure=False)
                    pending[future] = left.popleft()
                    completed.add(future)
                batch = completed.next_batch(block=False)
                for future, result in batch:
                    if future.status in ("cancelled", "lost"):
                        return
                    if future.status == "error":
                        _raise(*result)
                    index = pending.pop(future)
                    future.release()
                    work.on_result(index, result)
                now = time.monotonic()
                if batch:
                    moved = now
                elif now - max(moved, checked) > _IDLE_CHECK_SECONDS:
                    moved, checked = self._require_workers(cluster, moved), now
                else:
                    time.sleep(_POLL_SECONDS)
        finally:
            left.extendleft(pending.values())
            if pending and client.status == "running":
                with suppress(OSError):  # the scheduler may be lost at this very moment
                    client.cancel(list(pending), force=True)

    def _require_workers(self, cluster: Cluster, moved: float) -> float:
        """The time since which work could be done; raises where there has been no worker for two minutes."""
        if cluster.count_threads():
            return time.monotonic()
        if time.monotonic() - moved > _NO_WORKER_SECONDS:
            self._discard()
            raise self._lost("No worker process is left, and none came back.", "Look at the log, then repeat the job.")
        return moved

    def _connected(self, tick: Callable[[], None]) -> Cluster:
        """The cluster as soon as it runs; started, or connected to anew, where it does not."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            tick()
            cluster = self._cluster
            if cluster is not None and cluster.client.status == "running":
                return cluster
            if self._closed:
                raise Cancelled("The worker processes are being stopped.")
            if time.monotonic() > deadline:
                reason = self._fault or "it takes too long"
                if self._settings.dask_scheduler_address:
                    raise Unreachable(f"The scheduler cannot be reached: {reason}.", "Start it again.")
                raise Unavailable(f"No worker process could be started: {reason}.")
            if cluster is not None and cluster.client.status == "closed":
                self._discard()
            if self.state == "failed":
                time.sleep(1.0)
            if self._cluster is None:
                self.start()
            time.sleep(_POLL_SECONDS)

    def _open(self) -> None:
        from backend.service.cluster import open_cluster

        try:
            cluster = open_cluster(self._settings)
        except Exception as error:
            self._fault = f"{type(error).__name__}: {error}"
            log_failure(logger, "The worker processes could not be started", error)
        else:
            self._fault, self._cluster = "", cluster

    def _discard(self) -> None:
        with self._lock:
            cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()


def _raise(_kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        raise WorkerLost(
            f"Worker processes died on the same piece of work, {error.allowed_failures + 1} times in a row.",
            "Most often memory is short (DEEPFAKE_WORKER_MEMORY, smaller images or a smaller input size).",
        ) from error
    raise error.with_traceback(traceback)
