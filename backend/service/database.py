"""The database: one writer at a time without surprises on SQLite, any SQLAlchemy URL of PostgreSQL as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from backend.core.errors import ConfigError, Conflict, StorageFull, Unavailable
from backend.core.errors import IntegrityError as Damaged
from backend.service.migrations import HEAD
from backend.service.tables import Base, DatasetRow, ModelRow, SettingRow

_BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 0x6465_6570_6661_6B65  # any number that no other program uses on the same PostgreSQL server


def utc_now() -> str:
    """The time now as ISO 8601 with microseconds, in UTC, ending in Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Database:
    """Sessions and the simple records. Safe to share between threads; each process opens its own."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            self._engine = create_engine(parsed, pool_pre_ping=True)
        self._writing = self._engine.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that may write, as one transaction: committed at the end, rolled back on any exception.

        On SQLite the write lock is taken at the start, so reading first and writing afterwards never fails as "locked".
        Raises Conflict, StorageFull or Unavailable where the database refuses.
        """
        with _translated(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, of one moment's state. It waits for no writer."""
        with _translated(), Session(self._engine, expire_on_commit=False) as session:
            yield session

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

    def delete_model(self, model_id: str) -> None:
        """Forget a model; nothing where it is unknown."""
        with self.session() as session:
            session.execute(delete(ModelRow).where(ModelRow.id == model_id))

    def get_setting(self, key: str) -> Any:
        """The value kept under a key, or None."""
        with self.reading() as session:
            return session.scalar(select(SettingRow.value).where(SettingRow.key == key))

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
        raise Unavailable("The database does not answer.", "Try again in a moment.") from error
    except DBAPIError as error:
        words = str(error.orig).lower()
        if "not a database" in words or "malformed" in words:
            raise Damaged("The database file is damaged, or no database.", "Restore it, or move it away.") from error
        if error.connection_invalidated:
            raise Unavailable("The connection to the database was lost.", "Try again in a moment.") from error
        raise
