"""Choosing C by grouped cross-validation on a sample of the training rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.metric import Metric
from backend.core.heads.primal import PrimalLinear
from backend.core.splits import folds

GRID = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""Candidates for C, from strong to weak penalty: a factor of three costs less than 0.1 points of accuracy."""

FALLBACK = 0.01
"""C where no fold has both classes on both sides."""

FOLDS = 3
SAMPLE_ROWS = 6_000
"""Most rows that the search looks at; whole groups, so that it may be a few less."""


def choose_c(
    X: NDArray[np.float32],
    y: NDArray[np.int8],
    groups: NDArray[np.int64],
    *,
    loss: str,
    class_weight: str | None,
    seed: int,
    each_fit: Callable[[float], None],
    standardise: bool = True,
) -> tuple[float, dict[str, float]]:
    """(the candidate of the lowest mean loss on held-out rows, that loss for each candidate by its text).

    Each candidate starts from the solution of the one before. `each_fit` is told the share done, 0..1.
    """
    rows = _sample(groups, seed)
    X, y, groups = X[rows], y[rows], groups[rows]
    fold = folds(groups, y, FOLDS, seed)
    parts = [fold == k for k in np.unique(fold)]
    parts = [part for part in parts if len(np.unique(y[~part])) == len(np.unique(y[part])) == 2]
    if not parts:
        return FALLBACK, {}
    shared = Metric(X, standardise=standardise)
    trains = [(X[~part], y[~part]) for part in parts]
    metrics = [Metric(rows, standardise=standardise, like=shared) for rows, _ in trains]
    starts: list[NDArray[np.float64] | None] = [None] * len(parts)
    losses = np.empty((len(parts), len(GRID)))
    for i, C in enumerate(GRID):  # the candidates outside: the folds then share one factor of the metric
        for k, part in enumerate(parts):
            model = PrimalLinear(loss, C, class_weight, tol=1e-4).fit(*trains[k], metrics[k], starts[k])
            starts[k] = model.solution_
            losses[k, i] = model.loss_on(X[part], y[part])
            each_fit((i + (k + 1) / len(parts)) / len(GRID))
    means = losses.mean(axis=0)
    return GRID[int(np.argmin(means))], {f"{C:g}": round(float(m), 5) for C, m in zip(GRID, means, strict=True)}


def _sample(groups: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Rows of randomly drawn whole groups, at most SAMPLE_ROWS unless one group alone is larger."""
    if len(groups) <= SAMPLE_ROWS:
        return np.arange(len(groups))
    names, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    drawn = order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), SAMPLE_ROWS, side="right")))]
    return np.flatnonzero(np.isin(groups, names[drawn]))
