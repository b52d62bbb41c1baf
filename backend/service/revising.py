"""The next version of a data set: images get another label, are dropped, or come back. Shards and row numbers stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.errors import Conflict, IntegrityError, LabelMismatch, NoImages
from backend.service.dataset_index import DROPPED, figures_of, write_version
from backend.service.dataset_info import INDEX, INFO, PROFILE, SHARDS, DatasetInfo
from backend.service.shards import LABEL_NAMES
from backend.service.storage import list_tree, opened, remove
from backend.settings import StorePath

DROP = "DROP"
CHANGES = (*LABEL_NAMES, DROP)
MAX_CHANGES = 100_000
"""In one request; a revision itself has no limit."""


def require_version(info: DatasetInfo, version: int | None) -> None:
    """Raises Conflict where the caller looked at another version than `info`; None asks for none."""
    if version not in (None, info.version):
        raise Conflict(
            f"The data set {info.name!r} is at version {info.version}, not {version}.",
            "Read it again, and repeat the changes that are still wanted.",
        )


def revise(folder: StorePath, info: DatasetInfo, changes: Mapping[int, str]) -> DatasetInfo:
    """The next version of the data set in `folder`, or `info` itself where nothing changes.

    Only one at a time: hold the data set's lock.

    `changes`: image number -> "REAL", "FAKE" or "DROP"; a label also brings a dropped image back. An image that becomes
    REAL loses its generator; one that becomes FAKE gets back the generator it was imported with. A kill at any time
    leaves the version before or the new one. Raises LabelMismatch, NoImages, StorageFull, IntegrityError.
    """
    index = _read_all(folder, info)
    label, dropped = _apply(changes, index)
    if np.array_equal(label, index["label"]) and np.array_equal(dropped, index[DROPPED]):
        return info
    columns: dict[str, Any] = {
        "label": pa.array(label, pa.int8()),
        "generator": pa.array(_generators(folder, index, label), pa.string()),
        DROPPED: pa.array(dropped),
    }
    for name, values in columns.items():
        index = index.set_column(index.column_names.index(name), name, values)
    kept = index.filter(pa.array(~dropped))
    if kept.num_rows == 0:
        raise NoImages("No image would be left in the data set.", "Keep some, or delete the data set.")
    revised = replace(info, version=info.version + 1, dropped=int(dropped.sum()), **figures_of(kept))
    write_version(folder, revised, index)
    _remove_older(folder, keep=(info, revised))
    return revised


def _read_all(folder: StorePath, info: DatasetInfo) -> pa.Table:
    """Every row of the index with the column DROPPED."""
    with _damage_is_told(info.id), opened(folder / info.file(INDEX)) as raw:
        index = pq.read_table(raw)
    if DROPPED in index.column_names:
        return index
    return index.append_column(DROPPED, pa.array(np.zeros(index.num_rows, bool)))


def _apply(changes: Mapping[int, str], index: pa.Table) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Labels (1 FAKE, 0 REAL) and which rows are dropped, after the changes."""
    label, dropped = np.asarray(index["label"]).copy(), np.asarray(index[DROPPED]).copy()
    for number, change in changes.items():
        if not 0 <= number < len(label):
            raise LabelMismatch(f"There is no image {number}.", f"The data set has images 0 to {len(label) - 1}.")
        if change not in CHANGES:
            raise LabelMismatch(f"{change!r} is no label for image {number}.", f"Use {', '.join(CHANGES)}.")
        dropped[number] = change == DROP
        if change != DROP:
            label[number] = LABEL_NAMES.index(change)
    return label, dropped


def _generators(folder: StorePath, index: pa.Table, label: NDArray[np.int8]) -> list[str]:
    """The generator of every row for the new labels."""
    generators: list[str] = index["generator"].to_pylist()
    turned = np.flatnonzero(label != np.asarray(index["label"]))
    shard = np.asarray(index["shard"])
    for number in np.unique(shard[turned]).tolist():
        first = int(np.argmax(shard == number))
        own_label, own_generator = _read_own(folder, number)
        for row in turned[shard[turned] == number].tolist():
            was_fake = label[row] == 1 and own_label[row - first] == 1
            generators[row] = own_generator[row - first] if was_fake else ""
    return generators


def _read_own(folder: StorePath, shard: int) -> tuple[list[int], list[str]]:
    """Labels and generators as they were imported, one an image of the shard."""
    with _damage_is_told(folder.name), opened(folder / SHARDS / f"{shard:05d}.parquet") as raw:
        table = pq.read_table(raw, columns=["label", "generator"])
    return table["label"].to_pylist(), table["generator"].to_pylist()


@contextmanager
def _damage_is_told(id: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"A file of data set {id} cannot be read.", "Import it again.") from error


def _remove_older(folder: StorePath, keep: tuple[DatasetInfo, DatasetInfo]) -> None:
    """Removes what belongs to no version in `keep`: the version before is still being read by who began with it."""
    kept = {info.file(name) for info in keep for name in (INDEX, PROFILE)}
    patterns = [name.replace(".", "*.") for name in (INDEX, PROFILE)]
    patterns += [f".{name}.*.tmp" for name in patterns] + [f".{INFO}.*.tmp"]  # of a revision that was killed
    remove(
        folder / name
        for name in list_tree(folder)
        if name not in kept and any(fnmatch(name, pattern) for pattern in patterns)
    )
