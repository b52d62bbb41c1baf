"""The file of a backup: a plain tar whose last member lists the size and SHA-256 of every other."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any

from backend.core.errors import BrokenArchive, UnsafeName

MANIFEST = "MANIFEST.json"
_PIECE = 2**20
_MANIFEST_BYTES = 2**30
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_BROKEN = "Take another copy of the backup: this one is truncated or altered. Nothing was restored."


@dataclass
class _Hashed:
    """Reads on from `file` and takes the SHA-256 of what passes."""

    file: IO[bytes]

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


class BackupWriter:
    """Writes members one behind the other; nothing is held but the list of them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (__exit__)
        self._listed: list[dict[str, Any]] = []

    def __enter__(self) -> BackupWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            text = "\n".join(json.dumps(entry) for entry in self._listed)
            own = hashlib.sha256(text.encode()).hexdigest()
            self._write(MANIFEST, io.BytesIO(f"{own}\n{text}".encode()))
            self._tar.close()

    def add(self, name: str, data: bytes) -> None:
        """A member with these bytes."""
        self.add_file(name, io.BytesIO(data))

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """A member with the bytes of an open file that can be sought in; nothing of it where reading it fails."""
        size, digest = self._write(name, file)
        self._listed.append({"name": name, "size": size, "sha256": digest})
        self._tar.members.clear()  # type: ignore[attr-defined]  # else one object a file is held

    def _write(self, name: str, file: IO[bytes]) -> tuple[int, str]:
        header = tarfile.TarInfo(name)
        header.size, header.mode = file.seek(0, io.SEEK_END), 0o600
        file.seek(0)
        hashed, start = _Hashed(file), self._tar.offset
        try:
            self._tar.addfile(header, hashed)
        except BaseException:  # half a member would spoil all that follows
            self._file.seek(start)
            self._file.truncate()
            self._tar.offset = start
            raise
        return header.size, hashed.digest.hexdigest()


class BackupReader:
    """A backup that has been read once from end to end and found whole.

    Raises BrokenArchive where anything in it is missing or altered, and UnsafeName for a member outside its folders.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._tar = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 (as long as `file` is open)
            self._members = self._check()
        except (tarfile.TarError, ValueError, KeyError, OSError, EOFError) as error:
            raise BrokenArchive("The file is no whole backup.", _BROKEN) from error

    def names(self, prefix: str) -> Iterator[str]:
        """The members below a folder such as `datasets/`, in the order that they were written in."""
        return (name for name in self._members if name.startswith(prefix))

    def open(self, name: str) -> IO[bytes]:
        """One member's bytes. Raises BrokenArchive where the backup has no such member."""
        file = self._tar.extractfile(self._members[name]) if name in self._members else None
        if file is None:
            raise BrokenArchive(f"The backup has no {name}.", _BROKEN)
        return file

    def _check(self) -> dict[str, tarfile.TarInfo]:
        seen: dict[str, tarfile.TarInfo] = {}
        found: list[dict[str, Any]] = []
        manifest: bytes | None = None
        for member in self._tar:
            file = self._tar.extractfile(member) if member.isreg() else None
            if file is None or manifest is not None or member.name in seen:
                raise ValueError("a member that no backup has")
            if member.name == MANIFEST:
                manifest = file.read(_MANIFEST_BYTES)
                continue
            if not all(_PART.fullmatch(part) for part in member.name.split("/")):
                raise UnsafeName(f"The backup has a member of a forbidden name: {member.name[:80]!r}.", _BROKEN)
            hashed = _Hashed(file)
            size = 0
            while piece := hashed.read(_PIECE):
                size += len(piece)
            found.append({"name": member.name, "size": size, "sha256": hashed.digest.hexdigest()})
            seen[member.name] = member
        own, _, text = (manifest or b"").decode().partition("\n")
        if (
            own != hashlib.sha256(text.encode()).hexdigest()
            or [json.loads(line) for line in text.splitlines()] != found
        ):
            raise ValueError("the list at the end says something else")
        return seen
