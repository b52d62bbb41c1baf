"""Scores of training images by heads that did not see them: what calibrates where there are few validation images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.heads import HeadConfig, fit_head
from backend.core.held_out import Rows, both
from backend.core.splits import folds

CROSS_FIT_MOST = 10_000
"""Most training images that cross-fitting looks at: the five extra fits stay small beside a large training set."""

_FOLDS = 5


def score_out_of_fold(
    train: Rows, validation: Rows, config: HeadConfig, seed: int, tell: Callable[[str, float], None]
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int64]]:
    """Scores of every row by a head that did not see the row's group (grouped cross-fitting)."""
    rows = both(_sample(train, seed), validation)
    X, y, groups = rows.X, rows.y, rows.groups
    fold = folds(groups, y, _FOLDS, seed)
    scores = np.full(len(y), np.nan)
    parts = np.unique(fold)
    for done, k in enumerate(parts):
        held_out = fold == k

        def within(_stage: str, share: float, done: int = done) -> None:
            tell("calibrate", (done + share) / len(parts))

        if len(np.unique(y[~held_out])) == 2:
            rest = rows.some(~held_out)
            head = fit_head(rest.X, rest.y, config, groups=rest.groups, generators=rest.generators, progress=within)
            scores[held_out] = head.scores(X[held_out])
    known = np.isfinite(scores)
    return scores[known], y[known], groups[known]


def _sample(rows: Rows, seed: int) -> Rows:
    """About CROSS_FIT_MOST rows, whole groups; all where there are no more."""
    if len(rows.y) <= CROSS_FIT_MOST:
        return rows
    names, counts = np.unique(rows.groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    drawn = order[np.cumsum(counts[order]) <= CROSS_FIT_MOST]
    chosen = np.isin(rows.groups, names[drawn])
    return rows.some(chosen)
