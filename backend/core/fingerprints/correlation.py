"""How alike residuals and fingerprints are: the normalised correlation (Marra et al. 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def normalised(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, height · width · 3) of length 1, for residuals (n, height, width, 3), each colour's mean taken away."""
    flat = np.asarray(rows, np.float32)
    flat = (flat - flat.mean(axis=(1, 2), keepdims=True)).reshape(len(flat), -1)
    lengths = np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))[:, None]
    result: NDArray[np.float32] = flat / np.maximum(lengths, 1e-9).astype(np.float32)
    return result


def correlations(rows: NDArray[np.floating], fingerprint: NDArray[np.floating]) -> Floats:
    """(n,) in -1..1, of residuals (n, height, width, 3) with a fingerprint (height, width, 3)."""
    result: Floats = (normalised(rows) @ normalised(fingerprint[None])[0]).astype(np.float64)
    return result


def left_out(rows: NDArray[np.floating], total: NDArray[np.float64], count: int) -> Floats:
    """(n,): each residual's correlation with the mean of the other images, (total - residual) / (count - 1).

    `total` (height, width, 3) is the sum of the residuals of all `count` images, these among them. Exact, and as cheap
    as one correlation. Raises ValueError for one image alone.
    """
    if count < 2:
        raise ValueError("one image has no others")
    found = np.empty(len(rows))
    for i, row in enumerate(np.asarray(rows, np.float32)):
        found[i] = correlations(row[None], (total - row) / (count - 1))[0]
    return found


def floor(pixels: int) -> float:
    """Standard deviation of a residual's correlation with a fingerprint that it does not have: 1 / sqrt(numbers).

    For white residuals of three independent colours over `pixels` pixels; images are coloured and lie above it.
    """
    return float(1 / np.sqrt(3 * pixels))
