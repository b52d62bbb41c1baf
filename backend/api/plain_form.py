"""The parts of a small multipart body that has arrived at once, where its form is as plain as clients make it."""

from __future__ import annotations

import re

from python_multipart.multipart import parse_options_header

Part = tuple[list[tuple[bytes, bytes]], bytes]
"""(headers by lower-case name, content) of one part."""

_MOST_BYTES = 1_048_576
_MOST_PARTS = 200
_MOST_HEADERS = 4
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_DISPOSITION = re.compile(rb'form-data; name="([^"\\]+)"(?:; filename="([^"\\]+)")?')
_HEADER = re.compile(rb"([A-Za-z-]{1,60}): ([\x21-\x7e][\x20-\x7e]{0,900})")


def split_plain(body: bytes, boundary: bytes) -> list[Part] | None:
    """The parts of a whole body in order; None where anything is unusual, which is for the real parser to judge.

    A few searches replace the states and the calls that the real parser needs, which reads any piece of a body.
    """
    if len(body) > _MOST_BYTES or not _BOUNDARY.fullmatch(boundary):
        return None
    first, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_PARTS + 1)
    if first or not pieces or pieces.pop() not in (b"--", b"--\r\n"):
        return None
    parts = []
    for piece in pieces:
        if (part := _split_part(piece)) is None:
            return None
        parts.append(part)
    return parts or None


def form_data_options(disposition: bytes) -> dict[bytes, bytes]:
    """`name` and `filename` of a part's Content-Disposition, as far as they are there."""
    match = _DISPOSITION.fullmatch(disposition)
    if match is None:
        return parse_options_header(disposition)[1]
    name, filename = match.groups()
    return {b"name": name} if filename is None else {b"name": name, b"filename": filename}


def _split_part(piece: bytes) -> Part | None:
    head, end, content = piece.partition(b"\r\n\r\n")
    if not end or not head.startswith(b"\r\n"):
        return None
    lines = head[2:].split(b"\r\n")
    if len(lines) > _MOST_HEADERS:
        return None
    headers = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            return None
        headers.append((match[1].lower(), match[2]))
    return headers, content
