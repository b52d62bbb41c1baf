"""Images of a data set that are equal pixel for pixel, and which of them cross from train to test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MAX_GROUPS = 50
MAX_MEMBERS = 10


def find_duplicates(index: pa.Table) -> dict[str, Any]:
    """`{groups, images, crossing_train_test, conflicting_labels, first}` as JSON.

    groups: sets of two or more images with equal pixels; images: how many images they hold; crossing_train_test: test
    images whose pixels are in train too; conflicting_labels: groups with both REAL and FAKE; first: up to 50 groups
    as `{pixel_sha256, count, members: [{row, path, label, split}]}` with up to 10 members, crossing ones first.
    index: columns row, path, label, split, pixel_sha256; images without a hash count as unique.
    """
    hashes = index.column("pixel_sha256").combine_chunks().dictionary_encode()
    codes = np.asarray(hashes.indices.fill_null(-1)).astype(np.int64)
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    repeated = np.flatnonzero(sizes > 1)
    members = [order[starts[g] : starts[g] + sizes[g]] for g in repeated.tolist()]

    split = np.asarray([name or "" for name in index.column("split").to_pylist()], dtype=np.str_)
    label = label_names(index)
    crossing = [_crossing(split[group]) for group in members]
    first = sorted(range(len(members)), key=lambda g: (-(crossing[g] > 0), int(members[g][0])))[:MAX_GROUPS]
    return {
        "groups": len(members),
        "images": int(sizes[repeated].sum()),
        "crossing_train_test": int(sum(crossing)),
        "conflicting_labels": sum({"REAL", "FAKE"} <= set(label[group].tolist()) for group in members),
        "first": [_describe(index, members[g], label, split) for g in first],
    }


def label_names(index: pa.Table) -> NDArray[np.str_]:
    """The label column as "REAL", "FAKE" or "", (n,), whether it is stored as names or as 1, 0 and -1."""
    labels = index.column("label").to_pylist()
    names = {0: "REAL", 1: "FAKE", "REAL": "REAL", "FAKE": "FAKE"}
    return np.asarray([names.get(label, "") for label in labels], dtype=np.str_)


def _crossing(splits: NDArray[np.str_]) -> int:
    """How many of these equal images are test images, provided one is a training image."""
    return int((splits == "test").sum()) if (splits == "train").any() else 0


def _describe(
    index: pa.Table, group: NDArray[np.int64], label: NDArray[np.str_], split: NDArray[np.str_]
) -> dict[str, Any]:
    shown = group[:MAX_MEMBERS]
    rows = index.column("row").take(pa.array(shown)).to_pylist()
    paths = index.column("path").take(pa.array(shown)).to_pylist()
    return {
        "pixel_sha256": index.column("pixel_sha256")[int(group[0])].as_py(),
        "count": len(group),
        "members": [
            {"row": row, "path": path, "label": str(label[i]), "split": str(split[i])}
            for row, path, i in zip(rows, paths, shown.tolist(), strict=True)
        ],
    }
