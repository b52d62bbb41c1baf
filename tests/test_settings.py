from pathlib import Path

import pytest

from backend.core.errors import ConfigError
from backend.core.images import MAX_PIXELS
from backend.settings import Settings, count_cores, describe_settings, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for row in describe_settings():
        monkeypatch.delenv(row.variable, raising=False)


def test_defaults(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.data_dir == tmp_path / "data"
    assert settings.backbones_dir == tmp_path / "models" / "backbones"
    assert settings.database == f"sqlite:///{tmp_path}/data/deepfake.db"
    assert settings.workers == count_cores() >= 1
    assert settings.max_pixels == MAX_PIXELS


def test_environment_and_arguments(monkeypatch):
    monkeypatch.setenv("DEEPFAKE_ALLOWED_HOSTS", "example.org, localhost,")
    monkeypatch.setenv("DEEPFAKE_WORKER_MEMORY", "4GiB")
    monkeypatch.setenv("DEEPFAKE_WORKERS", "7")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:secret@db/x")
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:8786")
    monkeypatch.setenv("DEEPFAKE_LOG_LEVEL", "")  # empty: as if it were not set
    settings = load_settings(workers=3)
    assert settings.allowed_hosts == ("example.org", "localhost")
    assert settings.worker_memory == 4 * 2**30
    assert settings.workers == 3
    assert settings.database == "postgresql+psycopg://me:secret@db/x"
    assert settings.dask_scheduler_address == "tcp://127.0.0.1:8786"
    assert settings.log_level == "info"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEEPFAKE_WORKERS", "0"),
        ("DEEPFAKE_WORKERS", "many"),
        ("DEEPFAKE_PORT", "70000"),
        ("DEEPFAKE_MAX_FILES", "1001"),
        ("DEEPFAKE_WORKER_MEMORY", "1MiB"),
        ("DEEPFAKE_ALLOWED_HOSTS", " , "),
        ("DEEPFAKE_DATA_DIR", "s3://"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "mysql://x"),
        ("DASK_SCHEDULER_ADDRESS", "tcp://10.1.2.3:8786"),
        ("DASK_SCHEDULER_ADDRESS", "localhost:8786"),
        ("DASK_SCHEDULER_ADDRESS", "tls://localhost"),
    ],
)
def test_a_wrong_value_is_refused_and_its_variable_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable):
        load_settings()


def test_certificates_belong_together():
    with pytest.raises(ConfigError, match="belong together"):
        load_settings(tls_ca=Path("ca.pem"))
    with pytest.raises(ConfigError, match="needs DEEPFAKE_TLS_CA"):
        load_settings(dask_scheduler_address="tls://cluster:8786")
    files = {"tls_ca": Path("ca.pem"), "tls_cert": Path("c.pem"), "tls_key": Path("k.pem")}
    assert load_settings(dask_scheduler_address="tls://cluster:8786", **files).tls_key == Path.cwd() / "k.pem"


def test_an_unknown_setting_is_refused():
    with pytest.raises(ConfigError, match="colour"):
        load_settings(colour="red")


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().workers = 9


def test_every_setting_is_described():
    rows = describe_settings()
    assert len(rows) == len(Settings.model_fields)
    for row in rows:
        assert row.variable.startswith("DEEPFAKE_") or row.variable in ("DATABASE_URL", "DASK_SCHEDULER_ADDRESS")
        assert len(row.meaning) > 15
