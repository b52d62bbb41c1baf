"""How alike enrolled fingerprints are, as a matrix and a tree, and which of them are one generator twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.fingerprints.correlation import correlations
from backend.core.fingerprints.fingerprint import Fingerprint
from backend.core.fingerprints.sizes import crop

SAME = 0.9
"""Two fingerprints of one generator correlate by this share of what their counts let correlate, or more."""

RELIABLE = 0.3
"""With less to be expected two fingerprints are mostly noise: then only shared images say that they are one."""


@dataclass(frozen=True)
class Pair:
    """Two names that the fingerprints cannot tell apart."""

    first: str
    second: str
    correlation: float
    expected: float  # correlation of two fingerprints of one generator with so many images
    shared_images: int


@dataclass(frozen=True)
class Comparison:
    """Correlation matrix in the order of `names`, and the tree over it."""

    names: tuple[str, ...]
    correlation: NDArray[np.float64]  # (n, n)
    linkage: list[list[float]]  # SciPy's: two clusters, their distance 1 - correlation, images; empty for one name
    order: list[int]  # places of the names along the tree
    indistinguishable: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "names": list(self.names),
            "correlation": self.correlation.tolist(),
            "linkage": self.linkage,
            "order": self.order,
            "indistinguishable": [asdict(pair) for pair in self.indistinguishable],
        }


def compare(fingerprints: Sequence[Fingerprint]) -> Comparison:
    """Of fingerprints of one denoiser; of two sizes the common middle is compared."""
    count = len(fingerprints)
    matrix = np.eye(count)
    pairs = []
    for i, first in enumerate(fingerprints):
        for j in range(i):
            second = fingerprints[j]
            matrix[i, j] = matrix[j, i] = _between(first, second)
            expected = np.sqrt(_reliability(first) * _reliability(second))
            shared = len({row.tobytes() for row in first.digests} & {row.tobytes() for row in second.digests})
            alike = first.size == second.size and expected >= RELIABLE and matrix[i, j] >= SAME * expected
            if alike or 2 * shared > min(first.count, second.count):
                pairs.append(Pair(second.generator, first.generator, float(matrix[i, j]), float(expected), shared))
    linkage, order = _tree(matrix)
    names = tuple(fingerprint.generator for fingerprint in fingerprints)
    return Comparison(names, matrix, linkage, order, tuple(pairs))


def _between(first: Fingerprint, second: Fingerprint) -> float:
    size = (min(first.size[0], second.size[0]), min(first.size[1], second.size[1]))
    return float(correlations(crop(first.residual, size)[None], crop(second.residual, size))[0])


def _reliability(fingerprint: Fingerprint) -> float:
    """Share of a fingerprint's variance that is no noise, 0..1: what it would have in common with another of its kind.

    A residual is F + e, and p the share of its variance that F has. With n images the mean correlation of one with the
    mean of the others is c = p / sqrt(p + (1 - p) / (n - 1)), solved for p; then the share is p / (p + (1 - p) / n).
    """
    squared, n = max(fingerprint.own.mean, 0.0) ** 2, fingerprint.count
    half = squared * (1 - 1 / (n - 1)) / 2
    p = min(1.0, half + np.sqrt(half**2 + squared / (n - 1)))
    return float(p / (p + (1 - p) / n))


def _tree(matrix: NDArray[np.float64]) -> tuple[list[list[float]], list[int]]:
    if len(matrix) < 2:
        return [], list(range(len(matrix)))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    tree = linkage(squareform(np.clip(1 - matrix, 0, 2), checks=False), "average")
    return tree.tolist(), leaves_list(tree).tolist()
