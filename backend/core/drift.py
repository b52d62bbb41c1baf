"""How far the scores that a model gives now are from those that it gave on the images it was tested with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 10
_EMPTY = 0.5
"""Counted into every bin, so that an empty one has a logarithm (Jeffreys' prior)."""


def bin_edges(reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner edges (at most BINS - 1, rising) that cut probabilities (n,) into parts of about equal size."""
    return np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))


def count_bins(probabilities: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many probabilities fall into each of the len(edges) + 1 parts."""
    return np.bincount(np.searchsorted(edges, probabilities, side="right"), minlength=len(edges) + 1)


def stability_index(expected: Sequence[int] | NDArray[np.int64], actual: Sequence[int] | NDArray[np.int64]) -> float:
    """Population stability index (PSI) of two histograms over the same bins: 0 for equal shares, without upper bound.

    The sum over bins of (a - e) * ln(a / e), a and e being shares: the symmetric Kullback-Leibler divergence. Customs
    of its use (below 0.1 little, above 0.25 much): N. Siddiqi, Credit Risk Scorecards, Wiley 2006. Two samples of one
    distribution have about (bins - 1) * (1/n + 1/m) by chance.
    """
    pairs = zip(_shares(expected), _shares(actual), strict=True)
    return sum((a - e) * math.log(a / e) for e, a in pairs)


def _shares(counts: Sequence[int] | NDArray[np.int64]) -> list[float]:
    total = float(sum(counts)) + _EMPTY * len(counts)
    return [(float(count) + _EMPTY) / total for count in counts]
