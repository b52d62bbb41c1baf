"""Reads multipart/form-data as it arrives: files go straight to where they belong, never wholly into memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from backend.api.plain_form import Part, form_data_options, split_plain
from backend.api.problems import ProblemError, wrong_media_type

MAX_FIELDS = 50
MAX_FIELD_BYTES = 1_048_576
"""All text fields of one request together: labels of a thousand files fit easily."""

_FLUSH_BYTES = 262_144


class Sink(Protocol):
    """Where the bytes of one file go; `close` is called once they have all arrived."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...


OpenSink = Callable[[str, str], Sink]
"""(field name, file name as the client gave it) -> where the file goes; may raise to refuse the file."""


async def read_multipart(request: Request, open_sink: OpenSink, *, max_files: int) -> dict[str, str]:
    """The text fields of a multipart body by name, its files having gone to `open_sink`.

    Raises ProblemError: another Content-Type, malformed or cut-off body, a field given twice, too many fields or files.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise wrong_media_type("multipart/form-data, as `curl -F files=@cat.jpg` does")
    boundary = options.get(b"boundary")
    if not boundary:
        raise malformed("The Content-Type has no boundary.")
    reader = _Reader(open_sink, max_files)
    try:
        return await _read(request, boundary, reader)
    except BaseException:
        reader.abandon()
        raise


async def _read(request: Request, boundary: bytes, reader: _Reader) -> dict[str, str]:
    parser: MultipartParser | None = None
    length = request.headers.get("content-length", "")
    try:
        async for chunk in request.stream():
            if not chunk:
                continue
            parts = split_plain(chunk, boundary) if parser is None and length == str(len(chunk)) else None
            if parts is None:
                if parser is None:
                    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]  # its own TypedDict
                parser.write(chunk)
            else:
                reader.take(parts)
            if reader.pending_bytes > _FLUSH_BYTES:
                await run_in_threadpool(reader.flush)
    except FormParserError as error:
        raise malformed("The multipart body is not well formed.") from error
    except ClientDisconnect as error:
        raise malformed("The connection ended before the body did.") from error
    reader.flush()
    if not reader.ended:
        raise malformed("The multipart body ends early: its closing boundary is missing.")
    return reader.fields


def malformed(detail: str) -> ProblemError:
    """The refusal of a body that is no complete multipart form."""
    return ProblemError(400, "upload.malformed", detail, "Send multipart/form-data, as `curl -F files=@cat.jpg` does.")


def describe_text_field(name: str, file_fields: Collection[str]) -> str:
    """What is wrong with a text field that the form does not have; `@` is easily forgotten in front of a file."""
    if name in file_fields:
        return f"`{name}` came as text, not as a file: with curl, write -F {name}=@FILE."
    return f"Unknown field: {name[:80]!r}."


def clean_name(name: str) -> str:
    """A client's file name as it may be shown and stored: no folders, no control characters, at most 200 characters."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[:200]


@dataclass
class _Part:
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    name: str = ""
    text: bytearray | None = None
    sink: Sink | None = None


class _Reader:
    """Callbacks of the parser: collects text, and queues what must be written until `flush`."""

    def __init__(self, open_sink: OpenSink, max_files: int) -> None:
        self.fields: dict[str, str] = {}
        self.ended = False
        self.pending_bytes = 0
        self._open_sink, self._max_files = open_sink, max_files
        self._files = self._field_bytes = 0
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._pending: list[tuple[Sink, bytes | None]] = []
        self._writing: Sink | None = None

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._add,
            "on_part_end": self._close,
            "on_end": self._end,
        }

    def take(self, parts: Sequence[Part]) -> None:
        """The parts of a whole body, as the parser would have called for them."""
        for headers, content in parts:
            self._begin()
            self._part.headers.extend(headers)
            self._open()
            if content:
                self._add(content, 0, len(content))
            self._close()
        self._end()

    def flush(self) -> None:
        """Writes what is queued (None closes a file). Blocking."""
        pending, self._pending, self.pending_bytes = self._pending, [], 0
        for sink, data in pending:
            if data is None:
                self._writing = None
                sink.close()
            else:
                self._writing = sink
                sink.write(data)

    def abandon(self) -> None:
        """Closes the file that is half-written."""
        if self._writing is not None:
            self._writing.close()

    def _begin(self) -> None:
        self._part = _Part()

    def _end_header(self) -> None:
        self._part.headers.append((bytes(self._header[0]).lower(), bytes(self._header[1])))
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        disposition = dict(self._part.headers).get(b"content-disposition", b"")
        options = form_data_options(disposition)
        if b"name" not in options:
            raise malformed("A part of the multipart body has no name.")
        self._part.name = _decode(options[b"name"])
        if b"filename" not in options:
            self._part.text = bytearray()
        elif options[b"filename"]:
            self._open_file(_decode(options[b"filename"]))

    def _open_file(self, filename: str) -> None:
        self._files += 1
        if self._files > self._max_files:
            raise ProblemError(
                413,
                "upload.too_many_files",
                f"The request has more than {self._max_files} files.",
                "Send many images as one zip archive with REAL/ and FAKE/ folders, or in several requests.",
            )
        self._part.sink = self._open_sink(self._part.name, filename)

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._part.sink is None and self._part.text is None:
            self._open_file("")  # a file without a name; without content it is a page's unused file input
        if self._part.sink is not None:
            self._pending.append((self._part.sink, data[start:end]))
            self.pending_bytes += end - start
        elif self._part.text is not None:
            self._field_bytes += end - start
            if self._field_bytes > MAX_FIELD_BYTES:
                raise ProblemError(
                    413, "upload.too_large", f"The text fields are larger than {MAX_FIELD_BYTES} bytes together."
                )
            self._part.text.extend(data[start:end])

    def _close(self) -> None:
        if self._part.sink is not None:
            self._pending.append((self._part.sink, None))
        elif self._part.text is not None:
            if self._part.name in self.fields:
                raise malformed(f"The field {self._part.name!r} is given twice.")
            if len(self.fields) >= MAX_FIELDS:
                raise malformed(f"The form has more than {MAX_FIELDS} fields.")
            self.fields[self._part.name] = _decode(bytes(self._part.text))

    def _end(self) -> None:
        self.ended = True


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
