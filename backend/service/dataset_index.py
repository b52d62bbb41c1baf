"""The index of a data set, one row for each image that counts: reading and writing it, and what follows from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.service.dataset_info import INDEX, INDEX_ROWS_PER_GROUP, INFO, DatasetInfo
from backend.service.duplicates import summarise_duplicates
from backend.service.shards import LABEL_NAMES, written_whole

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


def write_version(folder: Path, info: DatasetInfo, index: pa.Table) -> None:
    """Makes `info` and its index the present version of the data set in `folder`. Raises StorageFull.

    The index of each version has a name of its own, which `info` tells: until the second file takes its place, readers
    have the version before, whole.
    """
    with written_whole(folder / info.file(INDEX)) as temporary:
        pq.write_table(index, temporary, compression="zstd", row_group_size=INDEX_ROWS_PER_GROUP)
    with written_whole(folder / INFO) as temporary:
        temporary.write_text(json.dumps(info.to_json(), indent=1), encoding="utf-8")


def figures_of(index: pa.Table) -> dict[str, Any]:
    """The fields of DatasetInfo that follow from the rows: digest, images, bytes, counts, generators, duplicates."""
    return {
        "digest": digest_of(index),
        "images": index.num_rows,
        "bytes": pc.sum(index["bytes"]).as_py(),
        "counts": _count(index),
        "generators": _count_generators(index),
        "duplicates": summarise_duplicates(index),
    }


def digest_of(index: pa.Table) -> str:
    """Hex SHA-256 over (file's SHA-256, label, split, generator, group) of every row in order."""
    labels = pc.cast(index["label"], pa.string())
    texts = [_escape(index[name]) for name in ("split", "generator", "group")]
    lines = pc.binary_join_element_wise(index["sha256"], labels, *texts, "\t")
    digest = hashlib.sha256()
    for part in lines.chunks:
        digest.update(("\n".join(part.to_pylist()) + "\n").encode())
    return digest.hexdigest()


def _escape(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts without tab and line end, so that no value can be taken for two."""
    for letter, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n")):
        column = pc.replace_substring(column, letter, escaped)
    return column


def _count(index: pa.Table) -> dict[str, dict[str, int]]:
    """Images by split and class; the split "" holds those without a given one."""
    counts: dict[str, dict[str, int]] = {}
    grouped = index.group_by(["split", "label"]).aggregate([([], "count_all")])
    for row in sorted(grouped.to_pylist(), key=lambda row: (row["split"], row["label"])):
        counts.setdefault(row["split"], dict.fromkeys(LABEL_NAMES, 0))[LABEL_NAMES[row["label"]]] = row["count_all"]
    return counts


def _count_generators(index: pa.Table) -> dict[str, int]:
    """FAKE images by generator; "" holds those whose generator is not known."""
    fakes = index.filter(pc.equal(index["label"], 1))["generator"].value_counts().to_pylist()
    return {row["values"]: row["counts"] for row in sorted(fakes, key=lambda row: row["values"])}
