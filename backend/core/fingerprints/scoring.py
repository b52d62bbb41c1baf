"""Mean correlations of a batch -> log likelihood ratio of each enrolled source against one that is not enrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CorrelationScores:
    """For each of G fingerprints the correlations that its own images have and those that others have, as Gaussians.

    The mean of k correlations scatters around its source's mean with variance s² / k. The means of other sources
    scatter too, with variance b², which no batch makes smaller: what generators share is no evidence for one of them.
    """

    own: Floats  # (G,): mean correlation of own images, each left out of the fingerprint
    own_error: Floats  # (G,): variance of that mean
    others: Floats  # (G,): mean over the other sources
    between: Floats  # (G,): b²
    within: Floats  # (G,): s²

    @classmethod
    def fit(cls, samples: Sequence[Floats], owners: Sequence[int]) -> CorrelationScores:
        """From correlations (m, G) by source, and for each fingerprint the place of its own source in `samples`.

        NaN stands where a source cannot be compared with a fingerprint. Without any other source the correlation of an
        image that is not its own is taken as 0 on average.
        """
        columns = []
        for place, owner in enumerate(owners):
            mine = samples[owner][:, place]
            foreign = [rows[:, place] for i, rows in enumerate(samples) if i != owner and len(rows) > 1]
            foreign = [values for values in foreign if np.isfinite(values).all()]
            own_within = float(mine.var(ddof=1))
            means = np.array([values.mean() for values in foreign] or [0.0])
            spreads = np.array([values.var(ddof=1) for values in foreign] or [own_within])
            noise = np.mean([values.var(ddof=1) / len(values) for values in foreign]) if foreign else 0.0
            between = max(float(means.var(ddof=1)) - float(noise), 0.0) if len(means) > 1 else 0.0
            within = (own_within + float(spreads.mean())) / 2 + 1e-12
            columns.append((float(mine.mean()), own_within / len(mine), float(means.mean()), between, within))
        return cls(*np.array(columns).T.reshape(5, -1))

    def z(self, means: Floats, k: Floats | float) -> Floats:
        """Mean correlations (n, G) of n batches in standard deviations of those of batches from other sources."""
        result: Floats = (means - self.others) / np.sqrt(self.between + self.within / k)
        return result

    def scores(self, means: Floats, k: Floats | float) -> Floats:
        """(n, G) nats, for the mean correlations of n batches of k images; k may be given by fingerprint, (G,).

        A correlation above that of its own images counts as theirs.
        """
        inside, outside = self.own_error + self.within / k, self.between + self.within / k
        deviation = np.minimum(means - self.own, 0.0)
        ratio: Floats = np.square(self.z(means, k)) * np.sign(means - self.others) - np.square(deviation) / inside
        return 0.5 * (ratio + np.log(outside / inside))
