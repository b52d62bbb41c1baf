"""A file's bytes -> all evidence in it."""

from __future__ import annotations

from backend.core.provenance.blocks import find_blocks
from backend.core.provenance.c2pa import read_c2pa
from backend.core.provenance.evidence import STRENGTHS, Evidence, unreadable
from backend.core.provenance.exif import read_exif
from backend.core.provenance.prompts import read_comment, read_texts
from backend.core.provenance.xmp import read_iptc, read_xmp

MOST_ENTRIES = 30


def examine(data: bytes, anchors: str = "") -> list[Evidence]:
    """What the file says of its origin, the strongest first; nothing where it says nothing. Never fails by the file.

    anchors: see c2pa.read_c2pa. A file that says nothing may well be generated: metadata are easily removed.
    """
    found = [*read_c2pa(data, anchors), *read_plain(data)]
    return sorted(found, key=lambda one: STRENGTHS.index(one.strength))[:MOST_ENTRIES]


def read_plain(data: bytes) -> list[Evidence]:
    """The evidence that nothing signs: EXIF, XMP, IPTC, text of generators."""
    blocks = find_blocks(data)
    return [
        *read_exif(blocks.exif),
        *read_xmp(blocks.xmp),
        *read_iptc(blocks.iptc),
        *read_texts(blocks.texts),
        *read_comment(blocks.comment),
        *(unreadable("text", name, "The block cannot be read.") for name in blocks.damaged),
    ]
