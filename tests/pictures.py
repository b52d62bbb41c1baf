"""Images and archives that tests send: small, made on the spot, good ones and every kind of bad one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


@cache
def _photographs() -> tuple[Pixels, ...]:
    return tuple(load() for load in (skimage.data.astronaut, skimage.data.coffee, skimage.data.chelsea))


def crop(n: int, side: int = 48) -> Pixels:
    """Crop number `n` of a photograph, side x side x 3; different numbers give different crops."""
    photographs = _photographs()
    photograph = photographs[n % len(photographs)]
    random = np.random.default_rng(n)
    y, x = (int(random.integers(0, extent - side)) for extent in photograph.shape[:2])
    return photograph[y : y + side, x : x + side].copy()


def forged(n: int, side: int = 48) -> Pixels:
    """The same crop as an up-sampler leaves it: every second pixel repeated."""
    return crop(n, side)[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)[:side, :side]


def encode(pixels: Pixels | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The pixels as a file of that Pillow format."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def photo(n: int = 0, kind: str = "PNG") -> bytes:
    """A REAL image as a file."""
    return encode(crop(n), kind)


def fake(n: int = 0, kind: str = "PNG") -> bytes:
    """A FAKE image as a file."""
    return encode(forged(n), kind)


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip with these members; a name may stand in it twice."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def dataset_zip(each: int = 30, first: int = 0, kind: str = "PNG") -> bytes:
    """A zip with `each` REAL and as many FAKE images."""
    numbers = range(first, first + each)
    return zipped(
        [(f"REAL/{n:04d}.{kind.lower()}", photo(n, kind)) for n in numbers]
        + [(f"FAKE/upsampler/{n:04d}.{kind.lower()}", fake(n, kind)) for n in numbers]
    )


@cache
def pixel_bomb(side: int = 13_380) -> bytes:
    """A PNG of about 22 kB that decodes to side x side = 179 million pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a pixel, grey
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (side + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


@cache
def zip_bomb(members: int = 140, size: int = 64 * 2**20) -> bytes:
    """A zip of 9 MB that unpacks to `members` times `size` bytes of zeros, and says so: 8.75 GiB."""
    packer = zlib.compressobj(9, wbits=-15)
    zeros = b"\0" * size
    body, crc = packer.compress(zeros) + packer.flush(), zlib.crc32(zeros)
    out, directory = bytearray(), bytearray()
    for n in range(members):
        name = f"REAL/{n}.png".encode()
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(body), size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name
        out += b"PK\x03\x04" + fields + name + body
    end = struct.pack("<HHHHIIH", 0, 0, members, members, len(directory), len(out), 0)
    return bytes(out + directory + b"PK\x05\x06" + end)
