"""Whether an image leans away from REAL photographs the way that the fakes of several generators do.

A classifier fitted on several generators learns what tells those apart from photographs, and misses the next one. Seen
from the photographs alone, their fakes have something in common: with the covariance of REAL images only, the way to
a generator's mean is the direction of Fisher's linear discriminant (Fisher 1936), and the mean of these directions over
the generators at hand finds more of the fakes of one that was left out than the classifier does. It is too unsure to
call an image FAKE by. It says which `real` verdicts do not deserve trust: a fit with `doubt` makes them `unsure`.
docs/domain.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import TooFewImages
from backend.core.heads.rows import centre_and_scale, chunks
from backend.core.held_out import Rows as Labelled

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FEWEST_GENERATORS = 3
"""With fewer generators there is little that they could have in common."""

FEWEST_FAKES = 30
"""A generator with fewer images is left out: its mean would be noise."""

FEWEST_REAL = 500
"""With fewer REAL images for the covariance, or FEWEST_HELD_OUT for the limit, nothing is fitted."""

FEWEST_HELD_OUT = 100
"""Held-out REAL images that the limit takes."""

RIDGE = 0.1
"""Added to the variance of each standardised feature. From 0.03 to 1 it makes no difference (leave-one-out)."""

REFUSED = 0.18
"""Share of REAL images that lean too far, if no other is asked for: below 10 % of all where half of them are REAL."""

_MOST_REAL = 20_000


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

    def beyond(self, X: Rows) -> NDArray[np.bool_]:
        """Whether each row of features X (n, d) leans further than the limit. (n,)."""
        return np.asarray(self.lean(X) > self.limit)

    def describe(self) -> dict[str, Any]:
        """What a model card tells of it."""
        return {"generators": list(self.generators), "limit": self.limit}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `restore` makes the same of, beside the card's part."""
        return {"weights": self.weights, "offset": np.array([self.offset])}

    @classmethod
    def restore(cls, described: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], dimensions: int) -> Traces:
        """Of its card and arrays, for rows of so many features. Raises KeyError or ValueError where they do not fit."""
        weights, (offset,), limit = arrays["weights"].astype(np.float32), arrays["offset"], float(described["limit"])
        if weights.shape != (dimensions,) or not all(np.isfinite(part).all() for part in (weights, offset, limit)):
            raise ValueError("traces of another shape, or that are no numbers")
        if not isinstance(described["generators"], list):
            raise TypeError("generators that are no list")
        return cls(weights, float(offset), limit, tuple(map(str, described["generators"])))


def fit_traces(
    real: Rows, fakes: Mapping[str, Rows], held_out: Rows, seed: int, refused: float = REFUSED
) -> Traces | None:
    """The common direction of the generators in `fakes` (name -> rows), its limit from held-out REAL rows.

    All rows are (n, d); `refused` is the share of the held-out ones that lean beyond the limit. None with
    fewer than FEWEST_GENERATORS generators of FEWEST_FAKES images, or too few REAL ones. Takes a second or two for
    2,416 features.
    """
    known = {name: rows for name, rows in sorted(fakes.items()) if len(rows) >= FEWEST_FAKES}
    if len(known) < FEWEST_GENERATORS or len(real) < FEWEST_REAL or len(held_out) < FEWEST_HELD_OUT:
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
    kept = math.ceil((len(leans) + 1) * (1.0 - refused))
    limit = (float(np.sort(leans)[kept - 1]) - centre) / spread
    return Traces((weights / spread).astype(np.float32), -centre / spread, limit, tuple(known))


def traces_of(train: Labelled, held_out: Labelled, doubt: float | None, seed: int) -> Traces | None:
    """What a fit takes back `real` by; None where it is not asked to `doubt`, which is `refused` of `fit_traces`.

    Raises TooFewImages where the images cannot tell.
    """
    if doubt is None:
        return None
    names = np.full(len(train.y), "") if train.generators is None else train.generators
    fakes = {str(name): train.X[(train.y == 1) & (names == name)] for name in np.unique(names[names != ""])}
    real, limiting = train.X[train.y == 0], held_out.X[held_out.y == 0]
    traces = fit_traces(real, fakes, limiting, seed, doubt)
    if traces is None:
        enough = sum(len(rows) >= FEWEST_FAKES for rows in fakes.values())
        raise TooFewImages(
            f"To doubt, there are {enough} named generators of {FEWEST_FAKES} training images or more, {len(real)} "
            f"REAL training images and {len(limiting)} REAL ones held out.",
            f"It takes {FEWEST_GENERATORS}, {FEWEST_REAL} and {FEWEST_HELD_OUT}: bring more, or leave `doubt` out.",
        )
    return traces
