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
_COEFFICIENTS = 16


def near_pairs(thumbnails: NDArray[np.uint8], aspect: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of places i < j whose small pictures (n, 8, 8, 3) nearly agree, sorted.

    aspect: width / height of each image, which may differ by 5 % at most. Candidates are neighbours in the 16 main
    components of the grey pictures: a projection never lengthens a distance, so none is missed.
    """
    from scipy.spatial import cKDTree

    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    grey = thumbnails.mean(axis=3, dtype=np.float32).reshape(len(thumbnails), -1)
    grey -= grey.mean(axis=1, keepdims=True)
    clear = np.flatnonzero(grey.std(axis=1) >= LEAST_CONTRAST)
    if len(clear) < 2:
        return np.empty((0, 2), np.int64)
    unit = grey[clear] / np.linalg.norm(grey[clear], axis=1, keepdims=True)
    main = np.linalg.eigh(unit.T @ unit)[1][:, -_COEFFICIENTS:]
    tree = cKDTree(unit @ main)
    while tree.count_neighbors(tree, NEAR) - len(clear) > 2 * MOST_PAIRS:  # counted without being held
        clear, unit = clear[::2], unit[::2]
        tree = cKDTree(unit @ main)
    found = tree.query_pairs(NEAR, output_type="ndarray").astype(np.int64)
    kept = []
    for start in range(0, len(found), 100_000):
        part = found[start : start + 100_000]
        one, other = clear[part[:, 0]], clear[part[:, 1]]
        distance = np.linalg.norm(unit[part[:, 0]] - unit[part[:, 1]], axis=1)
        apart = np.sqrt(((flat[one] - flat[other]) ** 2).mean(axis=1))
        shape = np.abs(np.log(aspect[one] / aspect[other]))
        kept.append(np.column_stack([one, other])[(distance <= NEAR) & (apart <= LEVELS) & (shape <= 0.05)])
    pairs = np.concatenate(kept) if kept else np.empty((0, 2), np.int64)
    pairs = np.sort(pairs, axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


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
