"""What is known of feature rows before a fit: their scale, and the shape of the problem for the solver."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky

from backend.core.heads.rows import centre_and_scale, chunks

Floats = NDArray[np.float64]

CURVATURE = {"log_loss": 0.1, "squared_hinge": 1.0}
"""Typical second derivative of a loss by the margin, for the preconditioner; it changes the speed, not the answer."""

ROWS = 20_000
"""Rows that estimate the features' covariance for the preconditioner."""

COLUMNS = 8192
"""With more features than this the preconditioner is diagonal: a Cholesky factor would take minutes."""

NEAR = 1.25
"""A factor for a penalty within this ratio of the one asked for is as good."""


class Metric:
    """Mean, scale, and the correlation of a sample of the rows. Fits may share it.

    Without `standardise` the rows are taken as they are: mean 0 and scale 1. With `like` the correlation is that of
    another metric, of rows of the same kind: as good for the solver's speed, and its factors are made once for all.
    """

    def __init__(self, X: NDArray[np.float32], *, standardise: bool = True, like: Metric | None = None) -> None:
        width = X.shape[1]
        self.mean, self.scale = np.zeros(width, np.float32), np.ones(width, np.float32)
        if standardise:
            self.mean, self.scale = centre_and_scale(X)
        self._shape: _Shape = (
            like._shape
            if like is not None
            else _Shape(None if width > COLUMNS else correlation_of(X, self.mean, self.scale))
        )

    def root(self, loss: str, penalty: float) -> Floats | None:
        """Lower triangular R (d, d) with R R' near curvature · correlation + penalty; None: take the identity."""
        return self._shape.root(loss, penalty)


def correlation_of(
    X: NDArray[np.float32], mean: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(d, d), of about ROWS of the rows X (n, d) at most; mean and scale (d,) are those of the columns."""
    sample = X[:: max(1, -(-len(X) // ROWS))]
    correlation = np.zeros((X.shape[1], X.shape[1]), np.float32)
    for rows in chunks(len(sample)):
        standard = (sample[rows] - mean) / scale
        correlation += standard.T @ standard
    correlation /= len(sample)
    return correlation


@dataclass
class _Shape:
    """A correlation and its latest factor."""

    correlation: NDArray[np.float32] | None
    latest: tuple[str, float] | None = None  # loss and penalty of `factor`
    factor: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def root(self, loss: str, penalty: float) -> Floats | None:
        if self.correlation is None:
            return None
        near = self.latest is not None and self.latest[0] == loss and 1 / NEAR < penalty / self.latest[1] < NEAR
        if not near:
            self.latest, self.factor = (loss, penalty), _factor(self.correlation, CURVATURE[loss], penalty)
        return self.factor


def _factor(correlation: NDArray[np.float32], curvature: float, penalty: float) -> Floats:
    """The Cholesky factor, in float32 where that will do: it is several times as fast."""
    curved = np.float32(curvature) * correlation
    curved[np.diag_indices_from(curved)] += penalty + 1e-5
    try:
        narrow: NDArray[np.float32] = cholesky(curved, lower=True, check_finite=False)
    except LinAlgError:  # features that nearly repeat each other
        wide: Floats = cholesky(curved.astype(np.float64), lower=True, overwrite_a=True, check_finite=False)
        return wide
    return narrow.astype(np.float64)
