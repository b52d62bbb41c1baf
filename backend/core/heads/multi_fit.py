"""Fitting the head `multi`: one linear head for all FAKE images, and a specialist for each generator in the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.config import FEWEST_IMAGES
from backend.core.heads.linear import LinearHead
from backend.core.heads.metric import ROWS
from backend.core.heads.multi import MultiHead
from backend.core.heads.specialists import Whitening, few_shot

Rows = NDArray[np.float32]

MAIN_SHARE = 0.5
"""A generator with more than this share of the FAKE images is what the linear head knows best: it gets no other."""


def with_specialists(
    base: LinearHead, X: Rows, y: NDArray[np.int8], generators: NDArray[np.str_], seed: int
) -> MultiHead:
    """The linear head of all images with a specialist for each generator of at least FEWEST_IMAGES images beside it.

    X (n, d), y (n,) 1 for FAKE, generators (n,). Where no generator, or one alone, is named, the base stays alone.
    """
    names, counts = np.unique(generators[(y == 1) & (generators != "")], return_counts=True)
    fakes = int((y == 1).sum())
    few = [str(name) for name, count in zip(names, counts, strict=True) if FEWEST_IMAGES <= count <= MAIN_SHARE * fakes]
    chosen: dict[str, Any] = {**base.chosen, "specialists": ["all", *few]}
    if not few:
        return MultiHead(np.ascontiguousarray(base.weights[:, None]), np.array([base.intercept]), chosen)
    samples = [X[(y == 1) & (generators == name)] for name in few]
    real = X[_some(y == 0)]
    rest = (y == 1) & ~np.isin(generators, few)
    known = [X[_some(rest)]] if rest.any() else []
    return join(base, *few_shot(Whitening.of(real), real, samples, known, seed), chosen)


def join(
    base: LinearHead, weights: Rows, intercepts: NDArray[np.float64], chosen: dict[str, Any] | None = None
) -> MultiHead:
    """The base with specialists beside it: their weights (d, k) and intercepts (k,)."""
    together = np.concatenate([base.weights[:, None], weights], axis=1, dtype=np.float32)
    return MultiHead(together, np.concatenate([[base.intercept], intercepts]), chosen or {})


def _some(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places in the mask, at most about ROWS of them, evenly spread: means and covariances need no more."""
    places = np.flatnonzero(mask)
    return places[:: max(1, -(-len(places) // ROWS))]
