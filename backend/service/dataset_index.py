"""The index of a data set as its readers see it: one row for each image that counts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DROPPED = "dropped"
"""A column of revised indexes: whether the image counts no more. Its row stays, so that no other one is renumbered."""


def read_index(path: Path, columns: list[str] | None = None, *, with_dropped: bool = False) -> pa.Table:
    """The rows of an index file in order, all columns or those named; none of dropped images, unless `with_dropped`."""
    with pq.ParquetFile(path) as file:
        table = file.read(None if columns is None else [*columns, DROPPED])
    if DROPPED not in table.column_names:  # never revised
        return table
    kept = table if with_dropped else table.filter(pc.invert(table[DROPPED]))
    return kept.drop_columns([DROPPED])
