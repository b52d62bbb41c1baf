"""The fingerprints that are enrolled: a row of the database each, and a file of arrays in the store."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load, save
from sqlalchemy import delete, select

from backend.core.errors import ConfigError, Conflict, IntegrityError, NotFound, Unreachable
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER, DENOISERS
from backend.core.fingerprints.drawing import PICTURES
from backend.core.fingerprints.fingerprint import Fingerprint
from backend.core.fingerprints.sums import Arrays
from backend.service.database import Database
from backend.service.storage import list_tree, read_bytes, remove, write_bytes
from backend.service.tables import FingerprintRow
from backend.settings import StorePath

FINGERPRINT = "fingerprint"
"""Kind of the job that enrols one."""

Record = dict[str, Any]
Records = list[Record]
Stamps = list[str | None]
Sort = Literal["created_at", "-created_at", "generator", "-generator", "count", "-count"]

SUFFIX = ".safetensors"
LONGEST_NAME = 100
_CURVES = ("radial", "angular")
_NEW_SECONDS = 3600.0
"""A file without a row that is younger may belong to a fingerprint which is being enrolled at this moment."""


class Fingerprints:
    """Keeps, lists, reads and removes them; their arrays lie below `root`. Safe to share between threads.

    A file is written before its row and removed after it: what has a row is whole.
    """

    def __init__(self, root: StorePath, database: Database) -> None:
        self.root, self._database = root, database

    def path(self, fingerprint_id: str) -> StorePath:
        """Where its arrays belong."""
        return self.root / f"{fingerprint_id}{SUFFIX}"

    def add(self, record: Record) -> None:
        """Keeps the record of a fingerprint whose file is written. Doing it twice changes nothing.

        Raises Conflict where its generator has another one by the same denoiser.
        """
        values = {name: record[name] for name in ("id", "generator", "denoiser", "created_at")} | {"record": record}
        with self._database.session() as session:
            self._database.upsert(session, FingerprintRow, values, "id")

    def get(self, fingerprint_id: str) -> Record:
        """One record. Raises NotFound."""
        with self._database.reading() as session:
            record: Record | None = session.scalar(
                select(FingerprintRow.record).where(FingerprintRow.id == fingerprint_id)
            )
        if record is None:
            raise NotFound(
                f"There is no fingerprint {fingerprint_id!r}.", "GET /fingerprints lists the fingerprints that exist."
            )
        return record

    def all(self, denoiser: str | None = None) -> Records:
        """All records, or those of a denoiser, the oldest first."""
        wanted = [] if denoiser is None else [FingerprintRow.denoiser == denoiser]
        query = select(FingerprintRow.record).where(*wanted)
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(FingerprintRow.created_at, FingerprintRow.id)))

    def list(
        self, *, q: str = "", denoiser: str | None = None, sort: Sort = "-created_at", limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """A page of the records without their profiles, and the number of all with `q` in their generator or id."""
        wanted, key, descending = q.casefold(), sort.removeprefix("-"), sort.startswith("-")
        found = [one for one in self.all(denoiser) if wanted in f"{one['generator']}\n{one['id']}".casefold()]
        found.sort(key=lambda one: one[key].casefold() if key == "generator" else one[key], reverse=descending)
        page = found[offset : offset + limit]
        return [{name: value for name, value in one.items() if name not in _CURVES} for one in page], len(found)

    def read(self, record: Record) -> Fingerprint:
        """The fingerprint of a record. Raises NotFound where it was just removed, IntegrityError for a damaged file."""
        return Fingerprint.restore(record, read_arrays(self.path(record["id"]), "Delete it and enrol it again."))

    def stamps(self, records: Records) -> Stamps:
        """For each record what changes with the content of its file; None where the file is gone. One listing."""
        listed = list_tree(self.root)
        entries = [listed.get(self.path(str(record["id"])).name) for record in records]
        return [None if entry is None else entry.stamp for entry in entries]

    def picture(self, fingerprint_id: str, name: str) -> bytes:
        """A PNG of one of PICTURES. Raises NotFound, IntegrityError."""
        if name not in PICTURES:
            raise NotFound(f"There is no picture {name!r}.", f"Known: {', '.join(PICTURES)}.")
        return PICTURES[name](self.read(self.get(fingerprint_id)))

    def delete(self, fingerprint_id: str) -> None:
        """Removes one. Raises NotFound."""
        self.get(fingerprint_id)
        with self._database.session() as session:
            session.execute(delete(FingerprintRow).where(FingerprintRow.id == fingerprint_id))
        remove([self.path(fingerprint_id)])

    def require_free(self, generator: str, denoiser: str) -> None:
        """Raises Conflict where the generator has a fingerprint by that denoiser."""
        for record in self.all(denoiser):
            if record["generator"] == generator:
                raise Conflict(
                    f"{generator} is enrolled already by the denoiser {denoiser}.",
                    f"Choose another name, or delete the fingerprint {record['id']} first.",
                )

    def choose_denoiser(self, asked: str | None) -> str:
        """The denoiser that is asked for; else the only one that something is enrolled by, else the default.

        Raises ConfigError for an unknown one.
        """
        if asked is not None:
            return check_denoiser_name(asked)
        with self._database.reading() as session:
            enrolled = session.scalars(select(FingerprintRow.denoiser).distinct()).all()
        return enrolled[0] if len(enrolled) == 1 else DEFAULT_DENOISER

    def sweep(self) -> None:
        """Removes files without a row that a killed server left behind."""
        listed = list_tree(self.root)
        known = {self.path(str(record["id"])).name for record in self.all()}
        old = [name for name, entry in listed.items() if time.time() - entry.modified > _NEW_SECONDS]
        remove(self.root / name for name in old if name not in known)

    def forget_lost(self, present: Collection[str]) -> None:
        """Removes the rows whose file is not among those present, as after a backup that was made meanwhile."""
        lost = [record["id"] for record in self.all() if self.path(str(record["id"])).name not in present]
        with self._database.session() as session:
            session.execute(delete(FingerprintRow).where(FingerprintRow.id.in_(lost)))


def check_denoiser_name(name: str) -> str:
    """The name. Raises ConfigError for an unknown denoiser."""
    if name not in DENOISERS:
        raise ConfigError(f"There is no denoiser {name!r}.", f"Known: {', '.join(DENOISERS)}.")
    return name


def check_generator_name(name: str) -> str:
    """The name without blanks around it. Raises ConfigError for none, or one that fits no table."""
    name = name.strip()
    if not name:
        raise ConfigError("The generator has no name.", "Name it: attributions will say it.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError("The generator's name is too long, or no plain line.", f"At most {LONGEST_NAME} letters.")
    return name


def write_arrays(path: StorePath, arrays: Arrays) -> None:
    """Writes arrays as one file, whole or not at all; never a pickle."""
    write_bytes(path, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_arrays(path: StorePath, hint: str) -> Arrays:
    """The arrays in a file. Raises NotFound where there is none, IntegrityError (with `hint`) for a damaged one."""
    try:
        return dict(load(read_bytes(path)))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path.name}.", hint) from None
    except Unreachable:
        raise
    except Exception as error:  # safetensors raises its own errors, the file system others
        raise IntegrityError(f"The file {path.name} is damaged.", hint) from error
