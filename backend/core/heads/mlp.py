"""A small non-linear head: multi-layer perceptrons on standardised features, averaged. Scores with NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.config import MOST_LAYERS, WIDEST_LAYER
from backend.core.heads.rows import chunks

Floats32 = NDArray[np.float32]
Layer = tuple[Floats32, Floats32]
"""(weights (inputs, outputs), offsets (outputs,)): inputs @ weights + offsets."""

Network = tuple[Layer, ...]
"""Layers from the features to one number, with max(0, x) between them."""


@dataclass(frozen=True)
class MlpHead:
    """score = mean over the networks of network(z): log-odds of FAKE, with z the standardised features."""

    kind: ClassVar[str] = "mlp"
    mean: Floats32  # (d,)
    scale: Floats32  # (d,)
    networks: tuple[Network, ...]
    chosen: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def scores(self, X: Floats32) -> NDArray[np.float64]:
        """Log-odds of FAKE, (n,), for features (n, d)."""
        scores = np.zeros(len(X))
        for rows in chunks(len(X)):
            standard = (X[rows] - self.mean) / self.scale
            for network in self.networks:
                scores[rows] += run(network, standard)
        return scores / len(self.networks)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs, for head.safetensors: weights.<network>.<layer> and offsets.<network>.<layer>."""
        named: dict[str, NDArray[Any]] = {"mean": self.mean, "scale": self.scale}
        for i, network in enumerate(self.networks):
            for j, (weights, offsets) in enumerate(network):
                named |= {f"weights.{i}.{j}": weights, f"offsets.{i}.{j}": offsets}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> MlpHead:
        """The head that `arrays` came from. Raises KeyError or ValueError where they make no such head."""
        mean, scale = (np.asarray(arrays[name], dtype=np.float32) for name in ("mean", "scale"))
        if mean.ndim != 1 or scale.shape != mean.shape or not (scale > 0).all():
            raise ValueError("a mean and a scale that do not belong together")
        count = sum(name.startswith("weights.") and name.endswith(".0") for name in arrays)
        networks = tuple(_network(arrays, i, len(mean)) for i in range(count))
        layers = sum(len(network) for network in networks)
        if not networks or len(arrays) != 2 + 2 * layers:
            raise ValueError("no network, or arrays of none")
        return cls(mean, scale, networks)


def run(network: Network, standard: Floats32) -> Floats32:
    """(n,) of one network for standardised features (n, d)."""
    x = standard
    for weights, offsets in network[:-1]:
        x = x @ weights
        x += offsets
        np.maximum(x, 0, out=x)
    weights, offsets = network[-1]
    out: Floats32 = (x @ weights + offsets)[:, 0]
    return out


def _network(arrays: Mapping[str, NDArray[Any]], i: int, dimensions: int) -> Network:
    layers: list[Layer] = []
    while f"weights.{i}.{len(layers)}" in arrays:
        if len(layers) > MOST_LAYERS:
            raise ValueError("too many layers")
        weights, offsets = (
            np.asarray(arrays[f"{name}.{i}.{len(layers)}"], dtype=np.float32) for name in ("weights", "offsets")
        )
        if weights.ndim != 2 or offsets.shape != weights.shape[1:] or weights.shape[1] > WIDEST_LAYER:
            raise ValueError("a layer of a wrong shape")
        layers.append((weights, offsets))
    widths = [dimensions, *(weights.shape[1] for weights, _ in layers)]
    if len(layers) < 2 or widths[-1] != 1 or [weights.shape[0] for weights, _ in layers] != widths[:-1]:
        raise ValueError("layers that do not follow one another")
    return tuple(layers)
