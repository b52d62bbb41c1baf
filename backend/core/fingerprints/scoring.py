"""Evidence of a batch -> how much more likely each enrolled source is than every other explanation.

An image's evidence is a row of numbers, one or two for each of the G enrolled sources: its correlation with that
fingerprint, and where traits are used its discriminant. The mean row of a batch of k images is taken as Gaussian
(two levels, as in Ioffe 2006, "Probabilistic linear discriminant analysis"):

    enrolled source g     N(m_g, W (1 / k + 1 / n_g))    m_g from n_g images, each without itself
    a foreign source      N(m, B + W / k)                m, B from what sources have with the fingerprints of others
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHRINK_WITHIN, SHRINK_BETWEEN = 0.1, 0.5
"""How far W is drawn towards its diagonal, and B: few sources say little about which of them go together."""


@dataclass(frozen=True)
class SourceModel:
    """Means and covariances of evidence rows of d = parts · G numbers, the parts one after the other."""

    means: Floats  # (G, d)
    counts: Floats  # (G,): images behind each mean
    within: Floats  # W, (d, d)
    foreign: Floats  # m, (d,)
    between: Floats  # B, (d, d)

    @cached_property
    def _root(self) -> Floats:
        """Lower triangular, W = root @ root.T."""
        from scipy.linalg import cholesky  # here, for serving processes and workers import this module

        root: Floats = cholesky(self.within, lower=True, check_finite=False)
        return root

    def _whitened(self, rows: Floats) -> Floats:
        from scipy.linalg import solve_triangular  # here, for serving processes and workers import this module

        white: Floats = solve_triangular(self._root, rows.T, lower=True, check_finite=False).T
        return white

    @classmethod
    def fit(
        cls, samples: Sequence[Floats], *, shrink_within: float = SHRINK_WITHIN, shrink_between: float = SHRINK_BETWEEN
    ) -> SourceModel:
        """From evidence rows (n_g, d) of each enrolled source, the image itself always left out."""
        sources = len(samples)
        means = np.stack([rows.mean(axis=0) for rows in samples])
        within = np.mean([np.cov(rows, rowvar=False).reshape(means.shape[1], -1) for rows in samples], axis=0)
        within = _towards_diagonal(within, shrink_within)
        within[np.diag_indices_from(within)] += 1e-9 + 1e-6 * np.diag(within)
        own = np.tile(np.eye(sources, dtype=bool), means.shape[1] // sources)  # which numbers are of the row's source
        strange = np.where(own, np.nan, means)
        if sources == 1:
            foreign, between = np.zeros(means.shape[1]), np.zeros_like(within)
        else:
            foreign = np.nanmean(strange, axis=0)
            deviations = np.where(own, 0.0, means - foreign)
            pairs = np.maximum((~own).T.astype(float) @ (~own) - 1, 1)
            between = _towards_diagonal(deviations.T @ deviations / pairs, shrink_between)
            values, vectors = np.linalg.eigh(between)
            between = (vectors * np.maximum(values, 0.0)) @ vectors.T
        return cls(means, np.array([len(rows) for rows in samples], float), within, foreign, between)

    def z(self, batches: Floats, k: float) -> Floats:
        """(n, G) for the mean rows (n, d) of n batches: the first part in deviations of foreign batches of k images."""
        sources = len(self.means)
        spread = np.sqrt(np.diag(self.between + self.within / k))
        result: Floats = ((batches - self.foreign) / spread)[:, :sources]
        return result

    def scores(self, batches: Floats, k: float) -> Floats:
        """(n, G) nats, for the mean rows (n, d) of n batches of k images each.

        Log likelihood of the source minus that of the best other explanation: another source, or a foreign one.
        """
        shares = 1 / k + 1 / self.counts  # the covariance of a source's mean row, in units of W
        white, points = self._whitened(batches), self._whitened(self.means)
        distances = np.square(white).sum(axis=1)[:, None] + np.square(points).sum(axis=1) - 2 * white @ points.T
        size = self.means.shape[1]
        sources = -0.5 * (distances / shares + size * np.log(shares)) - np.log(np.diag(self._root)).sum()
        foreign = _log_density(batches - self.foreign, self.between + self.within / k)
        table = np.concatenate([sources, foreign[:, None]], axis=1)
        ranked = np.sort(table, axis=1)
        best = ranked[:, -1:]
        rival = np.where(table == best, ranked[:, -2:-1], best)
        result: Floats = (table - rival)[:, :-1]
        return result


def _log_density(deviations: Floats, covariance: Floats) -> Floats:
    """(n,) of a Gaussian, without the constant."""
    from scipy.linalg import cholesky, solve_triangular  # here, for serving processes and workers import this module

    root = cholesky(covariance, lower=True, check_finite=False)
    white = solve_triangular(root, deviations.T, lower=True, check_finite=False)
    result: Floats = -0.5 * np.square(white).sum(axis=0) - np.log(np.diag(root)).sum()
    return result


def _towards_diagonal(matrix: Floats, share: float) -> Floats:
    result: Floats = (1 - share) * matrix + share * np.diag(np.diag(matrix))
    return result
