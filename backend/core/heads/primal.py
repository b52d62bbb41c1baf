"""Linear classifiers solved in the primal: logistic regression and the L2 support vector machine, on standardised rows.

scikit-learn's own solvers reach the same optimum (a test compares them) but copy a dense matrix to wider numbers, which
100,000 rows do not allow in 3 GiB, or take ten times the iterations on correlated features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import expit

from backend.core.heads.metric import CURVATURE, Metric
from backend.core.heads.rows import chunks, class_weights

Floats = NDArray[np.float64]

BLOCK = 512
"""Rows whose margins and gradient are computed together: the second reading finds them in the processor's cache."""


class PrimalLinear:
    """Minimises 1/2 |w|² + C Σ weight_i · loss(y_i (w·x_i + b)) over standardised rows x; b is not penalised.

    loss is log(1 + exp(-m)) ("log_loss") or max(0, 1 - m)² ("squared_hinge"; Chapelle 2007, "Training a support vector
    machine in the primal"). Solved by L-BFGS in the coordinates R'w, R R' = curvature · covariance + penalty: there the
    problem is nearly round, so 20 to 40 passes over the rows are enough. Rows are read in float32 and never copied.
    """

    def __init__(
        self,
        loss: str = "log_loss",
        C: float = 1.0,
        class_weight: str | None = None,
        tol: float = 1e-7,
        max_iter: int = 300,
    ) -> None:
        self.loss = loss
        self.C = C
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter

    def fit(
        self,
        X: NDArray[np.float32],
        y: NDArray[np.int8],
        metric: Metric | None = None,
        start: NDArray[np.float64] | None = None,
        each_pass: Callable[[int], None] | None = None,
    ) -> PrimalLinear:
        """Sets coef_ (d,) and intercept_ on raw features. `start` is a former `solution_` of the same metric."""
        metric = metric or Metric(X)
        weights = class_weights(y, self.class_weight)
        objective = _Objective(X, y, self.loss, 1.0 / (self.C * len(X)), weights, metric, each_pass)
        result = minimize(
            objective,
            np.zeros(X.shape[1] + 1) if start is None else objective.to_round(start),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "ftol": self.tol, "gtol": 1e-6},
        )
        self.solution_ = objective.from_round(result.x)
        self.coef_ = (self.solution_[:-1] / metric.scale).astype(np.float32)
        self.intercept_ = float(self.solution_[-1] - metric.mean.astype(np.float64) @ self.coef_.astype(np.float64))
        self.mean_ = metric.mean
        self.n_iter_ = int(result.nit)
        return self

    def decision_function(self, X: NDArray[np.float32]) -> Floats:
        """Log-odds or margin of class 1, (n,)."""
        return (X @ self.coef_).astype(np.float64) + self.intercept_

    def loss_on(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> float:
        """Mean of the loss over rows, without penalty and class weights."""
        margins = self.decision_function(X) * np.where(y > 0, 1, -1)
        return float(_loss_and_slope(self.loss, margins.astype(np.float32))[0].mean())


@dataclass
class _Objective:
    """Mean loss plus penalty and their gradient in the round coordinates: v -> (value, gradient)."""

    X: NDArray[np.float32]
    y: NDArray[np.int8]
    loss: str
    penalty: float
    weights: NDArray[np.float32]
    metric: Metric
    each_pass: Callable[[int], None] | None

    def __post_init__(self) -> None:
        self.signs = np.where(self.y > 0, 1, -1).astype(np.float32)
        self.passes = 0
        self.bias_root = np.sqrt(CURVATURE[self.loss])
        self.root = self.metric.root(self.loss, self.penalty)

    def from_round(self, v: Floats) -> Floats:
        """Weights on standardised features and intercept, (d + 1,)."""
        w = (
            v[:-1]
            if self.root is None
            else solve_triangular(self.root, v[:-1], lower=True, trans="T", check_finite=False)
        )
        return np.append(w, v[-1] / self.bias_root)

    def to_round(self, solution: Floats) -> Floats:
        """The inverse of `from_round`."""
        w = solution[:-1] if self.root is None else self.root.T @ solution[:-1]
        return np.append(w, solution[-1] * self.bias_root)

    def __call__(self, v: Floats) -> tuple[float, Floats]:
        self.passes += 1
        if self.each_pass is not None:
            self.each_pass(self.passes)
        solution = self.from_round(v)
        w, b = solution[:-1], solution[-1]
        raw = w / self.metric.scale
        narrow, offset = raw.astype(np.float32), np.float32(b - self.metric.mean @ raw)
        loss, total, by_raw = 0.0, 0.0, np.zeros(len(raw))
        for rows in chunks(len(self.X), BLOCK):
            margins = (self.X[rows] @ narrow + offset) * self.signs[rows]
            values, slopes = _loss_and_slope(self.loss, margins)
            slopes *= self.signs[rows] * self.weights[rows]
            loss += float(values @ self.weights[rows])
            total += float(slopes.sum(dtype=np.float64))
            by_raw += slopes @ self.X[rows]
        by_w = (by_raw - total * self.metric.mean) / self.metric.scale / len(self.X) + self.penalty * w
        by_v = by_w if self.root is None else solve_triangular(self.root, by_w, lower=True, check_finite=False)
        value = loss / len(self.X) + 0.5 * self.penalty * float(w @ w)
        return value, np.append(by_v, total / len(self.X) / self.bias_root)


def _loss_and_slope(loss: str, margins: NDArray[np.float32]) -> tuple[Floats, NDArray[np.float32]]:
    """(loss, its derivative by the margin) of each row."""
    if loss == "log_loss":
        return np.logaddexp(0.0, -margins.astype(np.float64)), -expit(-margins)
    short = np.maximum(0, 1 - margins)
    return np.square(short.astype(np.float64)), -2 * short
