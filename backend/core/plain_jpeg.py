"""Ordinary JPEGs straight through libjpeg-turbo: Pillow's pixels, in a tenth of its time where an image is small.

Around the same decoder Pillow spends most of a small image's time. Whatever is out of the ordinary stays with it: other
colour models, progressive files, EXIF (which may turn the image), profiles, several pictures, damage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

# Markers of the JPEG standard (ITU-T T.81, table B.1) that an ordinary file has before its pixels.
_SOF0, _DHT, _SOS, _DQT, _DRI, _APP0, _COM = 0xC0, 0xC4, 0xDA, 0xDB, 0xDD, 0xE0, 0xFE
_PASSED_OVER = (_DHT, _DRI, _APP0, _COM)
_TABLE = 65  # bytes of a quantisation table of 8 bits: its number, and 64 values


@dataclass(frozen=True)
class PlainHeader:
    """What an ordinary JPEG says of itself before its pixels."""

    width: int
    height: int
    luma_sum: int  # of the first quantisation table's 64 values


def read_plain_header(data: bytes) -> PlainHeader | None:
    """The header of a baseline JPEG of three colours with 8 bits and without metadata, or None for anything else."""
    if not data.startswith(b"\xff\xd8"):
        return None
    size: tuple[int, int] | None = None
    tables: dict[int, int] = {}
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        body = data[place + 4 : place + 2 + length]
        if marker == _SOS:
            return PlainHeader(*size, tables[min(tables)]) if size and tables else None
        if marker == _SOF0 and size is None and len(body) == 15 and body[0] == 8 and body[5] == 3:
            size = int.from_bytes(body[3:5]), int.from_bytes(body[1:3])
        elif marker == _DQT and len(body) % _TABLE == 0 and max(body[::_TABLE], default=4) < 4:
            tables |= {body[at]: sum(body[at + 1 : at + _TABLE]) for at in range(0, len(body), _TABLE)}
        elif marker not in _PASSED_OVER:
            return None
        place += 2 + length
    return None


def decode_plain(data: bytes) -> NDArray[np.uint8] | None:
    """uint8 [height, width, 3] of an ordinary JPEG, or None where the decoder has anything to say against it."""
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, strict=True)
    except ValueError:
        return None
    return pixels
