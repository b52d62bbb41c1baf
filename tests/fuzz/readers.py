"""Everything that reads bytes from strangers, one function a format: what the fuzzers and the mutations feed.

Each function reads `data` to its end, as the service does. The property is the same for all: it returns, or raises an
error of `core.errors` or a ProblemError; quickly, and in bounded memory.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load
from starlette.requests import Request

from backend.api.multipart import read_multipart
from backend.api.problems import ProblemError
from backend.api.spool import Pack
from backend.core.audit.traits import read_header
from backend.core.detector import restore
from backend.core.errors import DeepfakeError, IntegrityError
from backend.core.images import decode
from backend.core.provenance.evidence import MOST_LETTERS
from backend.core.provenance.examine import read_plain
from backend.service.model_import import read_archive
from backend.service.sources.base import ImportLimits, Source
from backend.service.sources.metadata import groups_of
from backend.service.sources.parquet import ParquetSource
from backend.service.sources.zip_archive import ZipSource

REFUSALS = (DeepfakeError, ProblemError)
"""What a reader may raise; anything else is a bug."""

MAX_PIXELS = 1_000_000
"""Small, so that time goes into readers and not into large empty pictures."""

LIMITS = ImportLimits(max_members=2_000, max_image_bytes=1_000_000, max_unpacked_bytes=20_000_000, images_per_chunk=50)

_FOLDER = tempfile.TemporaryDirectory(prefix="deepfake-fuzz-")
_IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
_CHUNKS = (1, 7, 64, 1000, 65536)


def read_image(data: bytes) -> None:
    """One image of any format."""
    pixels = decode(data, max_pixels=MAX_PIXELS).pixels
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS


def read_origin(data: bytes) -> None:
    """What a file says of its origin, but for C2PA manifests, which a process of its own reads; and its header."""
    for found in read_plain(data):
        assert len(found.detail) <= MOST_LETTERS
        assert found.detail.isprintable()
    read_header(data)


def read_zip(data: bytes) -> None:
    """An archive: its listing, its members, its metadata.csv."""
    path = Path(_FOLDER.name) / "a.zip"
    path.write_bytes(data)
    _read_source(ZipSource(path, LIMITS))


def read_parquet(data: bytes) -> None:
    """A Parquet file: its schema and its rows."""
    path = Path(_FOLDER.name) / "train.parquet"
    path.write_bytes(data)
    _read_source(ParquetSource(path, LIMITS))


def _read_source(source: Source) -> None:
    plans = source.chunks()
    source.groups()
    for plan in plans:
        images = sum(1 for _ in source.read(plan))
        assert images <= LIMITS.max_members


def read_metadata(data: bytes) -> None:
    """A metadata.csv."""
    for name, group in groups_of(data, "train/metadata.csv").items():
        assert ".." not in name.split("/")
        assert group


def read_form(data: bytes) -> None:
    """A multipart form: the first line is its Content-Type, the second byte of the body says how it is cut."""
    kind, _, body = data.partition(b"\n")
    size = _CHUNKS[body[1] % len(_CHUNKS)] if len(body) > 1 else 1
    pieces = [body[start : start + size] for start in range(0, len(body), size)]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"content-type", kind)]}
    pack = Pack(Path(_FOLDER.name), max_memory=1 << 20, max_file_bytes=4096)
    try:
        _finish(read_multipart(Request(scope, receive), lambda _, name: pack.open(name), max_files=20))
        assert sum(file.size for file in pack.files) <= len(body)
    finally:
        pack.close()


def _finish(coroutine: Coroutine[Any, Any, object]) -> None:
    """Runs a coroutine that never has to wait, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def read_model(data: bytes) -> None:
    """A model: two bytes with the length of the card (little-endian), the card, head.safetensors."""
    length = int.from_bytes(data[:2], "little")
    try:
        card = json.loads(data[2 : 2 + length])
        arrays = load(data[2 + length :])
    except (ValueError, RecursionError, SafetensorError):
        return
    except Exception as error:  # what safetensors.numpy makes of a dtype that NumPy lacks
        raise IntegrityError("The arrays cannot be read.") from error
    if isinstance(card, dict):
        answers = restore(card, arrays, backbones=Path(_FOLDER.name)).predict([_IMAGE])
        assert len(answers) == 1
        assert answers[0].verdict in ("real", "fake", "unsure")


def read_export(data: bytes) -> None:
    """An exported model: the zip, its card, and the card's part of the detector."""
    card, _ = read_archive(io.BytesIO(data))
    assert card["shipped"] is False


READERS: dict[str, Callable[[bytes], None]] = {
    "image": read_image,
    "origin": read_origin,
    "zip": read_zip,
    "parquet": read_parquet,
    "metadata": read_metadata,
    "form": read_form,
    "model": read_model,
    "export": read_export,
}
