"""One object of an object store as a file for reading and seeking."""

from __future__ import annotations

import io
from typing import Any

from upath import UPath

from backend.service.storage_errors import store_is_told


class ObjectFile(io.RawIOBase):
    """Read in ranges; meant to be wrapped in a buffer. Raises FileNotFoundError, Unreachable."""

    def __init__(self, path: UPath) -> None:
        self._fs: Any = path.fs
        self._path = path.path
        self._position = 0
        with store_is_told():
            self._size = int(self._fs.info(self._path)["size"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        stop = min(self._position + len(buffer), self._size)
        if stop <= self._position:
            return 0
        with store_is_told():
            data = self._fs.cat_file(self._path, start=self._position, end=stop)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
