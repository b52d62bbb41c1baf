"""Images that are nearly the same picture: saved again, scaled, or slightly retouched.

Crops and mirror images are not found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.core.eda_duplicates import label_names

NEAR = 0.1
"""Largest distance of two small pictures, each less its mean and of unit norm: a correlation of 0.995."""

LEVELS = 6.0
"""Largest root mean square difference of two small pictures, in levels of 255."""

LEAST_CONTRAST = 4.0
"""Standard deviation in levels below which a small picture is too flat to be recognised."""

MOST_PAIRS = 2_000_000
"""Where images make more candidates, half of them are compared, or a quarter: thousands of one picture do that."""

MOST_SHOWN = 20
_BLOCK = 512  # rows that are compared with others at once: 8 MB of answers


def near_pairs(thumbnails: NDArray[np.uint8], aspect: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of places i < j whose small pictures (n, 8, 8, 3) nearly agree, sorted.

    aspect: width / height of each image, which may differ by 5 % at most.
    """
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    grey = thumbnails.mean(axis=3, dtype=np.float32).reshape(len(thumbnails), -1)
    grey -= grey.mean(axis=1, keepdims=True)
    clear = np.flatnonzero(grey.std(axis=1) >= LEAST_CONTRAST)
    unit = grey[clear] / np.linalg.norm(grey[clear], axis=1, keepdims=True)
    while (found := _within(unit, NEAR)) is None:
        clear, unit = clear[::2], unit[::2]
    kept = []
    for start in range(0, len(found), 100_000):
        one, other = clear[found[start : start + 100_000]].T
        apart = np.sqrt(((flat[one] - flat[other]) ** 2).mean(axis=1))
        shape = np.abs(np.log(aspect[one] / aspect[other]))
        kept.append(np.column_stack([one, other])[(apart <= LEVELS) & (shape <= 0.05)])
    pairs = np.sort(np.concatenate(kept), axis=1) if kept else np.empty((0, 2), np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _within(unit: NDArray[np.float32], distance: float) -> NDArray[np.int64] | None:
    """Pairs (m, 2) of rows of unit length (n, d) at most so far apart; None where there are more than MOST_PAIRS.

    Rows are compared by products of matrices, those alone whose main components are near enough: a projection never
    lengthens a distance, so none is missed. A k-d tree of 16 components takes twenty times as long.
    """
    main = unit @ np.linalg.eigh(unit.T @ unit)[1][:, -1]
    order = np.argsort(main)
    main, unit = main[order], unit[order]
    least = np.float32(1.0 - distance**2 / 2.0)  # |a - b|² = 2 - 2 a·b
    found, count = [np.empty((0, 2), np.int64)], 0
    for start in range(0, len(unit), _BLOCK):
        rows = unit[start : start + _BLOCK]
        end = int(np.searchsorted(main, main[start + len(rows) - 1] + distance, side="right"))
        for first in range(start, end, _BLOCK * 8):
            near = rows @ unit[first : min(end, first + _BLOCK * 8)].T >= least
            one, other = np.divmod(np.flatnonzero(near), near.shape[1])
            pairs = np.column_stack([one + start, other + first])
            found.append(order[pairs[pairs[:, 0] < pairs[:, 1]]])
            count += len(found[-1])
            if count > MOST_PAIRS:
                return None
    return np.concatenate(found)


def describe_pairs(pairs: NDArray[np.int64], index: pa.Table) -> dict[str, Any]:
    """`{pairs, images, across_classes, across_groups, test_images_like_train, first}` as JSON.

    pairs and images: of near-duplicates; across_classes: pairs of one REAL and one FAKE image; across_groups: pairs
    that nothing keeps together in a split; test_images_like_train: test images with a near-duplicate in train;
    first: up to 20 pairs `{rows, paths, labels}`, those of different groups, splits and classes first. index:
    columns row, path, label, split, group_id.
    """
    label = label_names(index)
    split = np.asarray([name or "" for name in index.column("split").to_pylist()], dtype=np.str_)
    groups = index.column("group_id").to_numpy()
    one, other = pairs[:, 0], pairs[:, 1]
    crossing = ((split[one] == "test") & (split[other] == "train")) | (
        (split[one] == "train") & (split[other] == "test")
    )
    of_test = np.concatenate([pairs[crossing & (split[pairs[:, side]] == "test"), side] for side in (0, 1)])
    mixed = (label[one] != label[other]) & (label[one] != "") & (label[other] != "")
    apart = groups[one] != groups[other]
    shown = np.lexsort((np.arange(len(pairs)), ~mixed, ~crossing, ~apart))[:MOST_SHOWN]
    rows, paths = index.column("row"), index.column("path")
    return {
        "pairs": len(pairs),
        "images": len(np.unique(pairs)),
        "across_classes": int(mixed.sum()),
        "across_groups": int(apart.sum()),
        "test_images_like_train": len(np.unique(of_test)),
        "first": [
            {
                "rows": [rows[i].as_py() for i in pair],
                "paths": [paths[i].as_py() for i in pair],
                "labels": [str(label[i]) for i in pair],
            }
            for pair in pairs[shown].tolist()
        ],
    }
