"""Known archives are downloaded once, resumed where they broke off, and refused when they are not what is known."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backend.core.errors import Cancelled, IntegrityError, Unavailable, UnknownSource
from backend.service.downloads import KNOWN, KnownSource, contents_digest, fetch_known
from tests.service.pictures import LAYOUT, picture, pictures, write_zip


class Archive(ThreadingHTTPServer):
    """A real server of one archive that can break off, change, or know nothing of ranges."""

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = data
        self.tag = '"one"'
        self.break_after: int | None = None
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/archive.zip"


class Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        archive, wanted = self.server, self.headers.get("Range")
        archive.asked.append(wanted)
        if archive.status != 200:
            self.send_error(archive.status)
            return
        start = 0
        if wanted and archive.ranges and self.headers.get("If-Range") == archive.tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(archive.data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(archive.data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(archive.data) - 1}/{len(archive.data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(archive.data) - start))
        self.send_header("ETag", archive.tag)
        self.end_headers()
        self.wfile.write(archive.data[start : archive.break_after])

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    noise = {"notes.bin": picture(0, "BMP", 300)}  # to be some pieces long
    server = Archive(write_zip(tmp_path / "made.zip", pictures(LAYOUT) | noise).read_bytes())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def known(archive: Archive, tmp_path: Path) -> dict[str, KnownSource]:
    sha256 = hashlib.sha256(archive.data).hexdigest()
    return {"small": KnownSource((archive.url,), "small.zip", contents_digest(tmp_path / "made.zip"), sha256)}


def test_a_download_is_whole_counted_and_done_once(tmp_path: Path, archive: Archive) -> None:
    seen: list[tuple[str, int, int]] = []
    table = known(archive, tmp_path)
    for _ in range(2):
        path = fetch_known("small", tmp_path / "d", known=table, progress=lambda *step: seen.append(step))
    assert path.read_bytes() == archive.data
    assert [file.name for file in path.parent.iterdir()] == ["small.zip"]
    assert archive.asked == [None]
    downloaded = [step for step in seen if step[0] == "download"]
    assert downloaded[-1] == ("download", len(archive.data), len(archive.data))


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, archive: Archive) -> None:
    table = known(archive, tmp_path)
    archive.break_after = 200_000
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        fetch_known("small", tmp_path / "d", known=table)
    assert not (tmp_path / "d" / "small.zip").exists()
    archive.break_after = None
    assert fetch_known("small", tmp_path / "d", known=table).read_bytes() == archive.data
    first, second = archive.asked
    assert first is None
    assert second is not None
    assert 100_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 200_000


@pytest.mark.parametrize("change", ["tag", "ranges"])
def test_what_cannot_go_on_begins_anew(tmp_path: Path, archive: Archive, change: str) -> None:
    """The file changed on the server, or the server does not answer ranges."""
    table = known(archive, tmp_path)
    archive.break_after = 200_000
    with pytest.raises(Unavailable):
        fetch_known("small", tmp_path / "d", known=table)
    archive.break_after = None
    archive.tag, archive.ranges = ('"two"', True) if change == "tag" else (archive.tag, False)
    assert fetch_known("small", tmp_path / "d", known=table).read_bytes() == archive.data


def test_a_complete_part_that_was_not_checked_yet_is_used(tmp_path: Path, archive: Archive) -> None:
    table = known(archive, tmp_path)

    def stop_at_the_check(stage: str, done: int, total: int) -> None:
        if stage == "download" and done == total:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fetch_known("small", tmp_path / "d", known=table, progress=stop_at_the_check)
    assert fetch_known("small", tmp_path / "d", known=table).read_bytes() == archive.data


def test_a_stop_during_the_check_keeps_what_came(tmp_path: Path, archive: Archive) -> None:
    right = known(archive, tmp_path)["small"]
    table = {"small": KnownSource(right.urls, right.file, right.contents)}

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "check":
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fetch_known("small", tmp_path / "d", known=table, progress=stop)
    assert (tmp_path / "d" / "small.zip.part").read_bytes() == archive.data
    assert fetch_known("small", tmp_path / "d", known=table).read_bytes() == archive.data
    assert archive.asked == [None, f"bytes={len(archive.data)}-"]


@pytest.mark.parametrize("which", ["sha256", "contents"])
def test_another_archive_is_refused_and_removed(tmp_path: Path, archive: Archive, which: str) -> None:
    right = known(archive, tmp_path)["small"]
    wrong = {
        "sha256": KnownSource(right.urls, right.file, right.contents, "0" * 64),
        "contents": KnownSource(right.urls, right.file, "0" * 64),
    }[which]
    with pytest.raises(IntegrityError):
        fetch_known("small", tmp_path / "d", known={"small": wrong})
    assert list((tmp_path / "d").iterdir()) == []


def test_the_next_address_is_tried(tmp_path: Path, archive: Archive) -> None:
    right = known(archive, tmp_path)["small"]
    table = {"small": KnownSource(("http://127.0.0.1:1/nothing.zip", *right.urls), right.file, right.contents)}
    assert fetch_known("small", tmp_path / "d", known=table).read_bytes() == archive.data


def test_a_refusing_server_is_told(tmp_path: Path, archive: Archive) -> None:
    archive.status = 503
    with pytest.raises(Unavailable) as caught:
        fetch_known("small", tmp_path / "d", known=known(archive, tmp_path))
    assert caught.value.hint


def test_contents_do_not_depend_on_packing_order_or_top_folder(tmp_path: Path) -> None:
    members = pictures(LAYOUT)
    one = write_zip(tmp_path / "one.zip", members)
    packed_anew = {f"repository-main/DATASET/{name}": members[name] for name in reversed(LAYOUT)}
    other = write_zip(tmp_path / "two.zip", packed_anew | {"repository-main/README.md": b"x"}, 0)
    changed = write_zip(tmp_path / "three.zip", members | {LAYOUT[0]: b"another"})
    assert contents_digest(one) == contents_digest(other) != contents_digest(changed)


def test_only_names_of_the_table_are_downloaded(tmp_path: Path) -> None:
    for name in ("http://127.0.0.1/x.zip", "", "nothing"):
        with pytest.raises(UnknownSource):
            fetch_known(name, tmp_path)
    assert all(url.startswith("https://") for source in KNOWN.values() for url in source.urls)
    assert all(source.contents or source.sha256 for source in KNOWN.values())
