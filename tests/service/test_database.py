import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from backend.core.errors import ConfigError, Conflict, IntegrityError, StorageFull, Unavailable
from backend.service import migrations
from backend.service.database import Database
from backend.service.tables import Base, SettingRow


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/folder/test.db"


@pytest.fixture
def database(url):
    database = Database(url)
    database.upgrade()
    yield database
    database.close()


def dataset(id="cats-1", name="cats", **more):
    return {
        "id": id,
        "name": name,
        "version": 1,
        "digest": "d",
        "created_at": "2026-01-01T00:00:00Z",
        "source": {},
    } | more


def test_head_is_the_newest_revision():
    folder = Path(migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_current_head() == migrations.HEAD


def test_the_migrations_make_the_tables_that_the_code_has(database, url):
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_tables_can_be_made_on_postgresql():
    for table in Base.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_upgrading_again_changes_nothing(database):
    database.set_setting("active_model", "cats")
    database.upgrade()
    assert database.get_setting("active_model") == "cats"


def test_an_upgrade_at_head_does_not_import_alembic(database, url):
    code = (
        "import sys; from backend.service.database import Database\n"
        f"d = Database({url!r}); d.upgrade(); d.close(); assert not any(m.startswith('alembic') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_processes_that_upgrade_at_the_same_time(url):
    code = f"from backend.service.database import Database; d = Database({url!r}); d.upgrade(); d.set_setting('a', 1)"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]


def test_a_failed_upgrade_leaves_nothing_behind(url, monkeypatch, tmp_path):
    database = Database(url)
    with database.session() as session:  # in the way of the third table
        session.connection().exec_driver_sql("CREATE TABLE settings (x INTEGER)")
    with pytest.raises(Unavailable):
        database.upgrade()
    engine = create_engine(url)
    assert inspect(engine).get_table_names() == ["settings"]
    engine.dispose()
    database.close()


def test_a_newer_database_is_refused(database):
    with database.session() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer"):
        database.upgrade()


def test_reading_first_and_writing_then_never_finds_the_database_locked(database):
    """Deferred transactions fail here at once: two readers that both want to write."""
    database.set_setting("count", 0)

    def add(times):
        for _ in range(times):
            with database.session() as session:
                row = session.get(SettingRow, "count")
                row.value = row.value + 1

    threads = [threading.Thread(target=add, args=(40,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.get_setting("count") == 200


def test_a_reader_does_not_wait_for_a_writer(database):
    database.set_setting("a", 1)
    with database.session() as session:
        session.get(SettingRow, "a").value = 2
        session.flush()
        assert database.get_setting("a") == 1
    assert database.get_setting("a") == 2


def test_an_exception_rolls_back(database):
    def write():
        with database.session() as session:
            session.add(SettingRow(key="a", value=1))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert database.get_setting("a") is None


def test_datasets(database):
    database.save_dataset(dataset(images=10))
    database.save_dataset(dataset(id="dogs-1", name="dogs", created_at="2026-02-01T00:00:00Z", source="folder"))
    database.save_dataset(dataset(images=20, version=2))
    assert [info["id"] for info in database.list_datasets()] == ["dogs-1", "cats-1"]
    assert database.get_dataset("cats-1")["images"] == 20
    assert database.get_dataset("cats") == database.get_dataset("cats-1")
    assert database.get_dataset("birds") is None
    database.delete_dataset("cats-1")
    database.delete_dataset("cats-1")
    assert database.get_dataset("cats") is None


def test_a_dataset_name_is_taken_once(database):
    database.save_dataset(dataset())
    with pytest.raises(Conflict):
        database.save_dataset(dataset(id="cats-2"))


def test_models(database):
    card = {"id": "m-1", "name": "m", "created_at": "2026-01-01T00:00:00Z", "dataset": {"id": "cats-1"}, "auroc": 0.9}
    database.save_model(card)
    database.save_model(card | {"notes": "good"})
    assert database.get_model("m-1")["notes"] == "good"
    assert len(database.list_models()) == 1
    database.delete_model("m-1")
    assert database.get_model("m-1") is None
    assert database.list_models() == []


def test_settings_outlive_the_connection(database, url):
    database.set_setting("active_model", "m-1")
    database.set_setting("active_model", "m-2")
    other = Database(url)
    assert other.get_setting("active_model") == "m-2"
    other.close()


def test_a_full_disk_is_named(database):
    with database.session() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 20")  # of the pool's only connection
    with pytest.raises(StorageFull):
        database.set_setting("big", "x" * 1_000_000)


def test_a_file_that_is_no_database_is_an_error_not_a_loss(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"this is a letter to my aunt, not a database" * 10)
    before = path.read_bytes()
    database = Database(f"sqlite:///{path}")
    with pytest.raises(IntegrityError):
        database.upgrade()
    database.close()
    assert path.read_bytes() == before


def test_the_package_carries_its_migrations(tmp_path):
    """What setuptools would install finds its revisions: every folder with code is a package."""
    folder = Path(migrations.__file__).parent
    assert (folder / "versions" / "__init__.py").exists()
    copy = tmp_path / "versions"
    shutil.copytree(folder / "versions", copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert all(path.suffix == ".py" for path in copy.iterdir())


def test_write_ahead_log_is_on(database, url):
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    with database.reading() as session:
        assert session.scalars(select(SettingRow.key)).all() == []
