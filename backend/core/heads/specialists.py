"""Specialists for generators of which there are few images: directions away from REAL, learnt from 10 or 50 each.

Imports SciPy: import this module only where a fit runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from backend.core.errors import ConfigError
from backend.core.heads.metric import COLUMNS, ROWS, correlation_of
from backend.core.heads.rows import centre_and_scale

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]

LEAST_PENALTY = 0.3
"""Added to each eigenvalue of the correlation of REAL; features by rows come on top, for what few rows cannot tell."""

RISKED = 0.4
"""Share that all specialists together weigh beside the head of all FAKE images."""

TEMPER = 0.7
"""Likelihood ratios are raised to this power: calibration on a few dozen images is too sure of itself."""

_FOLDS = 5
_WEAKEST = 0.05  # distance, in standard deviations of REAL, that a specialist is credited with at least


@dataclass(frozen=True)
class Whitening:
    """Raw features -> coordinates in which REAL images have nearly independent features of variance 1 or less."""

    mean: Rows  # (d,)
    scale: Rows  # (d,)
    root: Floats  # (d, d), lower triangular: correlation of REAL + penalty = root @ root.T

    @classmethod
    def of(cls, real: Rows) -> Whitening:
        """From the features of REAL images, (n, d). Raises ConfigError where there are too many features."""
        if real.shape[1] > COLUMNS:
            raise ConfigError(
                f"The head multi was given {real.shape[1]} numbers an image.", f"Use extractors of at most {COLUMNS}."
            )
        mean, scale = centre_and_scale(real)
        correlation = correlation_of(real, mean, scale)
        penalty = LEAST_PENALTY + real.shape[1] / min(len(real), ROWS)
        correlation[np.diag_indices_from(correlation)] += np.float32(penalty)
        return cls(mean, scale, cholesky(correlation, lower=True, check_finite=False).astype(np.float64))

    def apply(self, X: Rows) -> Floats:
        """(n, d) for raw features (n, d)."""
        standard = ((X - self.mean) / self.scale).astype(np.float64)
        white: Floats = solve_triangular(self.root, standard.T, lower=True, check_finite=False).T
        return white

    def weights(self, directions: Floats) -> Floats:
        """(d, k) on raw features, for directions (k, d) in white coordinates; the offset is that of the REAL mean."""
        back = solve_triangular(self.root, directions.T, lower=True, trans="T", check_finite=False)
        scaled: Floats = back / self.scale[:, None]
        return scaled


def shrunk_means(samples: Sequence[Floats], known: Floats) -> Floats:
    """Means of the samples (k, d), each drawn towards what it shares with the others and with the `known` ones (j, d).

    Efron and Morris 1972 (Biometrika 59): with M the means, G = M M' and N their sampling noise, the estimate of the
    true means is (G - N) G^-1 M. A direction that several generators share is learnt from the images of all.
    """
    means = np.concatenate([np.stack([sample.mean(axis=0) for sample in samples]), known])
    noise = np.zeros(len(means))
    noise[: len(samples)] = [sample.var(axis=0, ddof=1).sum() / len(sample) for sample in samples]
    values, vectors = np.linalg.eigh(means @ means.T - np.diag(noise))
    shared = (vectors * np.maximum(values, 1e-4 * max(values[-1], 1e-9))) @ vectors.T
    total = shared + np.diag(noise + 1e-8 * np.trace(shared) / len(shared))
    estimate: Floats = shared @ np.linalg.solve(total, means)
    return estimate[: len(samples)]


def unseen_scores(samples: Sequence[Floats], known: Floats, seed: int) -> list[Floats]:
    """Each sample's rows along the direction that was learnt without them, (n_k,): five-fold."""
    random = np.random.default_rng(seed)
    folds = [random.permutation(len(sample)) % _FOLDS for sample in samples]
    scores = [np.empty(len(sample)) for sample in samples]
    for fold in range(_FOLDS):
        rest = [sample[part != fold] for sample, part in zip(samples, folds, strict=True)]
        for k, direction in enumerate(shrunk_means(rest, known)):
            held_out = folds[k] == fold
            scores[k][held_out] = samples[k][held_out] @ (direction / max(np.linalg.norm(direction), 1e-12))
    return scores


def few_shot(
    whitening: Whitening, real: Rows, samples: Sequence[Rows], known: Sequence[Rows], seed: int
) -> tuple[Rows, Floats]:
    """(weights (d, k), intercepts (k,)) of a specialist for each of the samples of raw features (n_k, d).

    A specialist's term is the tempered log likelihood ratio of two Gaussians of one variance along its direction,
    calibrated on rows that it has not seen, plus the log of its share of RISKED. `whitening` is of REAL
    images, `real` (n, d) are those that set its scale. `known` are the features of other FAKE images, by generator.
    """
    white = [whitening.apply(sample) for sample in samples]
    others = [whitening.apply(rows.mean(axis=0, keepdims=True)) for rows in known]
    shifts = np.concatenate([np.zeros((0, real.shape[1])), *others])
    directions = shrunk_means(white, shifts)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    raw = whitening.weights(directions)
    along = (real[:: -(-len(real) // ROWS)] - whitening.mean) @ raw
    slopes, offsets = np.empty(len(samples)), np.empty(len(samples))
    for k, unseen in enumerate(unseen_scores(white, shifts, seed)):
        spread = (along[:, k].var() + unseen.var()) / 2 + 1e-12
        distance = max(unseen.mean() - along[:, k].mean(), _WEAKEST * np.sqrt(spread))
        slopes[k] = TEMPER * distance / spread
        offsets[k] = -slopes[k] * (along[:, k].mean() + distance / 2) + np.log(RISKED / len(samples))
    weights: Rows = (raw * slopes).astype(np.float32)
    return weights, offsets - whitening.mean @ weights.astype(np.float64)
