"""Everything that a service keeps, as one file; and back from it into another service, on another database too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import IO, Any

from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.core.errors import BrokenArchive, ConfigError, Conflict
from backend.service.app import Service
from backend.service.backup_archive import BackupReader, BackupWriter
from backend.service.database import utc_now
from backend.service.dataset_info import INFO
from backend.service.migrations import HEAD
from backend.service.model_files import CARD
from backend.service.storage import list_folders, list_tree, opened, read_bytes, remove_tree, written_whole
from backend.service.tables import Base, DatasetRow, FingerprintRow, JobRow, ModelRow, SettingRow
from backend.settings import StorePath

FORMAT = 1
"""Of the archive. Raise it when a reader of today could not restore it."""

_FINGERPRINTS = "fingerprints"
_ABOUT = "backup.json"
_ROWS_AT_ONCE = 1000
_FROM_FILES = frozenset({DatasetRow.__tablename__, ModelRow.__tablename__})
"""Tables that are made anew from info.json and card.json, which say the same and are whole when they are there."""


@dataclass(frozen=True)
class BackupFigures:
    """What a backup holds."""

    datasets: int
    models: int
    rows: int  # of the other tables
    files: int
    bytes: int


def back_up(service: Service, file: IO[bytes], *, with_features: bool = False) -> BackupFigures:
    """Writes everything to `file`: rows, data sets, models, networks, fingerprints, features if asked for.

    Others may work on. It is consistent: rows are of one moment, shards and heads never change, and what makes a data
    set or a model whole is the same before and after its other files are read, so that all it names is there. What is
    made meanwhile may be missing.
    """
    counts = dict.fromkeys(("rows", "files", "bytes"), 0)
    with BackupWriter(file) as archive:
        about = {"format": FORMAT, "version": version("deepfake-classification"), "revision": HEAD, "at": utc_now()}
        archive.add(_ABOUT, json.dumps(about).encode())
        _write_rows(service, archive, counts)
        models = _write_folders(archive, service.registry.root, "models", CARD, counts)
        _write_tree(archive, service.registry.backbones, "models/backbones", counts)
        datasets = _write_folders(archive, service.datasets.root, "datasets", INFO, counts)
        _write_tree(archive, service.fingerprints.root, _FINGERPRINTS, counts)
        if with_features:
            _write_tree(archive, service.features.root, "features", counts)
    return BackupFigures(datasets, models, **counts)


def _write_rows(service: Service, archive: BackupWriter, counts: dict[str, int]) -> None:
    with service.database.reading() as session:
        if not service.database.is_sqlite:  # SQLite's readers see one moment anyway
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for table in Base.metadata.sorted_tables:
            if table.name in _FROM_FILES:
                continue
            rows = session.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE)).mappings()
            for number, part in enumerate(rows.partitions(_ROWS_AT_ONCE)):
                text = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in part)
                archive.add(f"rows/{table.name}/{number:08d}.jsonl", text.encode())
                counts["rows"] += len(part)


def _write_folders(archive: BackupWriter, root: StorePath, name: str, last: str, counts: dict[str, int]) -> int:
    """The folders that have a file `last`, which is written last; how many there were."""
    whole = 0
    for folder in list_folders(root):
        written = {last}
        try:
            text = b""
            while text != (text := read_bytes(root / folder / last)):  # again where it was changed meanwhile
                written |= _write_tree(archive, root / folder, f"{name}/{folder}", counts, written)
        except FileNotFoundError:
            continue  # unfinished, or removed this very moment
        archive.add(f"{name}/{folder}/{last}", text)
        whole += 1
    return whole


def _write_tree(
    archive: BackupWriter, root: StorePath, name: str, counts: dict[str, int], without: Collection[str] = ()
) -> set[str]:
    """The files below `root` that are now in the backup; not those in `without`, nor what is removed meanwhile."""
    written = set()
    for within, entry in list_tree(root).items():
        if within in without or any(part.startswith(".") for part in within.split("/")):
            continue  # locks, files that are being written
        with suppress(FileNotFoundError), opened(root / within) as file:
            archive.add_file(f"{name}/{within}", file)
            written.add(within)
            counts["files"] += 1
            counts["bytes"] += entry.size
    return written


def restore(service: Service, file: IO[bytes], *, force: bool = False) -> BackupFigures:
    """Brings everything in the backup `file` into an empty service, which runs no jobs meanwhile.

    The whole file is checked before anything is written. Keys, usage and the audit log are added to those that are
    there; a job that waited or ran is cancelled, and can be repeated. `force` first removes the data sets, models and
    jobs that are there. Raises BrokenArchive, UnsafeName, ConfigError for a newer program's backup, and Conflict where
    the service is not empty.
    """
    backup = BackupReader(file)
    with backup.open(_ABOUT) as text:
        about = json.load(text)
    if about["format"] > FORMAT or about["revision"] > HEAD:
        raise ConfigError("The backup was made by a newer version of this program.", "Update the program first.")
    if force:
        _clear(service)
    else:
        _require_empty(service)
    counts = dict.fromkeys(("rows", "files", "bytes"), 0)
    roots = {"models": service.registry.root, "datasets": service.datasets.root, "features": service.features.root}
    whole = {"models": _whole(backup, "models/", CARD), "datasets": _whole(backup, "datasets/", INFO)}
    for kind, root in roots.items():
        for name in backup.names(f"{kind}/"):
            folder, _, _ = name.removeprefix(f"{kind}/").partition("/")
            if kind != "features" and folder not in whole[kind] and folder != service.registry.backbones.name:
                continue  # it was removed while the backup was made
            size = _restore_file(backup, name, root / name.removeprefix(f"{kind}/"))
            counts["files"] += 1
            counts["bytes"] += size
    for name in backup.names(f"{_FINGERPRINTS}/"):
        counts["bytes"] += _restore_file(backup, name, service.fingerprints.root / name.partition("/")[2])
        counts["files"] += 1
    counts["rows"] = _restore_rows(service, backup)
    service.fingerprints.forget_lost({name.partition("/")[2] for name in backup.names(f"{_FINGERPRINTS}/")})
    for folder in whole["datasets"]:
        service.database.save_dataset(json.loads(read_bytes(service.datasets.root / folder / INFO)))
    service.registry.sync()
    return BackupFigures(len(whole["datasets"]), len(whole["models"]), **counts)


def _whole(backup: BackupReader, prefix: str, last: str) -> set[str]:
    parts = (name.removeprefix(prefix).split("/") for name in backup.names(prefix))
    return {part[0] for part in parts if len(part) == 2 and part[1] == last}


def _restore_file(backup: BackupReader, name: str, target: StorePath) -> int:
    with backup.open(name) as source, written_whole(target) as temporary, temporary.open("wb") as copy:
        shutil.copyfileobj(source, copy, 2**20)
        return copy.tell()


def _restore_rows(service: Service, backup: BackupReader) -> int:
    insert = sqlite.insert if service.database.is_sqlite else postgresql.insert
    restored = 0
    with service.database.session() as session:
        session.execute(delete(SettingRow))
        for table in Base.metadata.sorted_tables:
            for name in backup.names(f"rows/{table.name}/"):
                with backup.open(name) as lines:
                    rows = [_settled(table, json.loads(line)) for line in lines]
                session.execute(insert(table).on_conflict_do_nothing(), rows)
                restored += len(rows)
    return restored


def _settled(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row as it is true after a restore: no job waits or runs, since what was uploaded for it is not here."""
    if unknown := row.keys() - table.columns.keys():
        raise BrokenArchive(f"The table {table.name} has no {sorted(unknown)[0]!r}.", "Restore it by a newer program.")
    if table.name == JobRow.__tablename__ and row["state"] in ("queued", "running"):
        reason = "The service was restored from a backup while this job waited or ran."
        row |= {"state": "cancelled", "reason": reason, "finished_at": utc_now()}
        row |= {"lease_owner": None, "lease_until": None}
    return row


def _require_empty(service: Service) -> None:
    with service.database.reading() as session:
        counts = {
            "data sets": session.scalar(select(func.count()).select_from(DatasetRow)),
            "fingerprints": session.scalar(select(func.count()).select_from(FingerprintRow)),
            "jobs": session.scalar(select(func.count()).select_from(JobRow)),
            "models": sum(not card["shipped"] for card in service.database.list_models()),
        }
    found = ", ".join(f"{count} {noun}" for noun, count in counts.items() if count)
    if found:
        hint = "Restore into a new folder and database, or use --force, which removes what is there."
        raise Conflict(f"The service is not empty: it has {found}.", hint)


def _clear(service: Service) -> None:
    with service.database.session() as session:
        for row in (JobRow, DatasetRow, ModelRow, FingerprintRow):
            session.execute(delete(row))
    for root in (service.datasets.root, service.features.root, service.fingerprints.root):
        remove_tree(root)
    for folder in list_folders(service.registry.root):
        if folder != service.registry.backbones.name:
            remove_tree(service.registry.root / folder)
