"""How many requests and images each key asked for, day by day; counted in memory and written in batches."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from backend.service.database import Database
from backend.service.tables import UsageRow

FLUSH_SECONDS = 5.0
"""How long counts may wait in memory: so much is lost where a server is killed, and unknown to other servers."""


def today() -> str:
    """The date now in UTC."""
    return datetime.now(UTC).date().isoformat()


class Usage:
    """Counts by key and day. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._images: Counter[tuple[str, str]] = Counter()
        self._written: dict[tuple[str, str], int] = {}  # images, as the database had them at the last flush

    def add(self, key_id: str, images: int) -> None:
        """Count one request of a key, with so many images."""
        place = (today(), key_id)
        with self._lock:
            self._requests[place] += 1
            self._images[place] += images

    def images_today(self, key_id: str) -> int:
        """Images of the key since midnight (UTC), by all servers as of their last `flush` and by this one until now."""
        place = (today(), key_id)
        with self._lock:
            if place in self._written:
                return self._written[place] + self._images[place]
        with self._database.reading() as session:
            row = session.get(UsageRow, place)
        with self._lock:
            self._written.setdefault(place, row.images if row else 0)
            return self._written[place] + self._images[place]

    def flush(self) -> None:
        """Write what was counted since the last time; nothing where there is nothing. On an error it waits on."""
        with self._lock:
            requests, self._requests = self._requests, Counter()
            images, self._images = self._images, Counter()
        if not requests:
            return
        try:
            written = self._write(requests, images)
        except BaseException:
            with self._lock:
                self._requests.update(requests)
                self._images.update(images)
            raise
        with self._lock:
            self._written = {place: count for place, count in self._written.items() if place[0] == today()} | written

    def _write(
        self, requests: Counter[tuple[str, str]], images: Counter[tuple[str, str]]
    ) -> dict[tuple[str, str], int]:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.session() as session:
            for day, key_id in sorted(requests):  # in one order, so that two servers never wait for each other
                place = (day, key_id)
                new = insert(UsageRow).values(day=day, key_id=key_id, requests=requests[place], images=images[place])
                added = new.on_conflict_do_update(
                    index_elements=["day", "key_id"],
                    set_={
                        "requests": UsageRow.requests + new.excluded.requests,
                        "images": UsageRow.images + new.excluded.images,
                    },
                )
                session.execute(added)
            rows = session.execute(
                select(UsageRow.day, UsageRow.key_id, UsageRow.images).where(
                    UsageRow.day.in_({day for day, _ in requests}), UsageRow.key_id.in_({key for _, key in requests})
                )
            )
            return {(day, key_id): count for day, key_id, count in rows}
