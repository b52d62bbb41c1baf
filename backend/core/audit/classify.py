"""How well a few plain numbers tell the classes apart: cross-validated by whole groups, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.intervals import auroc_interval
from backend.core.metrics import auroc
from backend.core.splits import folds, thin

MOST_IMAGES = 10_000
"""Images that a classifier is fitted and judged on; of more a sample is taken, groups whole."""

LEAST_GROUPS = 5
"""Groups of images that each class must have: below, nothing can be said."""

FOLDS = 5
TREES = 50


@dataclass(frozen=True)
class Separation:
    """How far REAL and FAKE lie apart in some columns."""

    auroc: float  # of scores out of fold: 0.5 chance, 1 perfect
    low: float  # limits of its 95 % interval
    high: float
    images: int  # that it was measured on

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to four decimals."""
        return {"auroc": round(self.auroc, 4), "interval": [round(self.low, 4), round(self.high, 4)], "n": self.images}


def sample(y: NDArray[np.int8], groups: NDArray[np.int64], seed: int = 0) -> NDArray[np.bool_]:
    """Mask (n,) of the images that the classifiers look at: labelled ones, at most about MOST_IMAGES, groups whole."""
    known = np.flatnonzero(y >= 0)
    mask = np.zeros(len(y), bool)
    mask[known[thin(groups[known], y[known], MOST_IMAGES, seed)]] = True
    return mask


def separate(
    columns: NDArray[np.float64], y: NDArray[np.int8], groups: NDArray[np.int64], seed: int = 0
) -> Separation | None:
    """How well random trees tell FAKE (y 1) from REAL (0) by `columns` (n, d), NaN where a value is not known.

    Scores come from trees that did not see the image's group (five folds). Trees, since a leak need not be monotone:
    one size among many gives a class away too (extremely randomised ones: Geurts, Ernst and Wehenkel 2006). None where
    a class has fewer than LEAST_GROUPS groups.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    if any(len(np.unique(groups[y == label])) < LEAST_GROUPS for label in (0, 1)):
        return None
    varying = columns[:, [len(np.unique(column)) > 1 for column in columns.T]]
    if varying.shape[1] == 0:  # the same for all: chance
        return Separation(0.5, 0.5, 0.5, len(y))
    fold = folds(groups, y, FOLDS, seed)
    scores = np.zeros(len(y))
    for number in range(FOLDS):
        held_out = fold == number
        if not held_out.any() or len(np.unique(y[~held_out])) < 2:
            continue
        leaf = int(np.clip(len(y) // 500, 2, 20))
        trees = ExtraTreesClassifier(TREES, min_samples_leaf=leaf, random_state=seed, n_jobs=1)
        trees.fit(varying[~held_out], y[~held_out])
        scores[held_out] = trees.predict_proba(varying[held_out])[:, 1]
    area, limits = auroc(y, scores), auroc_interval(y, scores)
    if area is None or limits is None:
        return None
    return Separation(area, *limits, len(y))


def one_sided_auroc(y: NDArray[np.int8], values: NDArray[np.float64]) -> float | None:
    """AUROC of one number (n,), whichever way it points: 0.5..1, rounded; None with one class only."""
    area = auroc(y, values)
    return None if area is None else round(max(area, 1.0 - area), 4)
