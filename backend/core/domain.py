"""Whether an image is like those that a detector was trained on, judged by its features alone.

A few hundred features are whitened by the covariance of the training images, so that z = W(x - mean) has uncorrelated
entries of unit variance. Two measures are taken of z, which hardly depend on each other:

* how far out it lies: log of the mean of z², the Mahalanobis distance (Lee et al. 2018, arXiv 1807.03888), with the
  shrinkage of Ledoit and Wolf (2004) that keeps it finite where there are few images;
* whether it points where no training image does: one minus the cosine to the nearest of some thousand training images,
  in the leading entries of z, cut to unit length (nearest neighbours: Sun et al. 2022, arXiv 2204.06507).

Each is standardised by images that were held out; their sum is the image's `strangeness`. Above the limit that 95 % of
the held-out images keep, the image is outside (split conformal: Vovk et al. 2005). docs/domain.md has the measurements
behind these choices. It does not find fakes: those of generators that a detector never saw mostly look inside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.rows import centre_and_scale, chunks

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FALSE_ALARMS = 0.05
"""Share of images like the training images that may be called outside."""

FEWEST_HELD_OUT = 40
"""Fewest groups of held-out images: twice as many as a share of FALSE_ALARMS takes to be seen at all."""

FEWEST_TRAINED = 100
"""With fewer training images, nothing can be said of what is usual."""

MOST_COLUMNS = 432
"""Most features that are looked at: what the matrix and the time for an image allow."""

STAGES = ("block1.0.dw.mean", "block2.0.dw.mean", "block5.mean", "block6.mean")
"""Which ones, where the extractor has them: fine texture and content. Better than all, at 3 % of the numbers."""

ROWS, PROTOTYPES, LEADING = 20_000, 2_048, 64
"""Training images behind the covariance; those kept as neighbours; entries of z that are compared with them."""

_UNIT = 127.0  # an entry of a direction, as a whole number
_TINY = 1e-9
_FLOOR = 1e-6  # of the largest variance: below it float32 has no digits left


@dataclass(frozen=True)
class DomainCheck:
    """The check of one detector: some 500 kB of numbers, some ten microseconds an image."""

    columns: NDArray[np.int32]  # (m,) places of the features that are looked at
    mean: Rows  # (m,) of the training images
    scale: Rows  # (m,)
    whitening: (
        Rows  # (m, m): z = (x - mean) / scale @ whitening, the entry of the largest variance first; float16 stored
    )
    neighbours: Rows  # (p, k), of length 1: the directions of training images; stored as whole numbers
    centre: Floats  # (2,) of both measures, over held-out images
    spread: Floats  # (2,)
    limit: float  # of the strangeness: an image above it is outside

    def strangeness(self, X: Rows) -> Floats:
        """How unlike the training images each row of features X (n, dimensions) is: 0 on average, 3 is much. (n,)."""
        return np.asarray(((self.measures(X) - self.centre) / self.spread).sum(axis=1))

    def outside(self, X: Rows) -> NDArray[np.bool_]:
        """Whether each row of features X (n, dimensions) is outside. (n,)."""
        return np.asarray(self.strangeness(X) > self.limit)

    def measures(self, X: Rows) -> Floats:
        """(n, 2) for features X (n, dimensions): log of the mean of z², and one minus the cosine to the nearest."""
        measured = np.empty((len(X), 2))
        for rows in chunks(len(X)):
            standard = (X[rows][:, self.columns] - self.mean) / self.scale
            z = np.asarray(standard @ self.whitening, dtype=np.float32)
            measured[rows, 0] = np.log((z.astype(np.float64) ** 2).mean(axis=1) + _TINY)
            directions = _to_unit(z[:, : self.neighbours.shape[1]])
            measured[rows, 1] = 1.0 - (directions @ self.neighbours.T).max(axis=1)
        return measured

    def describe(self) -> dict[str, Any]:
        """What a model card tells of the check."""
        return {"features": len(self.columns), "neighbours": len(self.neighbours), "limit": self.limit}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same check of."""
        return {
            "columns": self.columns,
            "mean": self.mean,
            "scale": self.scale,
            "whitening": self.whitening.astype(np.float16),
            "neighbours": np.round(_UNIT * self.neighbours).astype(np.int8),
            "centre_spread": np.stack([self.centre, self.spread]),
            "limit": np.array([self.limit]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], dimensions: int) -> DomainCheck:
        """The stored check, for rows of so many features. Raises KeyError or ValueError where arrays do not fit."""
        columns, (centre, spread), (limit,) = arrays["columns"], arrays["centre_spread"], arrays["limit"]
        mean, scale, whitening = (arrays[name].astype(np.float32) for name in ("mean", "scale", "whitening"))
        neighbours, width = arrays["neighbours"].astype(np.float32) / np.float32(_UNIT), len(columns)
        if not (mean.shape == scale.shape == (width,) and whitening.shape == (width, width)):
            raise ValueError("arrays of shapes that do not fit each other")
        if neighbours.ndim != 2 or len(neighbours) == 0 or neighbours.shape[1] > width or centre.shape != (2,):
            raise ValueError("neighbours or measures of another shape")
        if columns.ndim != 1 or columns.dtype.kind != "i" or columns.min() < 0 or columns.max() >= dimensions:
            raise ValueError("columns that the extractor does not give")
        if not all(np.isfinite(array).all() for array in (mean, scale, whitening, centre, spread, limit)):
            raise ValueError("values that are no numbers")
        if not ((scale > 0).all() and (spread > 0).all()):
            raise ValueError("a scale that is not positive")
        return cls(columns, mean, scale, whitening, neighbours, centre, spread, float(limit))


def fit_domain(
    train: Rows, held_out: Rows, groups: NDArray[np.int64], names: Sequence[str], seed: int
) -> DomainCheck | None:
    """The check for features like `train` (n, dimensions), its limit from `held_out` (v, dimensions) of the same kind.

    `groups` (v,) are those of the held-out images, `names` the features'. None with fewer than FEWEST_TRAINED training
    images, or held-out ones of fewer than FEWEST_HELD_OUT groups: crops of a few photographs do not tell what is usual.
    Takes a second or two.
    """
    if len(train) < FEWEST_TRAINED or len(np.unique(groups)) < FEWEST_HELD_OUT:
        return None
    columns = choose_columns(names)
    sample = np.random.default_rng(seed).permutation(len(train))[:ROWS]
    rows = train[np.ix_(sample, columns)]
    mean, scale = centre_and_scale(rows)
    standard = (rows - mean) / scale
    whitening: Rows = _whiten(standard).astype(np.float16).astype(np.float32)  # as it will be stored
    directions = _to_unit(standard[:PROTOTYPES] @ whitening[:, :LEADING])
    neighbours = np.asarray(np.round(_UNIT * directions) / _UNIT, dtype=np.float32)
    bare = DomainCheck(columns, mean, scale, whitening, neighbours, np.zeros(2), np.ones(2), limit=0.0)
    measured = bare.measures(held_out)
    check = replace(bare, centre=measured.mean(axis=0), spread=np.maximum(measured.std(axis=0), _TINY))
    kept = math.ceil((len(held_out) + 1) * (1.0 - FALSE_ALARMS))
    return replace(check, limit=float(np.sort(check.strangeness(held_out))[kept - 1]))


def choose_columns(names: Sequence[str]) -> NDArray[np.int32]:
    """The features that are looked at: those of STAGES, all where there are few, else every so many-th one."""
    if len(names) <= MOST_COLUMNS:
        return np.arange(len(names), dtype=np.int32)
    wanted = [place for place, name in enumerate(names) if name.partition("[")[0].endswith(STAGES)]
    if 0 < len(wanted) <= MOST_COLUMNS:
        return np.array(wanted, dtype=np.int32)
    return np.linspace(0, len(names) - 1, MOST_COLUMNS).astype(np.int32)


def shrinkage(rows: Rows) -> float:
    """The weight, 0..1, of the identity in the covariance of centred rows (n, m): Ledoit and Wolf 2004, section 3.2."""
    wide = rows.astype(np.float64)
    covariance = wide.T @ wide / len(wide)
    scale = np.trace(covariance) / len(covariance)
    squared = float((covariance**2).sum())
    distance = squared - float(len(covariance) * scale**2)
    error = (float(((wide**2).sum(axis=1) ** 2).mean()) - squared) / len(wide)
    return float(min(1.0, error / distance)) if distance > 0 else 1.0


def _whiten(standard: Rows) -> Floats:
    """(m, m): the eigenvectors of the shrunk correlation of standardised rows, each by its standard deviation."""
    weight = shrinkage(standard)
    values, vectors = np.linalg.eigh((standard.T @ standard / len(standard)).astype(np.float64))
    values = (1.0 - weight) * np.maximum(values, 0.0) + weight * values.mean()
    return np.asarray((vectors / np.sqrt(np.maximum(values, _FLOOR * values.max())))[:, ::-1])


def _to_unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY), dtype=np.float32)
