"""What the database forgets after a time that the operator sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from backend.service.database import Database
from backend.service.jobs import FINISHED
from backend.service.tables import AuditRow, JobRow, UsageRow
from backend.settings import Settings


def sweep_expired(database: Database, settings: Settings) -> None:
    """Remove records of jobs that ended, entries of the audit log, and days of usage that are older than allowed.

    Data sets and models stay; nothing refers to the record of a job that has ended.
    """
    jobs = _before(settings.keep_jobs_days)
    audit = _before(settings.keep_audit_days)
    with database.session() as session:
        session.execute(delete(JobRow).where(JobRow.state.in_(FINISHED), JobRow.finished_at < jobs))
        session.execute(delete(AuditRow).where(AuditRow.at < audit))
        session.execute(delete(UsageRow).where(UsageRow.day < audit[:10]))


def _before(days: int) -> str:
    moment = datetime.now(UTC) - timedelta(days=days)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
