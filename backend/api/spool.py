"""Where uploads wait: a locked folder for what a job will import, one unnamed file for what is answered at once."""

from __future__ import annotations

import fcntl
import io
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

_LOCK = ".receiving"
_GRACE_SECONDS = 60.0


class SpoolFolder:
    """A folder of files that is removed on leaving the `with` block, unless `keep` was called.

    A file lock marks it as in use. The system frees the lock when the process dies, however it dies, so
    `sweep` tells a folder that was left behind from one that another process is filling.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self._lock: IO[bytes] | None = (path / _LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def keep(self) -> None:
        """Hands the folder to its new owner."""
        (self.path / _LOCK).unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> SpoolFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            self._unlock()


def sweep(root: Path, is_owned: Callable[[str], bool]) -> list[str]:
    """Names of the folders in `root` that were removed: no process fills them and `is_owned(name)` is false."""
    removed = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        if not is_owned(folder.name) and _is_left_behind(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed


def _is_left_behind(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:  # just made, or of an older make
        return folder.exists() and time.time() - folder.stat().st_mtime > _GRACE_SECONDS
    return True


@dataclass(frozen=True)
class PackedFile:
    """One file of a `Pack`."""

    index: int  # position in the request, from 0
    filename: str
    offset: int
    size: int  # bytes that the client sent
    is_whole: bool  # False: larger than the limit of one file, so its bytes were dropped


class Pack:
    """Many small files one behind the other: in memory at first, then in a file of `folder` without a name.

    Such a file is gone when the process is, so nothing is ever left behind.
    """

    def __init__(self, folder: Path, *, max_memory: int, max_file_bytes: int) -> None:
        self._folder, self._max_memory, self._max_file_bytes = folder, max_memory, max_file_bytes
        self._file: IO[bytes] = io.BytesIO()
        self._is_in_memory = True
        self.files: list[PackedFile] = []

    def open(self, filename: str) -> _PackedSink:
        """Where the next file's bytes go."""
        return _PackedSink(self, filename, self._max_file_bytes)

    def append(self, data: bytes) -> None:
        """Adds bytes at the end."""
        if self._is_in_memory and self._file.tell() + len(data) > self._max_memory:
            self._move_to_disk()
        self._file.write(data)

    def _move_to_disk(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        on_disk = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (close() below)
        self._file.seek(0)
        shutil.copyfileobj(self._file, on_disk)
        self._file.close()
        self._file, self._is_in_memory = on_disk, False

    def tell(self) -> int:
        """Where the next bytes go."""
        return self._file.tell()

    def rewind(self, offset: int) -> None:
        """Forgets everything from there on."""
        self._file.seek(offset)
        self._file.truncate()

    def read(self, entry: PackedFile) -> bytes:
        """The bytes of one whole file."""
        self._file.seek(entry.offset)
        return self._file.read(entry.size)

    def batches(self, max_files: int, max_bytes: int) -> Iterator[list[tuple[PackedFile, bytes]]]:
        """The whole files in order, a few at a time: a batch ends at either bound and has at least one file."""
        batch: list[tuple[PackedFile, bytes]] = []
        held = 0
        for entry in self.files:
            if not entry.is_whole:
                continue
            if batch and (len(batch) == max_files or held + entry.size > max_bytes):
                yield batch
                batch, held = [], 0
            batch.append((entry, self.read(entry)))
            held += entry.size
        if batch:
            yield batch

    def close(self) -> None:
        """Lets go of all bytes."""
        self._file.close()


class _PackedSink:
    """Appends one file to a pack; drops it, but reads on, when it grows over the limit."""

    def __init__(self, pack: Pack, filename: str, max_bytes: int) -> None:
        self._pack, self._filename, self._max_bytes = pack, filename, max_bytes
        self._offset: int | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        if self._offset is None:
            self._offset = self._pack.tell()
        self._size += len(data)
        if self._size <= self._max_bytes:
            self._pack.append(data)

    def close(self) -> None:
        offset = self._pack.tell() if self._offset is None else self._offset
        is_whole = self._size <= self._max_bytes
        if not is_whole:
            self._pack.rewind(offset)
        self._pack.files.append(PackedFile(len(self._pack.files), self._filename, offset, self._size, is_whole))
