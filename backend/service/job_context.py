"""What a running job is given: its folder, its progress, and the question whether to go on."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from backend.core.errors import Cancelled, DeepfakeError, Unreachable
from backend.service.jobs import FINISHED, Job, Jobs
from backend.service.signals import Turn, WorkerReport
from backend.service.storage import last_changed, remove_tree
from backend.service.tables import JobRow, ProgressRow

logger = logging.getLogger(__name__)

_ORPHAN_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class _Progress:
    stage: str
    done: int
    total: int
    already_done: int
    started_at: float
    updated_at: float


class JobContext:
    """One start of one job. `progress` is the callback that all layers take: it raises Cancelled to end the work."""

    def __init__(self, job: Job, service: Any, jobs: Jobs) -> None:
        self.job_id, self.service, self._database = job.id, service, jobs.database
        self._jobs, self.folder = jobs, jobs.shared_folder(job.id)
        start = secrets.token_hex(4)
        self.turn = Turn(self.folder / "turn", start)
        self.turn.take()
        self.report = WorkerReport(self.turn, self.folder / f"progress-{start}.json")
        self.cancel_requested = self.stopping = self.abandoned = False
        self._halt = threading.Event()
        self._progress: _Progress | None = None
        self._written: _Progress | None = None

    def cancelled(self) -> bool:
        """Whether the job should stop: somebody cancelled it, or this process ends, or another took the job over."""
        return self._halt.is_set()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Note how far the job is. Raises Cancelled when it should stop.

        The first call of a stage says how much was there already: the speed counts from it. Costs nothing; the runner
        writes the last value to the database a few times a second.
        """
        if self._halt.is_set():
            raise Cancelled("The job was told to stop.")
        now, last = time.time(), self._progress
        if last is None or last.stage != stage:
            self._progress = _Progress(stage, int(done), int(total), int(done), now, now)
        else:
            self._progress = _Progress(stage, int(done), int(total), last.already_done, last.started_at, now)

    def cancel(self) -> None:
        """Make the job stop because somebody asked for it."""
        self.cancel_requested = True
        self._stop_all()

    def stop(self) -> None:
        """Make the job stop because this process ends; it will be resumed."""
        self.stopping = True
        self._stop_all()

    def abandon(self) -> None:
        """Make the job stop because another process runs it now; nothing more is written about it here."""
        self.abandoned = True
        self._stop_all()

    def goes_on_elsewhere(self, error: Exception) -> bool:
        """Whether, after `error`, another start of this job goes on with what is done: then none of it is removed.

        A server that was cut off may not know yet that another has taken its job over; the turn tells it.
        """
        if self.stopping or self.abandoned or isinstance(error, Unreachable):
            return True
        return not self.cancel_requested and self.turn.is_over()

    def write_progress(self) -> None:
        """Bring the last progress into the database if it is not there yet."""
        last = self._progress
        if last is None or last is self._written or self.abandoned:
            return
        values = {"job_id": self.job_id, **vars(last)}
        with self._database.session() as session:
            self._database.upsert(session, ProgressRow, values, "job_id")
        self._written = last

    def remove_folder(self) -> None:
        """Remove the job's uploads and flags."""
        self._jobs.remove_folders(self.job_id)

    def _stop_all(self) -> None:
        if not self._halt.is_set():
            self._halt.set()
            if not self.abandoned:  # else it is the other server's turn
                try:
                    self.turn.end()
                except (DeepfakeError, OSError) as error:  # workers that cannot be told end what they hold
                    logger.warning("The workers of job %s could not be told to stop: %s", self.job_id, error)


def sweep_folders(jobs: Jobs) -> None:
    """Removes folders of no waiting or running job that nothing has touched for a day: a killed server left them."""
    for root in {jobs.root, jobs.shared_root}:
        for name, changed in last_changed(root).items():
            if time.time() - changed < _ORPHAN_SECONDS:
                continue
            with jobs.database.reading() as session:
                state = session.scalar(select(JobRow.state).where(JobRow.id == name))
            if state is None or state in FINISHED:
                remove_tree(root / name)
