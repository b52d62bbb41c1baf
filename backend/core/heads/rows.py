"""Statistics of feature rows, chunk by chunk: never a copy of the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 4096
"""Rows handled at once: 40 MB at 2,500 features."""


def chunks(count: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices of at most `size` rows that cover `count` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def centre_and_scale(X: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(mean, standard deviation) of each column, (d,) each; a constant column has scale 1."""
    near = X[:CHUNK].mean(axis=0, dtype=np.float64).astype(np.float32)
    total, square = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for rows in chunks(len(X), CHUNK // 16):  # a part that stays in the processor's cache from one line to the next
        centred = X[rows] - near
        total += centred.sum(axis=0)
        square += np.einsum("ij,ij->j", centred, centred)
    total /= len(X)
    mean = near + total
    scale = np.sqrt(np.maximum(square / len(X) - np.square(total), 0.0))
    scale[scale <= 1e-6 * np.maximum(1.0, np.abs(mean))] = 1.0
    return mean.astype(np.float32), scale.astype(np.float32)


def class_weights(y: NDArray[np.int8], class_weight: str | None) -> NDArray[np.float32]:
    """Weight of each row, (n,) with mean 1: all 1, or with "balanced" the same total for both classes."""
    if class_weight is None:
        return np.ones(len(y), dtype=np.float32)
    counts = np.bincount(y, minlength=2)
    return (len(y) / (2.0 * np.maximum(counts, 1)))[y].astype(np.float32)
