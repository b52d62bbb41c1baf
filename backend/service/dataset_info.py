"""What is known about a data set as a whole, and the names of the files it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SHARDS = "shards"
INDEX = "index.parquet"
INFO = "info.json"
PROFILE = "profile.json"
CHUNKS = "chunks.json"
INDEX_ROWS_PER_GROUP = 4096
"""Every row group of the index but the last has so many rows: row n lies in group n // 4096."""


@dataclass(frozen=True)
class DatasetInfo:
    """One data set in figures; JSON-able."""

    id: str
    name: str
    version: int  # 1, 2, ...: relabelling or dropping images makes a new one
    digest: str  # of file contents, labels, splits, generators and groups in row order
    created_at: str  # ISO 8601, UTC
    source: str  # a key of SOURCES
    images: int
    bytes: int  # of the image files
    counts: dict[str, dict[str, int]]  # split ("" = not given) -> {"REAL": n, "FAKE": n}
    generators: dict[str, int]  # of FAKE images; "" = not known
    duplicates: dict[str, int]  # see summarise_duplicates
    skipped: dict[str, Any]  # {"count": n, "first": [{filename, code, message}]}
    dropped: int = 0  # images that count no more; the rows of all the others keep their numbers

    def file(self, name: str) -> str:
        """The name that INDEX or PROFILE has in this version: index.parquet, then index-2.parquet, ..."""
        stem, _, suffix = name.rpartition(".")
        return name if self.version == 1 else f"{stem}-{self.version}.{suffix}"

    def to_json(self) -> dict[str, Any]:
        """Plain values under the field's names."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DatasetInfo:
        """The info that to_json gave, also of an earlier program; keys of later ones are ignored."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})
