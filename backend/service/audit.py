"""The audit log: who changed what, when, from where, and who was refused."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from backend.service.database import Database, utc_now
from backend.service.tables import AuditRow

CLI = "cli"
LOCAL = "local"
NOBODY = "nobody"
"""Names without a key: the command line, HTTP where no key is required, and whoever was refused for lack of one."""

REFUSALS_A_MINUTE = 20
"""So many refusals of a minute get a row each; the rest are counted in one row, so that a flood fills no disk."""


@dataclass(frozen=True)
class AuditEntry:
    """One action. It holds ids, never names of files, contents or keys."""

    action: str  # method and route template, such as "POST /set", or the command, such as "models delete"
    status: int  # of HTTP; 200 for a command that succeeded
    key_id: str = ""
    key_name: str = LOCAL
    target: str = ""  # id of the data set, model, job or key
    request_id: str = ""
    address: str = ""
    count: int = 1  # of refusals that share this row
    at: str = ""  # ISO 8601, UTC; filled in when it is recorded

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON values."""
        return asdict(self)


class Audit:
    """Records and lists entries. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._minute = 0
        self._refusals = 0
        self._more = 0

    def record(self, entry: AuditEntry) -> None:
        """Write an entry, with the time now."""
        at = utc_now()
        target = "".join(c if c.isprintable() else "?" for c in entry.target[:200])  # a client may have made it up
        values = entry.to_json() | {"at": at, "target": target, "address": entry.address[:64]}
        row = AuditRow(id=f"{time.time_ns():016x}{secrets.token_hex(8)}", **values)
        with self._database.session() as session:
            session.add(row)

    def record_refusal(self, entry: AuditEntry) -> None:
        """Write the entry of a refusal; over REFUSALS_A_MINUTE they are only counted, and written with the next one."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            more = 0
            if minute != self._minute:
                self._minute, self._refusals, more, self._more = minute, 0, self._more, 0
            self._refusals += 1
            is_flood = self._refusals > REFUSALS_A_MINUTE
            self._more += is_flood
        if more:
            self.record(AuditEntry("more refusals", entry.status, count=more))
        if not is_flood:
            self.record(entry)

    def list(self, *, since: str = "", limit: int = 50, offset: int = 0) -> tuple[list[AuditEntry], int]:
        """A page of the entries from a time (ISO 8601, UTC) on, newest first, and how many there are."""
        page = select(AuditRow).where(AuditRow.at >= since).order_by(AuditRow.at.desc(), AuditRow.id.desc())
        with self._database.reading() as session:
            total = session.scalar(select(func.count(AuditRow.id)).where(AuditRow.at >= since)) or 0
            rows = session.scalars(page.limit(limit).offset(offset)).all()
            return [_read(row) for row in rows], total


def _read(row: AuditRow) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__dataclass_fields__})
