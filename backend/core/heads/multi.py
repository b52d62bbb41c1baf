"""Linear specialists, one for each generator, whose likelihood ratios are summed: a soft maximum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MultiHead:
    """score = log Σ_k exp(weights_k · features + intercepts_k), between the largest term and that plus log k.

    Each term is a specialist's log-odds of FAKE, weighted by how much is risked on it. Their names stand in
    `chosen["specialists"]`, in the order of the columns.
    """

    kind: ClassVar[str] = "multi"
    weights: NDArray[np.float32]  # (d, k), on raw features
    intercepts: NDArray[np.float64]  # (k,)
    chosen: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def terms(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """What every specialist says, (n, k), of features (n, d)."""
        return (X @ self.weights).astype(np.float64) + self.intercepts

    def scores(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n,) for features (n, d)."""
        terms = self.terms(X)
        largest = terms.max(axis=1)
        total: NDArray[np.float64] = largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))
        return total

    def closest(self, X: NDArray[np.float32]) -> list[str | None]:
        """The generator whose specialist says most of each row (n, d); None where the head of all FAKE images does."""
        names = self.chosen["specialists"]
        return [None if k == 0 else str(names[k]) for k in self.terms(X).argmax(axis=1)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs, for head.safetensors."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> MultiHead:
        """The head that `arrays` came from."""
        weights = np.asarray(arrays["weights"], dtype=np.float32)
        intercepts = np.asarray(arrays["intercepts"], dtype=np.float64)
        if weights.ndim != 2 or len(intercepts) == 0 or intercepts.shape != (weights.shape[1],):
            raise ValueError("weights and intercepts of different specialists")
        return cls(weights, intercepts)
