"""The database: one writer at a time without surprises on SQLite, any SQLAlchemy URL of PostgreSQL as well."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, create_engine, delete, event, exists, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from backend.core.errors import ConfigError, Conflict, InvalidInput, StorageFull, StorageReadOnly, Unreachable
from backend.core.errors import IntegrityError as Damaged
from backend.service.locks import advisory_lock, file_lock
from backend.service.migrations import HEAD
from backend.service.tables import Base, DatasetRow, EvaluationRow, ModelRow, SettingRow

_BUSY_SECONDS = 30.0
_CONNECTION = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "tcp_user_timeout": 20_000}
"""Of PostgreSQL's client library: a server that is gone is noticed within half a minute."""
_LOCKS_AT_ONCE = 8  # that one process holds or waits for
_MIGRATION_LOCK = 0x6465_6570_6661_6B65  # any number that no other program uses on the same PostgreSQL server
_SETTING = select(SettingRow.value).where(SettingRow.key == bindparam("key"))


def utc_now() -> str:
    """The time now as ISO 8601 with microseconds, in UTC, ending in Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Database:
    """Sessions and the simple records. Safe to share between threads; each process opens its own."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._locks = Path(f"{parsed.database}.locks")
            self._locks.parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
            self._locking = self._engine
        else:
            self._engine = create_engine(parsed, pool_pre_ping=True, connect_args=_CONNECTION, max_overflow=30)
            # connections of their own: else those who wait for a lock could take all that its holder needs
            self._locking = create_engine(
                parsed, pool_pre_ping=True, connect_args=_CONNECTION, pool_size=1, max_overflow=_LOCKS_AT_ONCE - 1
            )
        self._writing = self._engine.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that may write, as one transaction: committed at the end, rolled back on any exception.

        On SQLite the write lock is taken at the start, so reading first and writing afterwards never fails as "locked".
        Raises Conflict, InvalidInput, StorageFull or Unreachable where the database refuses.
        """
        with _translated(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, of one moment's state. It waits for no writer."""
        with _translated(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Nobody else with this database, in any thread, process or machine, is inside with the same key meanwhile.

        Inside, sessions are as usual. Does not nest: two keys may share a lock. Raises Unreachable, also where too many
        others of this process have waited for too long.
        """
        if self.is_sqlite:  # the file is on one machine, so a lock of that machine will do
            with file_lock(self._locks, key):
                yield
        else:
            with _translated(), advisory_lock(self._locking, key):
                yield

    def now(self, session: Session) -> float:
        """Seconds since 1970 by the clock that all processes share: the server's, or that of the one machine."""
        if self.is_sqlite:
            return time.time()
        return float(session.scalar(text("SELECT extract(epoch FROM clock_timestamp())")))

    def upgrade(self) -> None:
        """Bring the tables to the newest revision; one query where they are there already. Safe from several processes.

        Raises ConfigError where the database was made by a newer version of this program.
        """
        with _translated(), self._engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        with _translated(), self._writing.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            if _revision(connection) == HEAD:  # another process was first
                return
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigError(
                    "The database was made by a newer version of this program.",
                    "Update the program, or use another database.",
                ) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        self._locking.dispose()

    def upsert(self, session: Session, row: type[Base], values: Mapping[str, Any], key: str) -> None:
        """Insert a row, or set these values where one of the same `key` stands."""
        make = sqlite.insert if self.is_sqlite else postgresql.insert
        changed = {name: value for name, value in values.items() if name != key}
        statement = make(row).values(**values).on_conflict_do_update(index_elements=[key], set_=changed)
        session.execute(statement)

    def save_dataset(self, info: Mapping[str, Any]) -> None:
        """Record a data set (`id, name, version, digest, created_at, source`; the whole is kept), replacing it by id.

        Raises Conflict where another data set has its name.
        """
        columns = ("id", "name", "version", "digest", "created_at", "source")
        values = {name: info[name] for name in columns} | {"info": dict(info)}
        with self.session() as session:
            self.upsert(session, DatasetRow, values, "id")

    def list_datasets(self) -> list[dict[str, Any]]:
        """All data sets as they were saved, newest first."""
        with self.reading() as session:
            return list(session.scalars(select(DatasetRow.info).order_by(DatasetRow.created_at.desc(), DatasetRow.id)))

    def get_dataset(self, id_or_name: str) -> dict[str, Any] | None:
        """The data set of that id, else of that name, else None."""
        with self.reading() as session:
            for column in (DatasetRow.id, DatasetRow.name):
                info: dict[str, Any] | None = session.scalar(select(DatasetRow.info).where(column == id_or_name))
                if info is not None:
                    return info
        return None

    def delete_dataset(self, dataset_id: str) -> None:
        """Forget a data set; nothing where it is unknown."""
        with self.session() as session:
            session.execute(delete(DatasetRow).where(DatasetRow.id == dataset_id))

    def save_model(self, card: Mapping[str, Any]) -> None:
        """Record a model's card (`id, name, created_at`, perhaps `dataset.id`), replacing it by id."""
        values = {name: card[name] for name in ("id", "name", "created_at")}
        values |= {"dataset_id": (card.get("dataset") or {}).get("id"), "card": dict(card)}
        with self.session() as session:
            self.upsert(session, ModelRow, values, "id")

    def list_models(self) -> list[dict[str, Any]]:
        """All cards as they were saved, newest first."""
        with self.reading() as session:
            return list(session.scalars(select(ModelRow.card).order_by(ModelRow.created_at.desc(), ModelRow.id)))

    def get_model(self, model_id: str) -> dict[str, Any] | None:
        """The card of that id, or None."""
        with self.reading() as session:
            card: dict[str, Any] | None = session.scalar(select(ModelRow.card).where(ModelRow.id == model_id))
            return card

    def has_model(self, model_id: str) -> bool:
        """Whether there is a model of that id."""
        with self.reading() as session:
            return bool(session.scalar(select(exists().where(ModelRow.id == model_id))))

    def delete_model(self, model_id: str) -> None:
        """Forget a model and its evaluations; nothing where it is unknown."""
        with self.session() as session:
            session.execute(delete(EvaluationRow).where(EvaluationRow.model_id == model_id))
            session.execute(delete(ModelRow).where(ModelRow.id == model_id))

    def get_setting(self, key: str) -> Any:
        """The value kept under a key, or None."""
        # without a session, which costs more than the query: each batch of predictions asks for the active model
        with _translated(), self._engine.connect() as connection:
            return connection.scalar(_SETTING, {"key": key})

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key, for every process and later start."""
        with self.session() as session:
            self.upsert(session, SettingRow, {"key": key, "value": value}, "key")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred; see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what a database refuses into the tree's errors; programming mistakes stay what they are."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Something of that name or id exists already.", "Choose another name.") from error
    except OperationalError as error:
        words = str(error.orig).lower()
        if "disk is full" in words or "no space" in words or "could not extend" in words:
            raise StorageFull("The database's disk is full.", "Free some space and try again.") from error
        if "readonly database" in words or "unable to open database file" in words:
            hint = "Make its disk writable and the folder the server's own."
            raise StorageReadOnly("The database's file cannot be written to.", hint) from error
        raise Unreachable("The database does not answer.", "Try again in a moment.") from error
    except PoolTimeout as error:
        raise Unreachable("The database has no connection left.", "Try again in a moment.") from error
    except DataError as error:
        raise InvalidInput("The database cannot hold this text.", "Leave out the character NUL.") from error
    except DBAPIError as error:
        words = str(error.orig).lower()
        if "not a database" in words or "malformed" in words:
            raise Damaged("The database file is damaged, or no database.", "Restore it, or move it away.") from error
        if error.connection_invalidated:
            raise Unreachable("The connection to the database was lost.", "Try again in a moment.") from error
        raise
