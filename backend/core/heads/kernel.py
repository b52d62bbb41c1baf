"""A Gaussian-kernel head by the Nyström approximation: a linear head on kernels to a few thousand training rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.rows import centre_and_scale, chunks

if TYPE_CHECKING:
    from backend.core.heads.primal import PrimalLinear

Floats32 = NDArray[np.float32]
FEATURE_NORM = 1000.0
"""Squared norm that a row's kernel features are scaled to, so that C has the same range as for the linear heads."""


@dataclass(frozen=True)
class KernelHead:
    """score = Σ_j alpha_j · exp(-width · |z - landmark_j|²) + intercept, with z the standardised features."""

    kind: ClassVar[str] = "kernel"
    mean: Floats32  # (d,)
    scale: Floats32  # (d,)
    landmarks: Floats32  # (m, d), standardised
    alpha: Floats32  # (m,)
    width: float
    intercept: float
    chosen: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def scores(self, X: Floats32) -> NDArray[np.float64]:
        """Margins towards FAKE, (n,), for features (n, d)."""
        scores = np.empty(len(X))
        for rows in chunks(len(X)):
            scores[rows] = kernel((X[rows] - self.mean) / self.scale, self.landmarks, self.width) @ self.alpha
        return scores + self.intercept

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs, for head.safetensors."""
        numbers = np.array([self.width, self.intercept], dtype=np.float64)
        named = {"mean": self.mean, "scale": self.scale, "landmarks": self.landmarks, "alpha": self.alpha}
        return {**named, "width_intercept": numbers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> KernelHead:
        """The head that `arrays` came from."""
        width, intercept = (float(number) for number in arrays["width_intercept"])
        mean, scale, landmarks, alpha = (
            np.asarray(arrays[name], dtype=np.float32) for name in ("mean", "scale", "landmarks", "alpha")
        )
        if not (scale > 0).all() or width < 0:
            raise ValueError("a scale or a width that is not positive")
        return cls(mean, scale, landmarks, alpha, width, intercept)


def kernel(Z: Floats32, landmarks: Floats32, width: float) -> Floats32:
    """exp(-width · squared distance), (n, m), between standardised rows (n, d) and landmarks (m, d)."""
    distances: Floats32 = Z @ landmarks.T
    distances *= -2
    distances += np.square(Z).sum(axis=1)[:, None]
    distances += np.square(landmarks).sum(axis=1)
    distances *= np.float32(-width)
    np.minimum(distances, 0, out=distances)
    np.exp(distances, out=distances)
    return distances


@dataclass(frozen=True)
class KernelMap:
    """Rows -> Nyström features whose inner products approximate the kernel (Williams and Seeger 2001)."""

    mean: Floats32
    scale: Floats32
    landmarks: Floats32
    width: float
    whitening: Floats32  # (m, m): kernel rows @ whitening = features

    def features(self, X: Floats32, each_chunk: Callable[[float], None]) -> Floats32:
        """(n, m), computed chunk by chunk; `each_chunk` is told the share done, 0..1."""
        features = np.empty((len(X), len(self.landmarks)), dtype=np.float32)
        for rows in chunks(len(X)):
            similar = kernel((X[rows] - self.mean) / self.scale, self.landmarks, self.width)
            np.matmul(similar, self.whitening, out=features[rows])
            each_chunk(rows.stop / len(X))
        return features

    def head(self, model: PrimalLinear, chosen: dict[str, Any]) -> KernelHead:
        """The head of a linear model fitted on `features`, with the whitening folded into its weights."""
        alpha = (self.whitening.astype(np.float64) @ model.coef_.astype(np.float64)).astype(np.float32)
        return KernelHead(self.mean, self.scale, self.landmarks, alpha, self.width, model.intercept_, chosen)


def kernel_map(X: Floats32, components: int, gamma: float, seed: int) -> KernelMap:
    """The map with `components` random rows of X (all of them if there are fewer) as landmarks.

    The kernel's width is gamma / d: a squared distance between standardised rows is about 2 d.
    """
    mean, scale = centre_and_scale(X)
    chosen = np.random.default_rng(seed).permutation(len(X))[:components]
    landmarks = ((X[np.sort(chosen)] - mean) / scale).astype(np.float32)
    width = gamma / X.shape[1]
    values, vectors = np.linalg.eigh(kernel(landmarks, landmarks, width).astype(np.float64))
    whitening = vectors * np.sqrt(FEATURE_NORM / np.maximum(values, 1e-4))
    return KernelMap(mean, scale, landmarks, width, whitening.astype(np.float32))
