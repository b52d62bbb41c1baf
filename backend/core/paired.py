"""Two models on the same images: who is right where the other is wrong, and whether that may be chance.

Images count as independent draws, as in `intervals`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.intervals import Interval, wilson

LEVEL = 0.05
"""Chance to call a difference real where there is none."""

_NEGLIGIBLE = 1e-17


def compare_calls(y: NDArray[np.int8], first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, Any]:
    """The images by who is right, both accuracies, their difference (first - second) and what chance makes of it.

    `y` are (n,) labels with 1 for FAKE and n > 0, `first` and `second` (n,) whether a model calls the same image FAKE.
    The answer, as JSON: `n, both_right, only_first, only_second, neither, accuracy_first, accuracy_second, difference,
    interval` at 95 %, `p` of `mcnemar` and `significant`, p < LEVEL.
    """
    right, other = first == (y == 1), second == (y == 1)
    both, neither = int((right & other).sum()), int((~right & ~other).sum())
    only_first, only_second = int((right & ~other).sum()), int((~right & other).sum())
    n, p = len(y), mcnemar(only_first, only_second)
    return {
        "n": n,
        "both_right": both,
        "only_first": only_first,
        "only_second": only_second,
        "neither": neither,
        "accuracy_first": (both + only_first) / n,
        "accuracy_second": (both + only_second) / n,
        "difference": (only_first - only_second) / n,
        "interval": list(difference_interval(both, only_first, only_second, neither)),
        "p": p,
        "significant": p < LEVEL,
    }


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p that models of equal accuracy differ on so many images by chance (McNemar 1947, exact).

    Of the images on which one model alone is right, each is as likely the one's as the other's: p is twice the lower
    tail of a binomial distribution with probability 1/2, at most 1. Summed from the largest term down, relative to it.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    total = term = 1.0
    for k in range(fewer, 0, -1):
        term *= k / (n - k + 1)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    largest = math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2)
    return min(1.0, 2.0 * math.exp(largest) * total)


def difference_interval(both: int, only_first: int, only_second: int, neither: int) -> Interval:
    """95 % interval of the difference of two accuracies on the same images; -1..1 without any image.

    Square and add of Wilson's limits, less what the correlation of both models explains, corrected for continuity
    (Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10).
    """
    n = both + only_first + only_second + neither
    hits, other_hits = both + only_first, both + only_second
    limits, other = wilson(hits, n), wilson(other_hits, n)
    if limits is None or other is None:
        return -1.0, 1.0
    p, q = hits / n, other_hits / n
    excess = float(both * neither - only_first * only_second)
    if excess > 0:
        excess = max(excess - n / 2, 0.0)
    spread = math.sqrt(hits * (n - hits) * other_hits * (n - other_hits))
    phi = excess / spread if spread else 0.0

    def reach(one: float, another: float) -> float:
        return math.sqrt(max(0.0, one * one - 2.0 * phi * one * another + another * another))

    return p - q - reach(p - limits[0], other[1] - q), p - q + reach(limits[1] - p, q - other[0])
