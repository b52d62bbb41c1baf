"""Curves of a detector: receiver operating characteristic, and reliability with its expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.metrics import Floats, Labels

RELIABILITY_BINS = 15
ROC_POINTS = 200
NOTHING_IS_FAKE = float(np.nextafter(1.0, 2.0))
"""The threshold of a ROC curve's first point: just above 1, so that no image reaches it."""


def roc_curve(y: Labels, probabilities: Floats, threshold: float, points: int = ROC_POINTS) -> dict[str, list[float]]:
    """`{"fpr", "tpr", "thresholds"}` from (0, 0) to (1, 1), thinned to `points`; empty lists with one class only.

    Thresholds are probabilities: an image at or above one is called FAKE. The ends and the operating point always
    stay, the latter with exactly `threshold` as its threshold; the others are spread evenly along the curve.
    """
    fakes = int(np.count_nonzero(y == 1))
    reals = len(y) - fakes
    if fakes == 0 or reals == 0:
        return {"fpr": [], "tpr": [], "thresholds": []}
    order = np.argsort(-probabilities, kind="stable")
    values = probabilities[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    hits = np.cumsum(y[order] == 1)[last_of_tie]
    tpr = np.append(0.0, hits / fakes)
    fpr = np.append(0.0, (last_of_tie + 1 - hits) / reals)
    thresholds = np.append(NOTHING_IS_FAKE, values[last_of_tie])
    operating = int(np.count_nonzero(thresholds >= threshold)) - 1
    thresholds[max(operating, 0)] = threshold
    keep = _thin(fpr + tpr, max(operating, 0), points)
    return {"fpr": fpr[keep].tolist(), "tpr": tpr[keep].tolist(), "thresholds": thresholds[keep].tolist()}


def _thin(along: Floats, operating: int, points: int) -> NDArray[np.intp]:
    if len(along) <= points:
        return np.arange(len(along))
    spread = np.searchsorted(along, np.linspace(0.0, along[-1], points - 1))
    return np.unique(np.append(spread[1:-1], [0, operating, len(along) - 1]))


@dataclass(frozen=True)
class Reliability:
    """Probabilities in bins over 0..1, 15 of equal width or at most 15 of equal mass; arrays of their number."""

    edges: Floats  # of the bins, one more than there are
    fakes: NDArray[np.int64]  # FAKE images in each bin
    reals: NDArray[np.int64]
    fake_mass: Floats  # sum of the FAKE images' probabilities in each bin
    real_mass: Floats

    @property
    def error(self) -> float | None:
        """Expected calibration error: mean |share of FAKE - mean probability| over bins, weighted by images.

        Guo et al. 2017, whose 15 bins of equal width let figures compare; with bins of equal mass (Nguyen and O'Connor
        2015) none is decided by a few images. None without images.
        """
        total = int(self.fakes.sum() + self.reals.sum())
        if total == 0:
            return None
        return float(np.abs(self.fakes - self.fake_mass - self.real_mass).sum()) / total

    def rows(self) -> list[dict[str, float | int]]:
        """One row per bin that holds an image: `lo, hi, count, mean_probability, fraction_fake`."""
        edges = self.edges.tolist()
        counts = self.fakes + self.reals
        return [
            {
                "lo": edges[i],
                "hi": edges[i + 1],
                "count": int(counts[i]),
                "mean_probability": float((self.fake_mass[i] + self.real_mass[i]) / counts[i]),
                "fraction_fake": float(self.fakes[i] / counts[i]),
            }
            for i in np.flatnonzero(counts).tolist()
        ]


def bin_reliability(y: Labels, probabilities: Floats) -> Reliability:
    """Counts and sums of probability by bin of equal width and class. A bin holds lo <= p < hi, the last p = 1 too."""
    index = np.minimum((probabilities * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    return _bin(y, probabilities, index, np.linspace(0.0, 1.0, RELIABILITY_BINS + 1))


def bin_by_mass(y: Labels, probabilities: Floats) -> Reliability:
    """The same in bins of about equally many images; equal probabilities stay together, so there may be fewer bins."""
    if len(probabilities) == 0:
        return bin_reliability(y, probabilities)
    shares = np.linspace(0.0, 1.0, RELIABILITY_BINS + 1)[1:-1]
    inner = np.unique(np.quantile(probabilities, shares, method="higher"))
    inner = inner[inner > probabilities.min()]
    index = np.searchsorted(inner, probabilities, side="right").astype(np.int64)
    return _bin(y, probabilities, index, np.concatenate([[0.0], inner, [1.0]]))


def _bin(y: Labels, probabilities: Floats, index: NDArray[np.int64], edges: Floats) -> Reliability:
    fake, bins = y == 1, len(edges) - 1

    def count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(index[mask], minlength=bins).astype(np.int64)

    def weigh(mask: NDArray[np.bool_]) -> Floats:
        return np.bincount(index[mask], weights=probabilities[mask], minlength=bins).astype(np.float64)

    return Reliability(edges, count(fake), count(~fake), weigh(fake), weigh(~fake))
