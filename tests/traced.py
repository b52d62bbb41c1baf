"""Small images of made-up generators: each leaves a trace of its own in smooth noise."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
STRENGTH = 9.0
"""Grey levels of a trace: single images are told apart most of the time, batches always."""


def traced_png(source: str, number: int) -> bytes:
    """Image `number` of a source, as PNG: another one for each number, always the same."""
    trace = np.random.default_rng(zlib.crc32(source.encode())).normal(0, STRENGTH, (SIDE, SIDE, 3))
    random = np.random.default_rng([zlib.crc32(source.encode()), number])
    scene = np.kron(random.uniform(40, 215, (4, 4, 3)), np.ones((8, 8, 1)))
    noise = random.normal(0, 8, (SIDE, SIDE, 3))
    pixels = np.clip(scene + trace + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_traced(folder: Path, source: str, count: int) -> None:
    """Files 0.png, 1.png, ... of a source."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(traced_png(source, number))


def traced_zip(source: str, count: int) -> bytes:
    """A zip of images of a source, in no folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", traced_png(source, number))
    return buffer.getvalue()
