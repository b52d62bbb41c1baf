"""Linear heads: standardisation and weights folded into one affine map on raw features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LinearHead:
    """score = weights · features + intercept: log-odds of FAKE (logreg) or the margin towards it (svm)."""

    kind: ClassVar[str] = "linear"
    weights: NDArray[np.float32]  # (d,), on raw features
    intercept: float
    chosen: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    centre: NDArray[np.float32] | None = None  # (d,): mean of the training features, for explanations; None: not kept

    def scores(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n,) for features (n, d)."""
        return (X @ self.weights).astype(np.float64) + self.intercept

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs, for head.safetensors."""
        named: dict[str, NDArray[Any]] = {
            "weights": self.weights,
            "intercept": np.array([self.intercept], dtype=np.float64),
        }
        return named if self.centre is None else {**named, "centre": self.centre}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LinearHead:
        """The head that `arrays` came from."""
        weights = np.asarray(arrays["weights"], dtype=np.float32)
        centre = np.asarray(arrays["centre"], dtype=np.float32) if "centre" in arrays else None
        if centre is not None and centre.shape != weights.shape:
            raise ValueError("a centre of another shape than the weights")
        return cls(weights, float(arrays["intercept"][0]), centre=centre)
