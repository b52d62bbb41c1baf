"""The metadata blocks of an image file, as bytes and text: found without decoding a pixel."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field

from PIL import Image

from backend.core.images import FORMATS

MOST_BYTES = 1_048_576
"""Of one block; what is longer is cut."""

MOST_TEXTS, MOST_CHUNKS = 64, 100_000
"""Of one PNG; what comes later is not looked at."""

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Blocks:
    """What was found; empty values for what is not there."""

    exif: bytes = b""
    xmp: str = ""
    iptc: bytes = b""  # of the Photoshop block of a JPEG
    comment: str = ""
    texts: dict[str, str] = field(default_factory=dict)  # keyword -> text of a PNG's text chunks
    damaged: tuple[str, ...] = ()  # names of blocks that are there and cannot be read


def find_blocks(data: bytes) -> Blocks:
    """The metadata blocks of a file that was decoded as an image. Never fails: what cannot be read is `damaged`."""
    if data.startswith(_PNG):
        return _blocks_of_png(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                info = dict(image.info)
                is_tiff = image.format == "TIFF"  # which is laid out as an EXIF block is
        except MemoryError:
            raise
        except Exception:  # decoders raise whatever a hostile header leads them to
            return Blocks(damaged=("header",))
    photoshop = info.get("photoshop")
    iptc = photoshop.get(0x0404, b"") if isinstance(photoshop, dict) else b""
    return Blocks(
        exif=data if is_tiff else _bytes(info.get("exif")),
        xmp=_text(info.get("xmp")),
        iptc=_bytes(iptc),
        comment=_text(info.get("comment")),
    )


def _blocks_of_png(data: bytes) -> Blocks:
    """Of a PNG, whose text may also stand behind its pixels."""
    texts: dict[str, str] = {}
    damaged: list[str] = []
    exif, place = b"", len(_PNG)
    for _ in range(MOST_CHUNKS):
        if place + 12 > len(data):
            break
        length, name = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + min(length, MOST_BYTES)]
        place += 12 + length
        if name == b"eXIf":
            exif = body
        elif name in (b"tEXt", b"zTXt", b"iTXt") and len(texts) < MOST_TEXTS:
            try:
                keyword, text = _read_text(name, body)
            except (ValueError, IndexError, zlib.error):
                damaged.append(name.decode())
            else:
                texts.setdefault(keyword, text)
        elif name == b"IEND":
            break
    xmp = texts.pop("XML:com.adobe.xmp", "")
    return Blocks(exif=exif, xmp=xmp, texts=texts, damaged=tuple(dict.fromkeys(damaged)))


def _read_text(name: bytes, body: bytes) -> tuple[str, str]:
    """(keyword, text) of one text chunk (PNG, third edition, 11.3.3). Raises ValueError, IndexError, zlib.error."""
    keyword, _, rest = body.partition(b"\0")
    if not keyword or len(keyword) > 79:
        raise ValueError("no keyword")
    if name == b"tEXt":
        return keyword.decode("latin-1"), _decoded(rest)
    if name == b"zTXt":
        return keyword.decode("latin-1"), _decoded(_inflate(rest[1:]))
    is_compressed = rest[0] == 1
    text = rest[2:].split(b"\0", 2)[2]
    return keyword.decode("latin-1"), _decoded(_inflate(text) if is_compressed else text)


def _inflate(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, MOST_BYTES)


def _decoded(data: bytes) -> str:
    """tEXt is Latin-1 by the book; the tools that write prompts write UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _bytes(value: object) -> bytes:
    return value[:MOST_BYTES] if isinstance(value, bytes) else b""


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value[:MOST_BYTES].decode("utf-8", "replace")
    return value[:MOST_BYTES] if isinstance(value, str) else ""
