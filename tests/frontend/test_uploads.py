"""Multipart bodies: what a form parser reads out of them is what was put in, and they are never held whole."""

from __future__ import annotations

import tracemalloc
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path

import pytest

from frontend.uploads import PIECE_BYTES, FilePart, Multipart


def parse(body: Multipart) -> list[tuple[str, str | None, bytes]]:
    """(field, file name, content) of each part, read by the standard library's own parser."""
    raw = b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + b"".join(body)
    message = message_from_bytes(raw, policy=HTTP)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            bytes(part.get_payload(decode=True)),  # type: ignore[arg-type]
        )
        for part in message.walk()
        if not part.is_multipart()
    ]


def test_parts_come_back_as_they_were_put_in(tmp_path: Path) -> None:
    on_disk = tmp_path / "archive.zip"
    on_disk.write_bytes(bytes(range(256)) * 5000)
    body = Multipart(
        {"name": "holiday", "labels": ["REAL", "FAKE"], "nothing": None},
        [FilePart("files", "a.png", b"\r\n--not a boundary--\r\n"), FilePart("archive", "archive.zip", on_disk)],
    )
    assert parse(body) == [
        ("name", None, b"holiday"),
        ("labels", None, b'["REAL", "FAKE"]'),
        ("files", "a.png", b"\r\n--not a boundary--\r\n"),
        ("archive", "archive.zip", on_disk.read_bytes()),
    ]


@pytest.mark.parametrize(
    "filename", ['say "cheese".png', "back\\slash.png", "x\r\nX-Injected: 1.png", "\udcff.png", ""]
)
def test_a_hostile_file_name_stays_inside_its_header(filename: str) -> None:
    head = b"".join(Multipart({}, [FilePart("files", filename, b"x")])).split(b"\r\n\r\n")[0]
    assert len(head.split(b"\r\n")) == 3  # boundary, disposition, type: no line was smuggled in
    [(field, _, content)] = parse(Multipart({}, [FilePart("files", filename, b"x")]))
    assert (field, content) == ("files", b"x")


def test_its_length_is_exact_and_it_can_be_sent_twice(tmp_path: Path) -> None:
    path = tmp_path / "кот.jpg"
    path.write_bytes(b"z" * 70_000)
    body = Multipart({"name": "é"}, [FilePart("files", path.name, path), FilePart("files", "b", b"")])
    first, second = b"".join(body), b"".join(body)
    assert first == second
    assert len(first) == len(body)


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as stream:
        stream.truncate(200 * PIECE_BYTES)
    body = Multipart({}, [FilePart("archive", "large.zip", large)])
    tracemalloc.start()
    assert sum(len(piece) for piece in body) == len(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * PIECE_BYTES
