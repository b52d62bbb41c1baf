"""A backup brings everything back into a fresh installation, and a damaged one brings nothing."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import BrokenArchive, ConfigError, Conflict, UnsafeName
from backend.service.app import Service, open_service
from backend.service.backup import back_up, restore
from backend.service.backup_archive import BackupReader, BackupWriter
from backend.service.migrations import HEAD
from backend.service.model_files import HEAD as HEAD_FILE
from backend.service.model_files import PREDICTIONS
from backend.service.storage import write_bytes
from backend.settings import load_settings
from tests.pictures import photo
from tests.postgres import RunningPostgres, why_no_postgres
from tests.running import ROOT
from tests.service.conftest import make_settings
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import picture

PICTURES = [(f"{number}.png", photo(number)) for number in range(4)]


@pytest.fixture(scope="module")
def backup(service: Service, model: str) -> bytes:
    """A backup of the running service with a data set and a model."""
    service.registry.set_active(model)
    file = io.BytesIO()
    figures = back_up(service, file, with_features=True)
    assert figures.datasets >= 1
    assert figures.models >= 1
    return file.getvalue()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Service]:
    opened = open_service(make_settings(tmp_path / "other"), run_jobs=False)
    yield opened
    opened.close()


def answers(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.predictor.predict(PICTURES)["predictions"]
    return found


def is_untouched(service: Service) -> bool:
    nothing = not service.datasets.list() and not service.jobs.list()[0]
    return nothing and all(card["shipped"] for card in service.registry.list())


def test_a_restored_service_answers_as_the_first_did(
    service: Service, model: str, demo: str, backup: bytes, empty: Service
) -> None:
    figures = restore(empty, io.BytesIO(backup))
    assert answers(empty) == answers(service)
    assert empty.registry.active() == model
    assert empty.registry.get(model)["digest"] == service.registry.get(model)["digest"]
    assert empty.registry.predictions(model) == service.registry.predictions(model)
    assert empty.datasets.get(demo) == service.datasets.get(demo)
    assert empty.datasets.image(demo, 3) == service.datasets.image(demo, 3)
    assert {job.id: job.state for job in empty.jobs.list(limit=1000)[0] if job.state == "done"} == {
        job.id: job.state for job in service.jobs.list(limit=1000)[0] if job.state == "done"
    }
    chunks = service.datasets.chunks(demo)
    assert [chunk.digest for chunk in empty.datasets.chunks(demo)] == [chunk.digest for chunk in chunks]
    assert any(path.suffix == ".npy" for path in empty.features.root.rglob("*"))
    assert figures.rows > 0


@pytest.mark.skipif(bool(why_no_postgres()), reason=why_no_postgres())
def test_a_backup_of_sqlite_can_be_restored_on_postgresql_and_back(
    service: Service, backup: bytes, empty: Service, tmp_path: Path
) -> None:
    with RunningPostgres() as server:
        folders = {"data_dir": tmp_path / "pg" / "data", "models_dir": tmp_path / "pg" / "models"}
        other = open_service(load_settings(**folders, DATABASE_URL=server.url), run_jobs=False)
        restore(other, io.BytesIO(backup))
        assert answers(other) == answers(service)
        again = io.BytesIO()
        back_up(other, again)
        assert other.jobs.list(limit=1000) == service.jobs.list(limit=1000)
        other.close()
    again.seek(0)
    restore(empty, again)
    assert answers(empty) == answers(service)
    assert empty.jobs.list(limit=1000) == service.jobs.list(limit=1000)


def test_jobs_that_waited_are_cancelled(service: Service, empty: Service, tmp_path: Path) -> None:
    source = open_service(make_settings(tmp_path / "source"), run_jobs=False)
    job = source.jobs.submit("import", {"name": "Later", "source": {"kind": "demo"}})
    file = io.BytesIO()
    back_up(source, file)
    source.close()
    file.seek(0)
    restore(empty, file)
    assert empty.jobs.get(job.id).state == "cancelled"
    assert "restored" in str(empty.jobs.get(job.id).reason)
    assert empty.jobs.retry(job.id).state == "queued"


def test_a_service_that_is_not_empty_is_refused_unless_forced(
    service: Service, model: str, backup: bytes, empty: Service
) -> None:
    restore(empty, io.BytesIO(backup))
    with pytest.raises(Conflict, match="not empty"):
        restore(empty, io.BytesIO(backup))
    restore(empty, io.BytesIO(backup), force=True)
    assert answers(empty) == answers(service)


@pytest.mark.parametrize("place", [0.0, 0.2, 0.6, 0.9, 1.0])
def test_a_truncated_backup_restores_nothing(backup: bytes, empty: Service, place: float) -> None:
    with tarfile.open(fileobj=io.BytesIO(backup)) as archive:
        end = archive.getmembers()[-1].offset_data  # of the list at the end
    with pytest.raises(BrokenArchive):
        restore(empty, io.BytesIO(backup[: int(end * place)]))
    assert is_untouched(empty)


def test_an_altered_backup_restores_nothing(backup: bytes, empty: Service) -> None:
    with tarfile.open(fileobj=io.BytesIO(backup)) as archive:
        members = [member for member in archive.getmembers() if member.size]
    for member in (*members[:3], *members[-3:]):
        altered = bytearray(backup)
        altered[member.offset_data + member.size // 2] ^= 1
        with pytest.raises(BrokenArchive):
            restore(empty, io.BytesIO(bytes(altered)))
    assert is_untouched(empty)


@pytest.mark.parametrize("name", ["models/../../evil", "/models/evil", "datasets/./x", "models//x", "models/.hidden"])
def test_a_member_outside_its_folder_restores_nothing(empty: Service, name: str) -> None:
    file = io.BytesIO()
    with BackupWriter(file) as archive:
        archive.add(name, b"x")
    file.seek(0)
    with pytest.raises(UnsafeName):
        restore(empty, file)
    assert is_untouched(empty)


def test_links_are_no_members() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("models/x")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    file.seek(0)
    with pytest.raises(BrokenArchive):
        BackupReader(file)


def test_a_backup_of_a_newer_program_is_refused(empty: Service) -> None:
    file = io.BytesIO()
    with BackupWriter(file) as archive:
        archive.add("backup.json", json.dumps({"format": 1, "revision": f"{int(HEAD) + 1:04d}"}).encode())
    file.seek(0)
    with pytest.raises(ConfigError, match="newer"):
        restore(empty, file)


def test_the_commands(service: Service, model: str, tmp_path: Path) -> None:
    """Beside the running service; the file is its owner's only."""
    file = tmp_path / "all.tar"

    def deepfake(*arguments: str, root: Path) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "DEEPFAKE_DATA_DIR": str(root / "data"),
            "DEEPFAKE_MODELS_DIR": str(root / "models"),
        }
        command = [sys.executable, "-m", "backend.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    home = service.settings.models_dir.parent
    assert isinstance(home, Path)
    ran = deepfake("backup", str(file), "--json", root=home)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["size_bytes"] == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert deepfake("backup", str(file), root=home).returncode == 1
    ran = deepfake("restore", str(file), "--json", root=tmp_path / "new")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["models"] >= 1
    restored = open_service(make_settings(tmp_path / "new"), run_jobs=False)
    assert answers(restored) == answers(service)
    restored.close()


def test_a_file_that_ends_while_it_is_read_leaves_no_half_member() -> None:
    class Removed(io.BytesIO):
        """An object that is deleted between two ranges."""

        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise FileNotFoundError
            return super().read(size)

    file = io.BytesIO()
    with BackupWriter(file) as archive:
        archive.add("models/a", b"before")
        with pytest.raises(FileNotFoundError):
            archive.add_file("models/b", Removed(bytes(20_000)))
        archive.add("models/c", b"after")
    file.seek(0)
    backup = BackupReader(file)
    assert {name: backup.open(name).read() for name in backup.names("")} == {
        "models/a": b"before",
        "models/c": b"after",
    }


def test_a_model_that_is_deleted_meanwhile_is_not_half_in_the_backup(empty: Service, tmp_path: Path) -> None:
    registry = empty.registry
    card = {"created_at": "2026-01-01T00:00:00Z", "shipped": False, "threshold": 0.5}
    for model_id in ("deleted-1", "kept-1"):
        for name in (HEAD_FILE, PREDICTIONS):
            write_bytes(registry.folder(model_id) / name, b"numbers")
        registry.add({**card, "id": model_id, "name": model_id, "extractor": {}, "head": {}, "calibration": {}})

    class Meanwhile(io.BytesIO):
        """The model is deleted while its first file is written."""

        def write(self, data: Any) -> int:
            if b"models/deleted-1" in bytes(data[:200]) and registry.has("deleted-1"):
                registry.delete("deleted-1")
            return super().write(data)

    file = Meanwhile()
    assert back_up(empty, file).models == 1
    file.seek(0)
    fresh = open_service(make_settings(tmp_path / "fresh"), run_jobs=False)
    restore(fresh, file)
    assert [card["id"] for card in fresh.registry.list()] == ["kept-1"]
    fresh.close()


def test_a_data_set_that_is_revised_meanwhile_is_whole_in_the_backup(empty: Service, tmp_path: Path) -> None:
    members = {f"{label}/{n}.png": picture(10 * n) for n in range(3) for label in ("REAL", "FAKE")}
    info = import_into(empty.datasets, zip_of(tmp_path / "a.zip", members))
    empty.database.save_dataset(info.to_json())

    class Meanwhile(io.BytesIO):
        """Revised twice while its first file is written, so that the index of the first version is gone."""

        def write(self, data: Any) -> int:
            if b"datasets/a-1" in bytes(data[:200]) and empty.datasets.get("a-1").version == 1:
                for number in (0, 1):
                    empty.revise_dataset("a-1", {number: "DROP"})
            return super().write(data)

    file = Meanwhile()
    assert back_up(empty, file).datasets == 1
    file.seek(0)
    fresh = open_service(make_settings(tmp_path / "fresh"), run_jobs=False)
    restore(fresh, file)
    assert fresh.datasets.get("a-1").version == 3
    assert len(fresh.datasets.index("a-1")) == 4
    fresh.close()
