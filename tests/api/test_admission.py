"""Large uploads and exports: whether the disk has room for them. (How many at a time: test_protection.py.)"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from backend.api import problems
from backend.api.admission import Admission
from backend.api.downloads import download
from backend.core.errors import StorageFull
from backend.settings import Settings
from tests.api.serving import serving, talk

FORM = {"Content-Type": "multipart/form-data; boundary=X"}
MIB = 2**20


def application(folder: Path, *, min_free: int, grows_to: int = 0) -> AbstractContextManager[int]:
    """The port of a service whose uploads must leave so many bytes; a received one takes `grows_to` at once."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = SimpleNamespace(jobs=SimpleNamespace(root=folder / "not" / "made" / "yet"))
        yield

    app = FastAPI(lifespan=lifespan)
    problems.install(app)

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, Any]:
        kept, size = folder / "kept", 0
        try:
            with kept.open("wb") as file:
                if grows_to:
                    os.posix_fallocate(file.fileno(), 0, grows_to)
                async for piece in request.stream():
                    size += len(piece)
        finally:
            kept.unlink()
        return {"size": size}

    app.add_middleware(Admission, upload_paths=["/upload"], max_uploads=1, min_free=min_free)
    return serving(app)


def test_an_upload_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    head = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    with application(tmp_path, min_free=2**30) as port:
        length = f"Expect: 100-continue\r\nContent-Length: {free}\r\nConnection: close\r\n\r\n"
        answer = talk(port, f"{head}{length}".encode())
    assert answer.startswith(b"HTTP/1.1 507 ")
    assert b"unavailable.storage_full" in answer


def test_one_without_a_length_is_stopped_when_the_space_is_used(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with application(tmp_path, min_free=free - 1024 * MIB, grows_to=2048 * MIB) as port:
        pieces = (bytes(MIB) for _ in range(100))
        answer = httpx.post(f"http://127.0.0.1:{port}/upload", content=pieces, headers=FORM, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (507, "unavailable.storage_full")


def test_an_export_that_would_fill_the_disk_is_not_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    settings = Settings(data_dir=tmp_path, min_free=2**30)
    with pytest.raises(StorageFull):
        download(settings, "a.zip", "application/zip", free, lambda path: path.write_bytes(b"x"))
    assert list(tmp_path.iterdir()) == []


def test_what_fits_passes_one_after_the_other(tmp_path: Path) -> None:
    with application(tmp_path, min_free=0) as port:
        for size in (5 * MIB, 1000, 5 * MIB):
            answer = httpx.post(f"http://127.0.0.1:{port}/upload", content=bytes(size), headers=FORM)
            assert answer.json() == {"size": size}
        pieces: Iterator[bytes] = iter([b"a", b"b"])
        chunked = httpx.post(f"http://127.0.0.1:{port}/upload", content=pieces, headers=FORM)
    assert chunked.json() == {"size": 2}
