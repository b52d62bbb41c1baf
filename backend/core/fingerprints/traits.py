"""Features of an image -> how far it lies towards each enrolled source: Fisher's linear discriminants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

RIDGE = 3.0
"""Added to the correlation matrix of features within sources: a few hundred rows say little about 2,416 of them."""

_MOST_ROWS = 4000  # of a source, for the covariance
_MOST_SCORED = 512


@dataclass(frozen=True)
class Discriminants:
    """One direction a source: the covariance within sources, inverted, times its mean minus the mean of all means."""

    mean: Rows  # (d,)
    weights: Rows  # (d, G)

    def apply(self, rows: Rows) -> Floats:
        """(n, G) for features (n, d)."""
        result: Floats = ((rows - self.mean) @ self.weights).astype(np.float64)
        return result

    @classmethod
    def fit(cls, sources: Sequence[Rows], ridge: float = RIDGE) -> tuple[Discriminants, list[Floats]]:
        """From the features (n, d) of each source's images; then (m, G) of their first 512, each without itself.

        An image counts in its source's mean, in the mean of all and in the covariance. Its own score is what it would
        be without it there: for the covariance by the formula of Sherman and Morrison, exact for a fixed scale.
        """
        from scipy.linalg import cho_factor, cho_solve  # here, for serving processes and workers import this module

        rows = [source[:_MOST_ROWS] for source in sources]
        means = np.stack([source.mean(axis=0, dtype=np.float64) for source in rows])
        centre = means.mean(axis=0)
        within = np.concatenate([(source - mean).astype(np.float32) for source, mean in zip(rows, means, strict=True)])
        scale = np.sqrt(np.square(within).mean(axis=0, dtype=np.float64)) + 1e-6
        within /= scale.astype(np.float32)
        degrees = max(1, len(within) - len(rows))
        correlation = within.T @ within / degrees
        correlation[np.diag_indices_from(correlation)] += np.float32(ridge)
        factor = cho_factor(correlation, lower=True, overwrite_a=True, check_finite=False)
        shifts = (means - centre) / scale
        solved = cho_solve(factor, shifts.T, check_finite=False)
        scores = []
        for place, source in enumerate(rows):
            deviations = (source[:_MOST_SCORED] - means[place]) / scale
            solved_deviations = cho_solve(factor, deviations.T, check_finite=False).T
            scores.append(
                _without_itself(
                    deviations, solved_deviations, shifts, solved, place=place, count=len(source), degrees=degrees
                )
            )
        weights = (solved / scale[:, None]).astype(np.float32)
        return cls(centre.astype(np.float32), weights), scores


def _without_itself(
    deviations: Floats,
    solved_deviations: Floats,
    shifts: Floats,
    solved: Floats,
    *,
    place: int,
    count: int,
    degrees: int,
) -> Floats:
    """(m, G): scores x' A⁻¹ (m_g - m) of a source's images x, where the image is in none of A, m_g and m.

    deviations (m, d) are from the source's mean, shifts (G, d) those of means from the mean of all; solved... are A⁻¹
    times them. Without the image its source's mean moves by -deviation / (count - 1), and A loses
    deviation deviation' · count / (count - 1) / degrees.
    """
    sources = len(shifts)
    factor = count / (count - 1) / degrees
    quadratic = np.einsum("nd,nd->n", deviations, solved_deviations)
    own = quadratic + solved_deviations @ shifts[place]  # x' A⁻¹ deviation
    plain = deviations @ solved + shifts[place] @ solved  # x' A⁻¹ (m_g - m)
    cross = solved_deviations @ shifts.T  # deviation' A⁻¹ (m_g - m)
    moved = np.full(sources, 1 / sources)
    moved[place] -= 1  # by how much of the deviation / (count - 1) each m_g - m moves
    plain = plain + own[:, None] * moved / (count - 1)
    cross = cross + quadratic[:, None] * moved / (count - 1)
    gain = own * factor / (1 - factor * quadratic)
    result: Floats = plain + gain[:, None] * cross
    return result


def without_source(scores: Floats, place: int) -> Floats:
    """(n, G - 1): what the scores (n, G) would be, had the source in that place not been enrolled.

    The mean of all means moves away from the source's own by as much as its score says; the covariance stays.
    """
    rest = np.delete(scores, place, axis=1)
    result: Floats = rest + scores[:, place : place + 1] / rest.shape[1]
    return result
