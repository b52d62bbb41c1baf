"""PostgreSQL as the database of several processes: locks, the common clock, a server that goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.core.errors import Unreachable
from backend.service.database import Database
from backend.service.leases import Leases
from tests.cluster.parts import Installation
from tests.running import free_port


@pytest.fixture
def database(installation: Installation) -> Iterator[Database]:
    opened = Database(installation.database.url)
    yield opened
    opened.close()


def test_a_lock_holds_between_servers_and_ends_with_its_connection(
    installation: Installation, database: Database
) -> None:
    other = Database(installation.database.url)
    order: list[str] = []

    def wait() -> None:
        with other.locked("a key"):
            order.append("second")

    with database.locked("a key"):
        with other.locked("another key"):
            order.append("not in the way")
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(20)
    assert order == ["not in the way", "first", "second"]

    with database.locked("a key"):  # the holder's connection dies, as when its process does
        with other.session() as session:
            session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
        with other.locked("a key"):
            order.append("freed")
    assert order[-1] == "freed"
    other.close()


def test_those_who_wait_for_a_lock_take_no_connection_from_its_holder(database: Database) -> None:
    entered: list[int] = []

    def enter(number: int) -> None:
        with database.locked("a key"):
            entered.append(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(40)]
    with database.locked("a key"):
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        database.set_setting("a test", 1)
        assert time.monotonic() - begun < 5
    for thread in threads:
        thread.join(20)
    assert sorted(entered) == list(range(40))


def test_leases_run_by_the_clock_of_the_database(database: Database) -> None:
    with database.reading() as session:
        first, second = database.now(session), database.now(session)
    assert first < second  # it goes on within a transaction
    assert abs(first - time.time()) < 5
    assert Leases(database, 30, 5).claim() is None


def test_a_database_that_is_away_is_told() -> None:
    away = Database(f"postgresql+psycopg://tests@127.0.0.1:{free_port()}/postgres")
    for call in (away.list_models, away.upgrade, lambda: away.locked("a key").__enter__()):
        with pytest.raises(Unreachable):
            call()
    away.close()
