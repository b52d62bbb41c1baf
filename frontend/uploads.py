"""Images to send, and multipart bodies (RFC 7578), read piece by piece while they are sent: 2 GB need 1 MiB."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE_BYTES = 1 << 20

Content = bytes | memoryview | Path
"""Of a file: its bytes, or the path that they are read from while sending."""
Image = tuple[str, Content]
"""File name and content of an image that is sent."""
OnSent = Callable[[int, int], None]
"""Hears (bytes sent so far, bytes in all) of a body."""


@dataclass(frozen=True)
class FilePart:
    """One file of a form."""

    field: str
    filename: str
    content: Content

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.content.stat().st_size if isinstance(self.content, Path) else memoryview(self.content).nbytes

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes in order, at most PIECE_BYTES at once."""
        if not isinstance(self.content, Path):
            view = memoryview(self.content)
            for start in range(0, view.nbytes, PIECE_BYTES):
                yield bytes(view[start : start + PIECE_BYTES])
            return
        with self.content.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece


class Multipart:
    """A form of text fields and files, as a body of known length for `requests.post(data=...)`.

    It can be sent more than once. A dictionary or list among `fields` is written as JSON, None is left out.
    """

    def __init__(self, fields: dict[str, Any], files: Sequence[FilePart], on_sent: OnSent | None = None) -> None:
        self._on_sent = on_sent
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._parts: list[tuple[bytes, bytes | FilePart]] = []
        for name, value in fields.items():
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                self._parts.append((_head(boundary, name), text.encode("utf-8", "replace")))
        self._parts.extend((_head(boundary, file.field, file.filename), file) for file in files)
        self._end = f"--{boundary}--\r\n".encode()
        self._length = len(self._end) + sum(
            len(head) + (body.size if isinstance(body, FilePart) else len(body)) + 2 for head, body in self._parts
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._pieces():
            yield piece
            sent += len(piece)
            if self._on_sent is not None:
                self._on_sent(sent, self._length)

    def _pieces(self) -> Iterator[bytes]:
        for head, body in self._parts:
            yield head
            if isinstance(body, FilePart):
                yield from body.pieces()
            else:
                yield body
            yield b"\r\n"
        yield self._end


def _head(boundary: str, field: str, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{_quoted(field)}"'
    kind = ""
    if filename is not None:
        disposition += f'; filename="{_quoted(filename)}"'
        kind = "Content-Type: application/octet-stream\r\n"
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n".encode("utf-8", "replace")


def _quoted(text: str) -> str:
    """Text for a quoted string in a header: quotes and backslashes escaped, line ends as spaces."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")


@dataclass(frozen=True)
class Upload:
    """Images to send in one of three ways: a zip, Parquet files, or single files with a label each.

    A path is read while it is sent, never whole. `labels` has "REAL" or "FAKE" for each of `files`, in their order.
    """

    archive: Path | Image | None = None
    parquet: Sequence[Path | Image] = ()
    files: Sequence[Image] = ()
    labels: Sequence[str] | None = None

    def form(self, *, on_sent: OnSent | None = None, **fields: Any) -> Multipart:
        """The form that the service reads, with these fields; `on_sent` hears of its bytes on their way."""
        labels = None if self.labels is None else list(self.labels)
        return Multipart(
            {**fields, "labels": labels},
            [
                *parts("archive", [named(self.archive)] if self.archive is not None else []),
                *parts("parquet", [named(file) for file in self.parquet]),
                *parts("files", self.files),
            ],
            on_sent,
        )


def parts(field: str, images: Sequence[Image]) -> list[FilePart]:
    """The files of one field."""
    return [FilePart(field, filename, content) for filename, content in images]


def named(file: Path | Image) -> Image:
    """The file's name and content."""
    return (file.name, file) if isinstance(file, Path) else file
