"""The short way through a multipart body reads what the parser reads, or leaves the body to it."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from backend.api.multipart import read_multipart
from backend.api.plain_form import form_data_options, split_plain
from backend.api.problems import ProblemError

PLAIN = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    b'\xff\xd8\r\n--x\r\n\xff\xd9\r\n--b\r\nContent-Disposition: form-data; name="model_id"\r\n\r\nm-1\r\n--b--\r\n'
)
PIECES = (b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b": ", b"--", b"b", b" ", b'"', b";", b"\x00", b"a")


class _Kept:
    """Keeps the bytes of one file."""

    def __init__(self) -> None:
        self.data, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.data += data

    def close(self) -> None:
        self.closed = True


def read(body: bytes, sizes: tuple[int, ...]) -> Any:
    """What `read_multipart` makes of a body that arrives in pieces: text fields and files, or the refusal's code."""
    starts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    chunks = [body[a:b] for a, b in zip(starts, [*starts[1:], len(body)], strict=True)]
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"content-length", str(len(body)).encode())]
    files: list[tuple[str, str, _Kept]] = []

    async def receive() -> Any:
        return messages.pop(0)

    def open_sink(field: str, name: str) -> _Kept:
        files.append((field, name, _Kept()))
        return files[-1][2]

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    try:
        fields = asyncio.run(read_multipart(request, open_sink, max_files=3))
    except ProblemError as refusal:
        return refusal.status_code, refusal.code
    return fields, [(field, name, kept.data, kept.closed) for field, name, kept in files]


def test_a_plain_body_takes_the_short_way() -> None:
    parts = split_plain(PLAIN, b"b")
    assert parts is not None
    assert [content for _, content in parts] == [b"\xff\xd8\r\n--x\r\n\xff\xd9", b"m-1"]
    assert read(PLAIN, ()) == read(PLAIN, (10,))


def test_a_body_of_very_many_parts_is_left_to_the_parser() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    assert split_plain(part * 200 + b"--b--", b"b") == [([(b"content-disposition", b'form-data; name="a"')], b"")] * 200
    assert split_plain(part * 201 + b"--b--", b"b") is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_both_ways_agree_on_any_change_of_a_body(data: st.DataObject) -> None:
    body = PLAIN
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = min(len(body), start + data.draw(st.integers(0, 6)))
        body = body[:start] + data.draw(st.sampled_from(PIECES)) + body[end:]
    if body:
        assert read(body, ()) == read(body, (1,))


@given(st.lists(st.sampled_from((*b"ab", *b'"\\ ;=*/:', 0xE4)), max_size=12), st.booleans(), st.booleans())
def test_names_of_a_part_are_what_the_parser_says(letters: list[int], has_filename: bool, ends: bool) -> None:
    name = bytes(letters)
    disposition = b'form-data; name="files"; filename="' + name if has_filename else b'form-data; name="' + name
    disposition += b'"' if ends else b""
    assert form_data_options(disposition) == parse_options_header(disposition)[1]
