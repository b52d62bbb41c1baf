"""Whether an image leans away from REAL photographs the way that the fakes of several generators do.

A classifier fitted on several generators learns what tells those apart from photographs, and misses the next one. Seen
from the photographs alone, their fakes have something in common: with the covariance of REAL images only, the way to
a generator's mean is the direction of Fisher's linear discriminant (Fisher 1936), and the mean of these directions over
the generators at hand finds more of the fakes of one that was left out than the classifier does. It is too unsure to
call an image FAKE by. It says which `real` verdicts do not deserve trust. docs/domain.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.rows import centre_and_scale, chunks

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FEWEST_GENERATORS = 3
"""With fewer generators there is little that they could have in common."""

FEWEST_FAKES = 30
"""A generator with fewer images is left out: its mean would be noise."""

FEWEST_REAL = 500
"""With fewer REAL images for the covariance, or 100 for the limit, nothing is fitted."""

RIDGE = 0.1
"""Added to the variance of each standardised feature. From 0.03 to 1 it makes no difference (leave-one-out)."""

REFUSED = 0.18
"""Share of REAL images that may lean too far: below 10 % of all images where half of them are REAL."""

_MOST_REAL = 20_000
_FEWEST_HELD_OUT = 100


@dataclass(frozen=True)
class Traces:
    """One direction in the features, and how far along it a REAL image may lie."""

    weights: Rows  # (d,), on raw features
    offset: float  # added: the mean of REAL images is at 0, their standard deviation 1
    limit: float  # in those standard deviations
    generators: tuple[str, ...]  # whose fakes it comes from

    def lean(self, X: Rows) -> Floats:
        """How far each row of features X (n, d) leans towards fakes, in standard deviations of REAL images. (n,)."""
        return (X @ self.weights).astype(np.float64) + self.offset


def fit_traces(real: Rows, fakes: Mapping[str, Rows], held_out: Rows, seed: int) -> Traces | None:
    """The common direction of the generators in `fakes` (name -> rows), its limit from held-out REAL rows.

    All rows are (n, d). None with fewer than FEWEST_GENERATORS generators of FEWEST_FAKES images, or too few REAL ones.
    Takes a second or two for 2,416 features.
    """
    known = {name: rows for name, rows in sorted(fakes.items()) if len(rows) >= FEWEST_FAKES}
    if len(known) < FEWEST_GENERATORS or len(real) < FEWEST_REAL or len(held_out) < _FEWEST_HELD_OUT:
        return None
    sample = real[np.sort(np.random.default_rng(seed).permutation(len(real))[:_MOST_REAL])]
    mean, scale = centre_and_scale(sample)
    correlation = np.zeros((real.shape[1], real.shape[1]))
    for rows in chunks(len(sample)):
        standard = (sample[rows] - mean) / scale
        correlation += standard.T @ standard
    correlation = correlation / len(sample) + RIDGE * np.eye(len(correlation))
    ways = np.stack([(rows.mean(axis=0, dtype=np.float64) - mean) / scale for rows in known.values()], axis=1)
    discriminants = np.linalg.solve(correlation, ways)
    lengths = np.sqrt(np.einsum("ij,ij->j", ways, discriminants))  # so that each generator counts alike
    weights = (discriminants / np.maximum(lengths, 1e-12)).sum(axis=1) / scale
    leans = held_out.astype(np.float64) @ weights
    centre, spread = float(leans.mean()), float(leans.std()) or 1.0
    kept = math.ceil((len(leans) + 1) * (1.0 - REFUSED))
    limit = (float(np.sort(leans)[kept - 1]) - centre) / spread
    return Traces((weights / spread).astype(np.float32), -centre / spread, limit, tuple(known))
