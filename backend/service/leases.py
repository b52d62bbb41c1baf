"""Who runs a job: a lease in the database, so that a job has one owner at a time and never stays with a dead one."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.core.errors import WorkerLost
from backend.service.database import Database, utc_now
from backend.service.jobs import Job, read_job
from backend.service.tables import JobRow, ProgressRow


@dataclass(frozen=True)
class Owner:
    """One runner in one process. The first four parts tell others on the same machine whether that process lives."""

    host: str
    boot: str  # of this start of the machine
    namespace: str  # of process ids: two containers may both have a process 1
    process: str  # id and start time: ids are used again
    token: str  # several runners of one process

    def __str__(self) -> str:
        return "|".join((self.host, self.boot, self.namespace, self.process, self.token))


def current_owner() -> Owner:
    """A new owner in this process."""
    return Owner(socket.gethostname()[:64], _boot(), _namespace(), _process(os.getpid()), secrets.token_hex(4))


def owner_is_dead(text: str) -> bool:
    """True when the owner was a process of this machine that no longer exists; False also where that cannot be told."""
    parts = text.split("|")
    if len(parts) != 5:
        return False
    host, boot, namespace, process, _ = parts
    if (host, boot, namespace) != (socket.gethostname()[:64], _boot(), _namespace()):
        return False
    try:
        return _process(int(process.partition("@")[0])) != process
    except psutil.NoSuchProcess:
        return True


def _process(pid: int) -> str:
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:  # dead, but its parent has not asked yet
        raise psutil.NoSuchProcess(pid)
    return f"{pid}@{process.create_time():.2f}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


class Leases:
    """Takes, renews and returns the jobs of one owner."""

    def __init__(self, database: Database, seconds: float, max_attempts: int) -> None:
        self.database, self.seconds, self.max_attempts = database, seconds, max_attempts
        self.owner = current_owner()

    def claim(self, running: Collection[str] = ()) -> Job | None:
        """The next job to run, now leased to this owner, or None.

        The oldest job first, whether it waits or was left behind by an owner that died or fell silent. One that was to
        be cancelled, or has been started too often, ends here instead. `running` are this owner's jobs at the moment:
        after a pause of the whole process, or a jump of the clock, their leases look as if nobody kept them.
        """
        unfinished = (
            select(JobRow)
            .where(JobRow.state.in_(("queued", "running")), JobRow.id.not_in(running))
            .order_by(JobRow.created_at, JobRow.id)
        )
        with self.database.reading() as session:
            now = self.database.now(session)
            if not any(self._is_free(row, now) for row in session.scalars(unfinished)):
                return None
        with self.database.session() as session:
            now = self.database.now(session)
            for row in session.scalars(unfinished.with_for_update(skip_locked=True)):
                if not self._is_free(row, now):
                    continue
                if row.cancel_requested:
                    _end(row, "cancelled")
                elif row.attempts >= self.max_attempts:
                    _end(row, "failed")
                    row.error_code = WorkerLost.code
                    row.reason = (
                        f"The job was started {row.attempts} times, and each time its server died before it ended."
                    )
                else:
                    row.state, row.started_at = "running", row.started_at or utc_now()
                    row.attempts += 1
                    row.lease_owner, row.lease_until = str(self.owner), now + self.seconds
                    return read_job(row, session.get(ProgressRow, row.id))
        return None

    def renew(self, job_ids: Collection[str]) -> set[str]:
        """Those of the jobs that are still this owner's, their leases prolonged."""
        if not job_ids:
            return set()
        with self.database.session() as session:
            session.execute(
                update(JobRow)
                .where(*self._mine(), JobRow.id.in_(job_ids))
                .values(lease_until=self.database.now(session) + self.seconds)
            )
            return set(session.scalars(select(JobRow.id).where(*self._mine(), JobRow.id.in_(job_ids))))

    def cancel_requests(self, job_ids: Collection[str]) -> set[str]:
        """Those of the jobs that somebody wants cancelled."""
        if not job_ids:
            return set()
        with self.database.reading() as session:
            return set(session.scalars(select(JobRow.id).where(JobRow.id.in_(job_ids), JobRow.cancel_requested)))

    def finish(
        self,
        job_id: str,
        state: str,
        *,
        result: dict[str, Any] | None = None,
        reason: str | None = None,
        code: str | None = None,
    ) -> bool:
        """Ends a job and its lease; False, and nothing changes, where the lease was lost meanwhile."""
        with self.database.session() as session:
            row = self._own(session, job_id)
            if row is None:
                return False
            _end(row, state)
            row.result, row.reason, row.error_code = result, reason, code
            return True

    def release(self, job_id: str) -> bool:
        """Puts a job back in the queue as if this start had not been; False where the lease was lost meanwhile."""
        with self.database.session() as session:
            row = self._own(session, job_id)
            if row is None:
                return False
            row.state, row.attempts = "queued", max(0, row.attempts - 1)
            row.lease_owner = row.lease_until = None
            return True

    def _is_free(self, row: JobRow, now: float) -> bool:
        if row.state == "queued":
            return True
        silent = row.lease_until is None or row.lease_until < now
        return silent or row.lease_owner is None or owner_is_dead(row.lease_owner)

    def _mine(self) -> tuple[Any, ...]:
        return JobRow.state == "running", JobRow.lease_owner == str(self.owner)

    def _own(self, session: Session, job_id: str) -> JobRow | None:
        return session.scalar(select(JobRow).where(*self._mine(), JobRow.id == job_id).with_for_update())


def _end(row: JobRow, state: str) -> None:
    row.state, row.finished_at = state, utc_now()
    row.lease_owner = row.lease_until = None
