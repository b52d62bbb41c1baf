"""What each place of a map adds to a score that is linear in the map's pooled statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def contributions(statistic: str, maps: NDArray[np.float32], weights: Floats, pooled: Floats, centre: Floats) -> Floats:
    """Shares [height, width] of weights · (pooled - centre), for a map [channels, height, width].

    `pooled` are the map's statistics as the graph computed them, in the order of `weights` and `centre`. The shares of
    a place p of the N places are, with x its values and m, s the channels' mean and deviation:

    mean  w · (x_p - centre) / N
    std   w · ((x_p - m)² / (N s) - centre / N): Euler's share, since s is homogeneous of degree 1 in x - m; 0 for s = 0
    cov   w_ij · ((x_p,i - m_i) (x_p,j - m_j) / N - centre / N), over the pairs i <= j

    They leave the small number under the root of a deviation (w · epsilon / s), and rounding.
    """
    channels, height, width = maps.shape
    x = maps.reshape(channels, -1).astype(np.float64)
    places = x.shape[1]
    if statistic == "mean":
        shares = weights @ x / places
    elif statistic == "std":
        factors = np.divide(weights, pooled * places, out=np.zeros_like(weights), where=pooled > 0)
        shares = factors @ np.square(x - x.mean(axis=1, keepdims=True))
    elif statistic == "cov":
        pairs = np.zeros((channels, channels))
        pairs[np.triu_indices(channels)] = weights
        centred = x - x.mean(axis=1, keepdims=True)
        shares = np.einsum("ip,ij,jp->p", centred, pairs, centred, optimize=True) / places
    else:
        raise ValueError(f"there is no statistic {statistic!r}")
    result: Floats = (shares - float(weights @ centre) / places).reshape(height, width)
    return result


def spread(shares: Floats, height: int, width: int) -> Floats:
    """The shares on a grid of height x width cells, finer or coarser, with the same sum: by the area that overlaps."""
    return _overlap(shares.shape[0], height) @ shares @ _overlap(shares.shape[1], width).T


def _overlap(size_in: int, size_out: int) -> Floats:
    """[size_out, size_in]: which part of each cell of the one grid lies in each of the other; columns add up to 1."""
    low_in, low_out = np.arange(size_in) / size_in, np.arange(size_out)[:, None] / size_out
    both = np.minimum(low_in + 1 / size_in, low_out + 1 / size_out) - np.maximum(low_in, low_out)
    parts = np.maximum(both, 0.0) * size_in
    result: Floats = parts / parts.sum(axis=0)
    return result
