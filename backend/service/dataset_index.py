"""The index of a data set, one row for each image that counts: reading and writing it, and what follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.service.dataset_info import CHUNKS, INDEX, INDEX_ROWS_PER_GROUP, INFO, DatasetInfo
from backend.service.duplicates import summarise_duplicates
from backend.service.shards import LABEL_NAMES
from backend.service.storage import opened, read_bytes, write_bytes, written_whole
from backend.settings import StorePath

DROPPED = "dropped"
"""A column of revised indexes: whether the image counts no more. Its row stays, so that no other one is renumbered."""

_RUN_COLUMNS = ["shard", "row_group", "pixel_sha256"]

Run = tuple[int, int, int, str]
"""Shard, row group, its rows, hex SHA-256 over the decoded pixels of its images in order."""


def read_index(path: StorePath, columns: list[str] | None = None, *, with_dropped: bool = False) -> pa.Table:
    """The rows of an index file in order, all columns or those named; none of dropped images, unless `with_dropped`."""
    with opened(path) as raw, pq.ParquetFile(raw) as file:
        table = file.read(None if columns is None else [*columns, DROPPED])
    if DROPPED not in table.column_names:  # never revised
        return table
    kept = table if with_dropped else table.filter(pc.invert(table[DROPPED]))
    return kept.drop_columns([DROPPED])


def read_index_rows(path: StorePath, start: int, stop: int, columns: list[str]) -> pa.Table:
    """The rows [start, stop) of an index file, without dropped images. Reads only the row groups that hold them."""
    groups = range(start // INDEX_ROWS_PER_GROUP, -(-stop // INDEX_ROWS_PER_GROUP))
    with opened(path) as raw, pq.ParquetFile(raw) as file:
        table = file.read_row_groups(list(groups), [*columns, DROPPED])
    table = table.slice(start - groups.start * INDEX_ROWS_PER_GROUP, stop - start)
    return table.filter(pc.invert(table[DROPPED])).drop_columns([DROPPED]) if DROPPED in table.column_names else table


def write_runs(folder: StorePath, index: pa.Table) -> None:
    """Notes what `read_runs` gives, so that nobody has to read a row for every image to know it."""
    write_bytes(folder / CHUNKS, json.dumps(list(_runs(index.select(_RUN_COLUMNS).to_batches()))).encode())


def read_runs(folder: StorePath, info: DatasetInfo) -> list[Run]:
    """The row groups of a data set in order, dropped images included: (shard, row group, rows, digest of the pixels).

    They are the same in every version. Where no note tells them, as in data sets of an earlier program, the index does.
    """
    try:
        return [tuple(run) for run in json.loads(read_bytes(folder / CHUNKS))]
    except (FileNotFoundError, ValueError):
        with opened(folder / info.file(INDEX)) as raw, pq.ParquetFile(raw) as file:
            return list(_runs(file.iter_batches(INDEX_ROWS_PER_GROUP, columns=_RUN_COLUMNS)))


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[Run]:
    """One for each run of rows of the same shard and row group; holds one batch of rows."""
    rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
    for (shard, group), run in groupby(rows, key=lambda row: row[:2]):
        count, digest = 0, hashlib.sha256()
        for _, _, pixels in run:
            count += 1
            digest.update(pixels.encode())
        yield shard, group, count, digest.hexdigest()


def write_version(folder: StorePath, info: DatasetInfo, index: pa.Table) -> None:
    """Makes `info` and its index the present version of the data set in `folder`. Raises StorageFull.

    The index of each version has a name of its own, which `info` tells: until the second file takes its place, readers
    have the version before, whole.
    """
    with written_whole(folder / info.file(INDEX)) as temporary:
        pq.write_table(index, temporary, compression="zstd", row_group_size=INDEX_ROWS_PER_GROUP)
    write_bytes(folder / INFO, json.dumps(info.to_json(), indent=1).encode())


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
