"""Which images belong together: pixel-identical ones, and those of one given group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def resolve_groups(pixel_sha256: pa.ChunkedArray, group: pa.ChunkedArray) -> NDArray[np.int64]:
    """For each row the number of its group: a chain of equal pixels or equal given groups links rows.

    Groups are numbered 0, 1, ... by their first row. A given group "" links nothing.
    """
    from scipy.sparse import coo_array  # here, for the serving process imports this module
    from scipy.sparse.csgraph import connected_components

    pixels = _codes(pixel_sha256)
    given = _codes(group)
    named = np.flatnonzero(np.asarray(pc.not_equal(group, ""), dtype=bool))
    rows = len(pixels)
    tails = np.concatenate([np.arange(rows), named])
    heads = np.concatenate([rows + pixels, rows + rows + given[named]])
    size = 3 * rows
    links = coo_array((np.ones(len(tails), np.int8), (tails, heads)), shape=(size, size))
    component = connected_components(links, directed=False)[1][:rows]
    first, inverse = np.unique(component, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def test_rows_also_in_train(
    index: pa.Table,
    split: NDArray[np.str_] | None = None,  # noqa: PT028
) -> NDArray[np.bool_]:
    """Mask of the test rows that have a pixel-identical image in train; `split` replaces the index's own column."""
    splits = _strings(index["split"]) if split is None else split
    pixels = _codes(index["pixel_sha256"])
    in_train = np.zeros(len(pixels) + 1, bool)
    in_train[pixels[splits == "train"]] = True
    mask: NDArray[np.bool_] = (splits == "test") & in_train[pixels]
    return mask


test_rows_also_in_train.__test__ = False  # type: ignore[attr-defined]  # its name must not make pytest collect it


def summarise_duplicates(index: pa.Table) -> dict[str, int]:
    """Counts: groups of pixel-identical images and the images in them, those that cross, and those of both classes.

    `crossing_train_test` are test images with a pixel-identical one in train, `groups_crossing_train_test` those whose
    group (given or found) has an image there, `both_classes` images whose twin has the other label.
    """
    pixels, label = _codes(index["pixel_sha256"]), np.asarray(index["label"])
    counts = np.bincount(pixels)
    fakes = np.bincount(pixels, weights=label)
    repeated = counts > 1
    mixed = repeated & (fakes > 0) & (fakes < counts)
    splits, group_id = _strings(index["split"]), np.asarray(index["group_id"])
    return {
        "groups": int(repeated.sum()),
        "images": int(counts[repeated].sum()),
        "crossing_train_test": int(test_rows_also_in_train(index).sum()),
        "groups_crossing_train_test": int(
            np.isin(group_id[splits == "test"], np.unique(group_id[splits == "train"])).sum()
        ),
        "both_classes": int(counts[mixed].sum()),
    }


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number for each row, equal exactly for equal values."""
    if len(column) == 0:
        return np.empty(0, np.int64)
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64)


def _strings(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_pylist(), dtype=np.str_)
