"""Locks that hold between processes: files beside an SQLite database, advisory locks of PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

_FILES = 256
"""Keys share so many files; two keys in one file only wait for each other."""


@contextmanager
def file_lock(folder: Path, key: str) -> Iterator[None]:
    """Nobody else on this machine is inside with the same key; freed by the system when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{_number(key) % _FILES:02x}").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def advisory_lock(engine: Engine, key: str) -> Iterator[None]:
    """Nobody else with this PostgreSQL database is inside with the same key; freed when the connection ends."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _number(key)})
        connection.commit()  # the lock belongs to the connection; an open transaction would only hold back the server
        try:
            yield
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _number(key)})
                connection.commit()
            except DBAPIError:  # what was done under the lock is done; a closed connection holds none
                connection.invalidate()


def _number(key: str) -> int:
    """63 bits that follow from the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1
