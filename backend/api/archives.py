"""One archive of a request, in a file without a name for as long as the request lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from starlette.requests import Request

from backend.api.multipart import Sink, describe_text_field, read_multipart
from backend.api.problems import ProblemError

_FIELD = "archive"
_HINT = f"Send one file in `{_FIELD}`."


@asynccontextmanager
async def receive_archive(request: Request, folder: Path) -> AsyncIterator[BinaryIO]:
    """The file that a request sends in `archive`; nothing of it stays. Raises ProblemError, StorageFull."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as file:
        received: list[str] = []

        def open_sink(field: str, filename: str) -> Sink:
            if field != _FIELD or received:
                raise ProblemError(422, "upload.fields", f"The field {field[:80]!r} carries no files here.", _HINT)
            received.append(filename)
            return _Kept(file)

        fields = await read_multipart(request, open_sink, max_files=1)
        if fields:
            raise ProblemError(422, "upload.fields", describe_text_field(sorted(fields)[0], (_FIELD,)), _HINT)
        if not received:
            raise ProblemError(422, "upload.fields", "The request has no archive.", _HINT)
        yield file


class _Kept:
    """Writes to a file that outlives its part of the form."""

    def __init__(self, file: Sink) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def close(self) -> None:
        return None
