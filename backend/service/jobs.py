"""Jobs as records: queued, running, done, failed or cancelled. `runner.py` runs them, in this process or another."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.core.errors import Conflict, InvalidInput, NotFound, QueueFull, Unreachable
from backend.service.database import Database, utc_now
from backend.service.storage import copy_in, exists, list_tree, remove_tree
from backend.service.tables import JobRow, ProgressRow
from backend.settings import Settings, StorePath, store_path

STATES = ("queued", "running", "done", "failed", "cancelled")
FINISHED = frozenset({"done", "failed", "cancelled"})

IMAGE_STAGES = frozenset({"import", "gather", "fine-tune", "features", "profile", "robustness"})
"""Stages whose progress counts images; others count bytes, chunks or per cent."""

_POLL_SECONDS = 0.1
_ID = re.compile(r"[a-z0-9][a-z0-9-]{7,127}")


@dataclass(frozen=True)
class JobProgress:
    """How far a job is in its stage; speed and time left are of the stage, and None while they cannot be told."""

    stage: str
    done: int
    total: int
    images_per_second: float | None  # of work done now, in IMAGE_STAGES; what a cache held counts in `done` only
    seconds_left: float | None


@dataclass(frozen=True)
class Job:
    """One job as it stood when it was read. Times are ISO 8601 in UTC."""

    id: str
    kind: str
    state: str  # one of STATES
    params: dict[str, Any]
    result: dict[str, Any] | None
    reason: str | None  # of a failure: a sentence
    error_code: str | None  # of a failure: as in the error tree
    progress: JobProgress | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    attempts: int
    cancel_requested: bool

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    def to_json(self) -> dict[str, Any]:
        """The job as plain JSON values."""
        return asdict(self)


JobList = list[Job]
"""Named here because the class below has a method `list`."""


class Jobs:
    """Submits, reads, cancels and repeats jobs. Any process with the same database may do so for any job."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.root = settings.spool_dir
        self.shared_root: StorePath = settings.data_dir / "jobs"
        self.submitted = threading.Event()  # wakes the runner of this process at once

    def folder(self, job_id: str) -> Path:
        """Where a job's uploads are received on this machine. `submit` moves them where every process finds them."""
        return self.root / job_id

    def shared_folder(self, job_id: str) -> StorePath:
        """Where a job keeps its uploads and signals, made by whoever writes there first; gone when it has ended."""
        return self.shared_root / job_id

    def remove_folders(self, job_id: str) -> None:
        """Removes a job's uploads and signals."""
        for folder in {self.folder(job_id), self.shared_folder(job_id)}:
            remove_tree(folder)

    def require_room(self) -> None:
        """Raises QueueFull when no further job would be taken: ask before a large upload is received."""
        with self.database.reading() as session:
            self._require_room(session)

    def submit(self, kind: str, params: Mapping[str, Any], id: str | None = None) -> Job:
        """A new job in the queue, of that id or a new one; it owns what was received in its folder.

        Raises QueueFull, or Conflict where the id is taken.
        """
        job_id = id or new_job_id()
        if not _ID.fullmatch(job_id):
            raise InvalidInput(f"{job_id!r} cannot name a job.", "Use 8 to 128 characters of a-z, 0-9 and -.")
        row = JobRow(
            id=job_id,
            kind=kind,
            state="queued",
            params=self._with_shared_upload(job_id, params),
            created_at=utc_now(),
            attempts=0,
            cancel_requested=False,
        )
        try:
            with self.database.session() as session:
                self._require_room(session)
                session.add(row)
                session.flush()
                job = read_job(row, None)
        except QueueFull:
            if self._moves_uploads:
                remove_tree(self.shared_folder(job_id))
            raise
        if self._moves_uploads:
            remove_tree(self.folder(job_id))
        self.submitted.set()
        return job

    @property
    def _moves_uploads(self) -> bool:
        return self.shared_root != self.root

    def _with_shared_upload(self, job_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with the upload that they name copied to where every process finds it."""
        source, folder = params.get("source") or {}, self.folder(job_id)
        path = str(source.get("path", ""))
        if not (self._moves_uploads and path and Path(path).is_relative_to(folder)):
            return dict(params)
        shared = self.shared_folder(job_id)
        upload = Path(path) if Path(path).is_dir() else Path(path).parent
        for name in list_tree(upload):
            copy_in(upload / name, shared / upload.relative_to(folder) / name)
        return {**params, "source": {**source, "path": str(shared / Path(path).relative_to(folder))}}

    def get(self, job_id: str) -> Job:
        """The job as it is now. Raises NotFound."""
        with self.database.reading() as session:
            row = _find(session, job_id)
            return read_job(row, session.get(ProgressRow, job_id))

    def list(
        self, state: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[Job], int]:
        """A page of the jobs, newest first, and the number of all that match."""
        if state is not None and state not in STATES:
            raise InvalidInput(f"There is no state {state!r}.", f"The states are {', '.join(STATES)}.")
        given = {JobRow.state: state, JobRow.kind: kind}
        wanted = [column == value for column, value in given.items() if value is not None]
        page = (
            select(JobRow, ProgressRow)
            .outerjoin(ProgressRow, ProgressRow.job_id == JobRow.id)
            .where(*wanted)
            .order_by(JobRow.created_at.desc(), JobRow.id)
            .limit(limit)
            .offset(offset)
        )
        with self.database.reading() as session:
            total = session.scalar(select(func.count(JobRow.id)).where(*wanted)) or 0
            return [read_job(row, progress) for row, progress in session.execute(page)], total

    def unfinished(self) -> JobList:
        """All jobs that wait or run, as of one moment: none is missed because it goes back to the queue meanwhile."""
        with self.database.reading() as session:
            rows = session.scalars(select(JobRow).where(JobRow.state.not_in(FINISHED)))
            return [read_job(row, None) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """The job, told to stop: a waiting one is cancelled at once, a running one within a second or so.

        Raises NotFound, or Conflict when it has ended already.
        """
        with self.database.session() as session:
            row = _find(session, job_id, for_update=True)
            if row.state in FINISHED:
                raise Conflict(f"The job {job_id!r} has ended already: {row.state}.", "There is nothing to cancel.")
            row.cancel_requested = True
            if row.state == "queued":
                row.state, row.finished_at = "cancelled", utc_now()
        job = self.get(job_id)
        if job.state == "cancelled":
            with suppress(Unreachable):  # it is cancelled all the same; the folder is swept later
                self.remove_folders(job_id)
        return job

    def retry(self, job_id: str) -> Job:
        """A failed or cancelled job, back in the queue; what it finished before is not done again.

        Raises NotFound, QueueFull, or Conflict when it has not failed or the files uploaded for it are gone.
        """
        with self.database.session() as session:
            row = _find(session, job_id, for_update=True)
            if row.state not in ("failed", "cancelled"):
                raise Conflict(f"The job {job_id!r} is {row.state}.", "Only a failed or cancelled job can be repeated.")
            path = str((row.params.get("source") or {}).get("path", ""))
            if path.startswith(f"{self.shared_folder(job_id)}/") and not exists(store_path(path)):
                raise Conflict("The files that were uploaded for this job are gone.", "Send them again as a new job.")
            self._require_room(session)
            row.state, row.attempts, row.cancel_requested = "queued", 0, False
            row.reason = row.error_code = row.started_at = row.finished_at = None
            session.execute(delete(ProgressRow).where(ProgressRow.job_id == job_id))
            job = read_job(row, None)
        self.submitted.set()
        return job

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job as soon as it has ended, or as it is after that many seconds. Raises NotFound."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.get(job_id)
            left = deadline - time.monotonic()
            if job.finished or left <= 0:
                return job
            time.sleep(min(_POLL_SECONDS, left))

    def _require_room(self, session: Session) -> None:
        waiting = session.scalar(select(func.count()).where(JobRow.state == "queued")) or 0
        if waiting >= self.settings.max_queued_jobs:
            raise QueueFull(f"{waiting} jobs wait already.", "Try again when some of them have ended.")


def named_datasets(params: Mapping[str, Any]) -> set[str]:
    """The data sets, by id or name, that a job of these parameters reads."""
    several = {str(name) for name in params.get("dataset_ids", ())}
    several |= {str(one["dataset_id"]) for one in params.get("enrol", ()) if "dataset_id" in one}
    return several | ({str(params["dataset_id"])} if "dataset_id" in params else set())


def new_job_id() -> str:
    """A new id of 16 hexadecimal digits."""
    return secrets.token_hex(8)


def read_job(row: JobRow, progress: ProgressRow | None) -> Job:
    """The record of a row and its progress."""
    return Job(
        id=row.id,
        kind=row.kind,
        state=row.state,
        params=row.params,
        result=row.result,
        reason=row.reason,
        error_code=row.error_code,
        progress=None if progress is None else _measure(progress, running=row.state == "running"),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        cancel_requested=row.cancel_requested,
    )


def _measure(row: ProgressRow, *, running: bool) -> JobProgress:
    seconds, worked = row.updated_at - row.started_at, row.done - row.already_done
    rate = worked / seconds if seconds > 0 and worked > 0 else None
    left = None
    if running and rate is not None:
        left = round(max(0.0, (row.total - row.done) / rate - max(0.0, time.time() - row.updated_at)), 1)
    speed = None if rate is None or row.stage not in IMAGE_STAGES else round(rate, 1)
    return JobProgress(row.stage, row.done, row.total, speed, left)


def _find(session: Session, job_id: str, *, for_update: bool = False) -> JobRow:
    row = session.get(JobRow, job_id, with_for_update=True if for_update else None)
    if row is None:
        raise NotFound(f"There is no job {job_id!r}.", "GET /jobs lists the jobs that exist.")
    return row
