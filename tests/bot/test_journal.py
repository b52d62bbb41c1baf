"""What the bot keeps on disk, and for how long."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from frontend.bot.journal import KEPT_S, Journal
from frontend.bot.settings import SettingsError


def test_it_knows_after_a_restart_what_was_answered_and_chosen(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.sqlite"
    with Journal(path) as journal:
        journal.mark([1, 2])
        journal.mark([2])
        journal.choose_language(5, "en")
        journal.choose_language(5, "ru")
    with Journal(path) as journal:
        assert [journal.is_answered(number) for number in (1, 2, 3)] == [True, True, False]
        assert [journal.language(chat) for chat in (5, 6)] == ["ru", None]


def test_old_numbers_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.mark([1, 2])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE answered SET at = ? WHERE id = 1", (int(time.time()) - KEPT_S - 1,))
    connection.commit()
    connection.close()
    with Journal(path) as journal:
        assert [journal.is_answered(number) for number in (1, 2)] == [False, True]


def test_a_place_that_cannot_hold_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough to be looked at as one" * 20)
    for path in (tmp_path, tmp_path / "text", tmp_path / "text" / "below"):
        with pytest.raises(SettingsError, match="DEEPFAKE_BOT_STATE"):
            Journal(path)
