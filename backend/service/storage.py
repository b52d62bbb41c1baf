"""Files of the store, which is a folder of this machine or an object store (S3): the one module that tells them apart.

An object store has no folders and no renames. So a whole thing of several files exists from the moment that its last
file is written, and ends to exist when that file is removed first; each single file appears whole or not at all.
Errors of an object store become Unreachable or StorageFull; FileNotFoundError stays what it is.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from upath import UPath

from backend.core.errors import ConfigError, StorageFull, StorageReadOnly
from backend.service.object_file import ObjectFile
from backend.service.storage_errors import disk_full_is_told, store_is_told
from backend.settings import StorePath, local_scratch

_BLOCK_BYTES = 4 * 2**20
_LEAST_BYTES = 256 * 1024
_AHEAD = 8
_ON_THE_WAY = ".put-"  # how local copies that are made for an object store begin
_ORPHAN_SECONDS = 24 * 3600.0

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Entry:
    """One file of a listing."""

    size: int  # bytes
    modified: float  # seconds since 1970
    stamp: str  # changes with the content


def is_local(path: StorePath) -> bool:
    """Whether the file system of this machine holds it."""
    return isinstance(path, Path)


def require_store(root: StorePath) -> None:
    """Makes a local folder, or the bucket of an object store, where it is missing.

    Raises ConfigError where there is no bucket and none can be made, Unreachable.
    """
    if isinstance(root, Path):
        root.mkdir(parents=True, exist_ok=True)
        return
    bucket = root.path.partition("/")[0]
    with store_is_told():
        if root.fs.exists(bucket):
            return
        try:
            root.fs.mkdir(bucket)
        except FileExistsError:  # another process was first
            return
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The object store has no bucket {bucket!r}, and none could be made.", "Make it, or correct its name."
            ) from error


def check_writable(root: StorePath) -> None:
    """Makes a local folder and tries to write as much into it as a database needs to open.

    Raises StorageReadOnly or StorageFull, naming the folder.
    """
    if isinstance(root, Path):
        try:
            with disk_full_is_told():
                root.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=root, buffering=0) as file:
                    file.write(bytes(_LEAST_BYTES))
        except StorageFull as error:
            raise StorageFull(f"The disk of the folder {root} is full.", error.hint) from error
        except StorageReadOnly as error:
            raise StorageReadOnly(f"The folder {root} cannot be written to.", error.hint) from error


@contextmanager
def written_whole(path: StorePath) -> Iterator[Path]:
    """A temporary local path whose file takes its place at `path` at the end, or is removed on any error.

    Raises StorageFull or StorageReadOnly, Unreachable.
    """
    if isinstance(path, Path):
        temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
        with disk_full_is_told():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield temporary
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        return
    with disk_full_is_told():
        local_scratch().mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=local_scratch(), prefix=_ON_THE_WAY) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            copy_in(temporary, path)


def sweep_scratch() -> None:
    """Removes local copies for an object store that killed processes of this machine left more than a day ago."""
    for folder in local_scratch().glob(f"{_ON_THE_WAY}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _ORPHAN_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def copy_in(local: Path, path: StorePath) -> None:
    """Puts a copy of a local file at `path`, whole or not at all."""
    if isinstance(path, Path):
        with written_whole(path) as temporary:
            shutil.copyfile(local, temporary)
    else:
        with store_is_told():
            path.fs.put_file(str(local), path.path)


def write_bytes(path: StorePath, data: bytes) -> None:
    """Makes a file of these bytes, whole or not at all."""
    if isinstance(path, Path):
        with written_whole(path) as temporary:
            temporary.write_bytes(data)
    else:
        with store_is_told():
            path.fs.pipe_file(path.path, data)


def read_bytes(path: StorePath) -> bytes:
    """All bytes of a file. Raises FileNotFoundError."""
    if isinstance(path, Path):
        return path.read_bytes()
    with store_is_told():
        data: bytes = path.fs.cat_file(path.path, max_concurrency=1)  # else it asks for the size first
        return data


def opened(path: StorePath) -> BinaryIO:
    """The file for reading and seeking; of an object store only the parts that are read travel.

    Raises FileNotFoundError.
    """
    if isinstance(path, Path):
        return path.open("rb")
    return io.BufferedReader(ObjectFile(path), _BLOCK_BYTES)


def exists(path: StorePath) -> bool:
    """Whether there is such a file or folder."""
    if isinstance(path, Path):
        return path.exists()
    with store_is_told():
        return bool(path.fs.exists(path.path))


def is_folder(path: StorePath) -> bool:
    """Whether there is such a folder; an object store has those that something is in."""
    if isinstance(path, Path):
        return path.is_dir()
    with store_is_told():
        return bool(path.fs.isdir(path.path))


def list_tree(folder: StorePath) -> dict[str, Entry]:
    """Every plain file below a folder by its path within it, with "/", in order; none where there is no such folder.

    An object store answers a thousand at a time, without being asked for each.
    """
    found: dict[str, Entry] = {}
    if isinstance(folder, Path):
        for place, _, names in os.walk(folder):
            for name in names:
                file = Path(place) / name
                with suppress(FileNotFoundError):
                    status = file.stat()
                    if not stat.S_ISREG(status.st_mode):
                        continue
                    within = file.relative_to(folder).as_posix()
                    found[within] = Entry(status.st_size, status.st_mtime, str(status.st_mtime_ns))
    else:
        with store_is_told():
            listed = folder.fs.find(folder.path, detail=True)
        for key, about in listed.items():
            within = key.removeprefix(folder.path).lstrip("/")
            if within:
                found[within] = Entry(about["size"], about["LastModified"].timestamp(), str(about["ETag"]))
    return dict(sorted(found.items()))


def list_folders(folder: StorePath) -> list[str]:
    """The names of the folders directly below, in order."""
    if isinstance(folder, Path):
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    with store_is_told():
        try:
            listed = folder.fs.ls(folder.path, detail=True)
        except FileNotFoundError:
            return []
    return sorted(about["name"].rpartition("/")[2] for about in listed if about["type"] == "directory")


def last_changed(root: StorePath) -> dict[str, float]:
    """When something in each folder directly below `root` was last made or written: seconds since 1970."""
    if isinstance(root, Path):
        changed: dict[str, float] = {}
        for name in list_folders(root):
            with suppress(FileNotFoundError):  # it was removed this very moment
                changed[name] = (root / name).stat().st_mtime
        return changed
    newest: dict[str, float] = {}
    for within, entry in list_tree(root).items():
        name, slash, _ = within.partition("/")
        if slash:
            newest[name] = max(entry.modified, newest.get(name, 0.0))
    return newest


def remove(paths: Iterable[StorePath]) -> None:
    """Removes files; those that are not there are no fault."""
    distant: dict[str, UPath] = {}
    for path in paths:
        if isinstance(path, Path):
            path.unlink(missing_ok=True)
        else:
            distant[path.path] = path
    if distant:
        with store_is_told(), suppress(FileNotFoundError):
            next(iter(distant.values())).fs.rm(list(distant))


def remove_tree(folder: StorePath) -> None:
    """Removes a folder with all that is in it, as far as that can be; nothing where there is none."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with store_is_told(), suppress(FileNotFoundError):
            folder.fs.rm(folder.path, recursive=True)


def read_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function's results in order, computed by threads a few items ahead: hides the way to an object store."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_AHEAD, "read-ahead") as threads:
        try:
            for item in items:
                waiting.append(threads.submit(function, item))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
