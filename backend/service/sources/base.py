"""What every source of images shares: limits, plans, and the images that come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from backend.core.images import MAX_PIXELS

Description = Mapping[str, Any]
"""What to import, as plain JSON: {"kind": a key of SOURCES, "path": ..., and what that source documents}."""

BYTES_PER_CHUNK = 64 * 2**20
"""A chunk ends once its images' stored bytes reach this, so that a chunk of large photographs stays small."""


@dataclass(frozen=True)
class ImportLimits:
    """How much one import may read. All are counted while reading; headers are not trusted."""

    max_members: int = 2_000_000  # files in an archive, folders and skipped files included
    max_image_bytes: int = 100_000_000  # of one file, unpacked; larger ones are skipped and reported
    max_unpacked_bytes: int = 8 * 2**30  # of a whole archive
    max_pixels: int = MAX_PIXELS  # of one image; larger ones are skipped and reported
    images_per_chunk: int = 2_000


@dataclass(frozen=True)
class ChunkPlan:
    """One worker's share of an import: small and made of plain values."""

    number: int  # 0, 1, ... in the order of the rows
    images: int  # files that it will try to read, for progress
    where: tuple[str | int, ...]  # the source's own note of where they lie


@dataclass(frozen=True)
class RawImage:
    """One file as the source gave it, not yet known to be an image."""

    path: str  # within the source, cleaned, "/" between folders
    data: bytes
    label: str  # "REAL" or "FAKE"
    split: str = ""  # "train", "validation", "test" or "" = not given
    generator: str = ""  # of a FAKE, "" = not known; always "" for a REAL
    group: str = ""  # images of one group stay on one side of every split; "" = on its own


@dataclass(frozen=True)
class Skip:
    """One file that was left out, and why."""

    filename: str
    code: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"filename": self.filename, "code": self.code, "message": self.message}


class Source(Protocol):
    """Images to import. Opened anew in every process from its description."""

    def chunks(self) -> list[ChunkPlan]:
        """The whole import in pieces; raises for a source that cannot be read safely."""

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:
        """The files of one piece in order, one in memory at a time."""

    def groups(self) -> dict[str, str]:
        """Groups that a separate list names: path -> group. Empty where the images carry their own."""


def fill_chunks(sizes: list[int], images_per_chunk: int) -> list[tuple[int, int]]:
    """Ranges [start, stop) over files of these sizes in bytes: neither too many files nor too many bytes in one."""
    ranges, start, held = [], 0, 0
    for position, size in enumerate(sizes):
        if position > start and (position - start >= images_per_chunk or held + size > BYTES_PER_CHUNK):
            ranges.append((start, position))
            start, held = position, 0
        held += size
    if start < len(sizes):
        ranges.append((start, len(sizes)))
    return ranges
