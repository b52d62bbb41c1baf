"""A database that the first release made goes forward to the newest revision, and keeps its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from backend.service import migrations
from backend.service.app import open_service
from backend.service.database import Database
from backend.service.tables import Base
from backend.settings import load_settings
from tests.postgres import RunningPostgres, why_no_postgres

INFO: dict[str, Any] = {
    "id": "cats-0a1b2c3d",
    "name": "cats",
    "version": 1,
    "digest": "d" * 64,
    "created_at": "2026-01-01T00:00:00.000000Z",
    "source": "demo",
    "images": 2,
    "bytes": 10,
    "counts": {"": {"REAL": 1, "FAKE": 1}},
    "generators": {},
    "duplicates": {},
    "skipped": {"count": 0, "first": []},
}
CARD: dict[str, Any] = {"id": "model-0a1b2c3d", "name": "Katzen ä", "created_at": "2026-01-02T00:00:00.000000Z"}

FIRST_ROWS = (
    "INSERT INTO datasets (id, name, version, digest, created_at, source, info) "
    f"VALUES ('cats-0a1b2c3d', 'cats', 1, '{'d' * 64}', "
    f"'2026-01-01T00:00:00.000000Z', '\"demo\"', '{json.dumps(INFO)}')",
    "INSERT INTO models (id, name, created_at, dataset_id, card) VALUES "
    f"('model-0a1b2c3d', 'Katzen ä', '2026-01-02T00:00:00.000000Z', 'cats-0a1b2c3d', '{json.dumps(CARD)}')",
    "INSERT INTO settings (key, value) VALUES ('active_model', '\"model-0a1b2c3d\"')",
    "INSERT INTO jobs (id, kind, state, params, result, reason, error_code, created_at, started_at, finished_at, "
    "lease_owner, lease_until, attempts, cancel_requested) VALUES "
    "('job-00000001', 'fit', 'done', '{\"dataset_id\": \"cats-0a1b2c3d\"}', '{\"model_id\": \"model-0a1b2c3d\"}', "
    "NULL, NULL, '2026-01-02T00:00:00.000000Z', '2026-01-02T00:00:01.000000Z', '2026-01-02T00:00:02.000000Z', "
    "NULL, NULL, 1, FALSE)",
    "INSERT INTO jobs (id, kind, state, params, created_at, attempts, cancel_requested, lease_owner, lease_until, "
    "started_at) VALUES ('job-00000002', 'fit', 'running', '{}', '2026-01-03T00:00:00.000000Z', 2, TRUE, 'host:1', "
    "1767398400.5, '2026-01-03T00:00:01.000000Z')",
    "INSERT INTO job_progress (job_id, stage, done, total, already_done, started_at, updated_at) "
    "VALUES ('job-00000002', 'features', 3, 10, 1, 1767398400.0, 1767398401.0)",
)
"""What revision 0001 could hold, word for word: a later change of the code's tables does not change this test."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("migrations")
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'old.db'}"
    elif reason := why_no_postgres():
        pytest.skip(reason)
    else:
        with RunningPostgres() as server:
            yield server.url


def test_a_database_of_the_first_release_goes_forward(url: str, tmp_path: Path) -> None:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in FIRST_ROWS:
            connection.exec_driver_sql(row.replace("%", "%%"))
    database = Database(url)
    database.upgrade()
    assert database.list_datasets() == [INFO]
    assert database.list_models() == [CARD]
    assert database.get_setting("active_model") == "model-0a1b2c3d"
    database.close()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == migrations.HEAD
    engine.dispose()
    settings = load_settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models", DATABASE_URL=url)
    service = open_service(settings, run_jobs=False)
    done, running = service.jobs.get("job-00000001"), service.jobs.get("job-00000002")
    service.close()
    assert (done.state, done.result) == ("done", {"model_id": "model-0a1b2c3d"})
    assert (running.state, running.attempts, running.cancel_requested) == ("running", 2, True)
    assert running.progress is not None
    assert (running.progress.stage, running.progress.done, running.progress.total) == ("features", 3, 10)
