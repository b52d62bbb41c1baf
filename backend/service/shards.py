"""The Parquet shards of a data set: their columns, and how they are written and read."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.core.errors import IntegrityError
from backend.service.storage import opened
from backend.settings import StorePath

ROWS_PER_GROUP = 512
BYTES_PER_GROUP = 32 * 2**20
"""A row group ends at either: it is the piece that readers hold in memory."""

LABEL_NAMES = ("REAL", "FAKE")
"""Label 0 and label 1."""

_VALUES = {
    "split": pa.string(),
    "generator": pa.string(),
    "group": pa.string(),
    "sha256": pa.string(),
    "pixel_sha256": pa.string(),
    "width": pa.int32(),
    "height": pa.int32(),
    "format": pa.string(),
    "mode": pa.string(),
    "jpeg_quality": pa.int16(),
    "bytes": pa.int64(),
}
VALUE_COLUMNS = tuple(_VALUES)
_REPEATING = ["split", "generator", "group", "format", "mode"]


def _features() -> dict[str, Any]:
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": list(LABEL_NAMES), "_type": "ClassLabel"},
    }
    return features | {name: {"dtype": str(kind), "_type": "Value"} for name, kind in _VALUES.items()}


SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int8()),
        *_VALUES.items(),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": _features()}})},
)
"""The columns of a shard; the metadata lets the Hugging Face library read it as images with class names."""


class ShardWriter:
    """Writes rows to one Parquet file, a row group at a time."""

    def __init__(self, path: Path) -> None:
        # image bytes are compressed already, digests cannot be
        self._writer = pq.ParquetWriter(
            path, SCHEMA, compression="none", use_dictionary=_REPEATING, write_statistics=["label", *_REPEATING]
        )
        self._rows: list[dict[str, Any]] = []
        self._held = 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, row: dict[str, Any]) -> None:
        """Takes one row: a value for every column of SCHEMA."""
        size = len(row["image"]["bytes"])
        if self._rows and (len(self._rows) >= ROWS_PER_GROUP or self._held + size > BYTES_PER_GROUP):
            self._flush()
        self._rows.append(row)
        self._held += size

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_pylist(self._rows, schema=SCHEMA)
            self._writer.write_table(table, row_group_size=len(self._rows))
            self._rows, self._held = [], 0


def read_values(shard: StorePath, number: int) -> pa.Table:
    """All columns of one shard but the image bytes: path, label and VALUE_COLUMNS, and where they lie.

    `shard` and `row_group` say which row group holds the image, `position` which of its rows.
    """
    with opened(shard) as raw, pq.ParquetFile(raw) as file:
        table = file.read(columns=["image.path", "label", *VALUE_COLUMNS])
        groups = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    places = [(group, position) for group, rows in enumerate(groups) for position in range(rows)]
    columns = {
        "path": pa.chunked_array([part.field("path") for part in table["image"].chunks], pa.string()),
        **{name: table[name] for name in ("label", *VALUE_COLUMNS)},
        "shard": pa.array([number] * len(places), pa.int32()),
        "row_group": pa.array([group for group, _ in places], pa.int32()),
        "position": pa.array([position for _, position in places], pa.int32()),
    }
    return pa.table(columns)


def read_images(shard: StorePath, row_group: int) -> list[bytes]:
    """The image files of one row group in the order of its rows. Raises IntegrityError for a damaged shard."""
    try:
        with opened(shard) as raw, pq.ParquetFile(raw) as file:
            table = file.read_row_group(row_group, columns=["image.bytes"], use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"The shard {shard.name} of a data set cannot be read.", "Import it again.") from error
    return [data for part in table["image"].chunks for data in part.field("bytes").to_pylist()]
