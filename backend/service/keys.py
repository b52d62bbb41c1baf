"""API keys: made, revoked and looked up. Only the hash of a key's secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from backend.core.errors import InvalidInput, NotFound, Unavailable, Unreachable
from backend.service.database import Database, utc_now
from backend.service.tables import KeyRow, UsageRow
from backend.settings import parse_rate

SCOPES = ("predict", "fit", "admin")
"""From the least to the most; each includes those before it."""

FRESH_SECONDS = 2.0
"""So old may the list of keys in memory be: a key made or revoked by another process counts after this time."""

_TRUSTED_SECONDS = 30.0  # while the database does not answer
_FORM = re.compile(r"dfk_(?P<id>[0-9a-z]{12})_(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiKey:
    """One key without its secret. Times are ISO 8601 in UTC."""

    id: str
    name: str
    scope: str  # one of SCOPES
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    rate: str | None  # of all its requests together, such as 100/second; None: the service's rates
    images_per_day: int | None  # None: as many as the rates let through
    last_used: str | None = None  # a day, known after some seconds

    @property
    def is_valid(self) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or utc_now() < self.expires_at)

    def allows(self, scope: str) -> bool:
        """Whether it may do what needs `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def to_json(self) -> dict[str, Any]:
        """The key as plain JSON values."""
        return {**asdict(self), "valid": self.is_valid}


ApiKeys = list[ApiKey]
"""Named here because the class below has a method `list`."""


class Keys:
    """The keys of a database. `find` asks a list in memory, so that guessing keys costs no queries.

    A secret has 256 random bits: nobody guesses one, so a plain SHA-256 is as good as a slow hash and costs a
    microsecond. Safe to share between threads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, tuple[ApiKey, str]] = {}
        self._read_at = self._failed_at = float("-inf")

    def create(
        self,
        name: str,
        scope: str,
        *,
        rate: str | None = None,
        images_per_day: int | None = None,
        days: int | None = None,
    ) -> tuple[ApiKey, str]:
        """The new key and its text, which nobody can read again. Raises InvalidInput."""
        _check(name, scope, rate, images_per_day, days)
        key_id = "".join(secrets.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(12))
        secret = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        expires = None if days is None else _iso(now + timedelta(days=days))
        key = ApiKey(key_id, name, scope, _iso(now), expires, None, rate, images_per_day)
        values = {name: value for name, value in asdict(key).items() if name != "last_used"}
        with self._database.session() as session:
            session.add(KeyRow(**values, digest=_digest(secret)))
        return key, f"dfk_{key_id}_{secret}"

    def list(self) -> ApiKeys:
        """All keys, newest first, revoked and expired ones too."""
        used = select(UsageRow.key_id, func.max(UsageRow.day).label("day")).group_by(UsageRow.key_id).subquery()
        rows = (
            select(KeyRow, used.c.day)
            .outerjoin(used, used.c.key_id == KeyRow.id)
            .order_by(KeyRow.created_at.desc(), KeyRow.id)
        )
        with self._database.reading() as session:
            return [_read(row, day) for row, day in session.execute(rows)]

    def revoke(self, key_id: str) -> ApiKey:
        """The key, which no longer counts; again: it stays as it is. Raises NotFound."""
        with self._database.session() as session:
            row = session.get(KeyRow, key_id)
            if row is None:
                raise NotFound(f"There is no key {key_id!r}.", "deepfake keys list shows the keys that exist.")
            row.revoked_at = row.revoked_at or utc_now()
            key = _read(row, None)
        self._read_at = float("-inf")
        return key

    @property
    def is_fresh(self) -> bool:
        """Whether `find` may be asked without `refresh` before."""
        return time.monotonic() - self._read_at < FRESH_SECONDS

    def refresh(self) -> None:
        """Read the keys that count, in one query, unless another thread has just done so.

        While the database does not answer it is asked every FRESH_SECONDS, not for each request, and the last list is
        trusted for half a minute; then this raises Unavailable.
        """
        with self._lock:
            if self.is_fresh:
                return
            began = time.monotonic()
            if began - self._failed_at >= FRESH_SECONDS:
                try:
                    self._known, self._read_at = self._read_known(), began
                    return
                except Unavailable:
                    self._failed_at = time.monotonic()
            if began - self._read_at > _TRUSTED_SECONDS:
                raise Unreachable("The database does not answer.", "Try again in a moment.")

    def _read_known(self) -> dict[str, tuple[ApiKey, str]]:
        with self._database.reading() as session:
            rows = session.scalars(select(KeyRow).where(KeyRow.revoked_at.is_(None))).all()
            return {row.id: (_read(row, None), row.digest) for row in rows}

    def find(self, text: str) -> ApiKey | None:
        """The key of that text if it counts, else None. Asks no database."""
        match = _FORM.fullmatch(text)
        key, digest = self._known.get(match["id"], (None, "")) if match else (None, "")
        if match is None or key is None or not hmac.compare_digest(digest, _digest(match["secret"])):
            return None
        return key if key.is_valid else None

    @property
    def count(self) -> int:
        """How many keys counted when the list was read."""
        return sum(key.is_valid for key, _ in self._known.values())


def _check(name: str, scope: str, rate: str | None, images_per_day: int | None, days: int | None) -> None:
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A key's name has 1 to 100 printable characters.", "Name whoever will use it.")
    if scope not in SCOPES:
        raise InvalidInput(f"There is no scope {scope!r}.", f"The scopes: {', '.join(SCOPES)}.")
    if rate is not None:
        try:
            parse_rate(rate)
        except ValueError as error:
            raise InvalidInput(f"{rate!r} is no rate.", f"{error}".capitalize() + ".") from None
    if images_per_day is not None and not 1 <= images_per_day < 2**31:
        raise InvalidInput("The images a day are at least 1.", "Leave them out for no limit.")
    if days is not None and not 1 <= days <= 36_500:
        raise InvalidInput("A key is valid for 1 to 36500 days.", "Leave the days out for a key without an end.")


def _read(row: KeyRow, last_used: str | None) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        row.scope,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.rate,
        row.images_per_day,
        last_used,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
