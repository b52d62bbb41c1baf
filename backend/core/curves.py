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
    """Probabilities in 15 bins of equal width over 0..1; arrays of that length."""

    fakes: NDArray[np.int64]  # FAKE images in each bin
    reals: NDArray[np.int64]
    fake_mass: Floats  # sum of the FAKE images' probabilities in each bin
    real_mass: Floats

    @property
    def error(self) -> float | None:
        """Expected calibration error: mean |share of FAKE - mean probability| over bins, weighted by images.

        Guo et al. 2017, with the 15 equal-width bins of that paper so that figures compare; None without images.
        """
        total = int(self.fakes.sum() + self.reals.sum())
        if total == 0:
            return None
        return float(np.abs(self.fakes - self.fake_mass - self.real_mass).sum()) / total

    def rows(self) -> list[dict[str, float | int]]:
        """One row per bin that holds an image: `lo, hi, count, mean_probability, fraction_fake`."""
        edges = np.linspace(0.0, 1.0, RELIABILITY_BINS + 1).tolist()
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
    """Counts and sums of probability by bin and class. A bin holds lo <= p < hi, the last one p = 1 as well."""
    index = np.minimum((probabilities * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    fake = y == 1

    def count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(index[mask], minlength=RELIABILITY_BINS).astype(np.int64)

    def weigh(mask: NDArray[np.bool_]) -> Floats:
        return np.bincount(index[mask], weights=probabilities[mask], minlength=RELIABILITY_BINS).astype(np.float64)

    return Reliability(count(fake), count(~fake), weigh(fake), weigh(~fake))
