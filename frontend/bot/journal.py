"""What the bot keeps on disk: the numbers of the updates that it has answered, and languages that were chosen.

Nothing else: no picture, no text, no name. An update is marked once its answer was taken by Telegram, and Telegram is
told that it may forget an update (the `offset` of getUpdates) only after that. So one that a crash cut short comes
again and is answered, and one that was answered comes again and is not.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from frontend.bot.settings import PREFIX, SettingsError

KEPT_S = 2 * 86_400
"""Telegram repeats an update for 24 hours at most."""
FORGET_EVERY = 1000
OPENING = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # outlives a kill; a power cut may repeat an answer
    "CREATE TABLE IF NOT EXISTS answered (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS languages (chat INTEGER PRIMARY KEY, language TEXT)",
)


class Journal:
    """A small SQLite file. Used from one thread. Raises SettingsError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._marked = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None)
            try:
                for statement in OPENING:
                    self._connection.execute(statement)
                self._forget()
            except sqlite3.Error:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(f"{PREFIX}STATE is a file for the journal; {path} cannot be: {error}.") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def is_answered(self, update_id: int) -> bool:
        """Whether this update has its answer."""
        found = self._connection.execute("SELECT 1 FROM answered WHERE id = ?", (update_id,))
        return found.fetchone() is not None

    def mark(self, update_ids: Iterable[int]) -> None:
        """These updates have their answer: all of them from the same moment on."""
        now = int(time.time())
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR IGNORE INTO answered VALUES (?, ?)", [(id, now) for id in update_ids])
        self._connection.execute("COMMIT")
        self._marked += 1
        if self._marked % FORGET_EVERY == 0:
            self._forget()

    def language(self, chat_id: int) -> str | None:
        """The language that was chosen in this chat, None where none was."""
        found = self._connection.execute("SELECT language FROM languages WHERE chat = ?", (chat_id,)).fetchone()
        return None if found is None else str(found[0])

    def choose_language(self, chat_id: int, language: str) -> None:
        """Keeps the choice."""
        self._connection.execute("INSERT OR REPLACE INTO languages VALUES (?, ?)", (chat_id, language))

    def _forget(self) -> None:
        """Drops the numbers that Telegram cannot repeat any more."""
        self._connection.execute("DELETE FROM answered WHERE at < ?", (int(time.time()) - KEPT_S,))
