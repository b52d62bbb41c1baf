"""A fitted head near one row of features: exactly itself where it is linear, else its tangent there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError
from backend.core.heads.base import FittedHead
from backend.core.heads.kernel import KernelHead, kernel
from backend.core.heads.linear import LinearHead
from backend.core.heads.mlp import MlpHead, Network
from backend.core.heads.multi import MultiHead

Floats32 = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tangent:
    """score = base + weights · (features - centre) at the row that it was made for."""

    weights: Floats  # (d,), on raw features
    centre: Floats  # (d,): the mean of the training rows, or zeros where the head does not know it
    base: float
    exact: bool  # True: it holds for every row


def linearise(head: FittedHead, features: Floats32) -> Tangent:
    """The tangent of `head` at one row of features (d,).

    For a head that is not linear the weights are the gradient of the score there ("gradient times input", Shrikumar et
    al. 2017, counted from the training mean); what they leave of the score is in `base`. Raises ConfigError for a head
    without a gradient.
    """
    if isinstance(head, LinearHead):
        weights = head.weights.astype(np.float64)
        centre = np.zeros_like(weights) if head.centre is None else head.centre.astype(np.float64)
        return Tangent(weights, centre, head.intercept + float(weights @ centre), exact=True)
    if isinstance(head, MultiHead):
        slope, centre = multi_slope(head, features), np.zeros(len(features))
        return Tangent(slope, centre, float(head.scores(features[None])[0]) - float(slope @ features), exact=False)
    if not isinstance(head, KernelHead | MlpHead):
        raise ConfigError(f"A head of kind {head.kind} cannot be explained.", "Fit a head of another kind.")
    standard = ((features - head.mean) / head.scale).astype(np.float32)
    slope = _kernel_slope(head, standard) if isinstance(head, KernelHead) else mlp_slope(head.networks, standard)
    weights, centre = slope / head.scale, head.mean.astype(np.float64)
    score = float(head.scores(features[None])[0])
    return Tangent(weights, centre, score - float(weights @ (features - centre)), exact=False)


def _kernel_slope(head: KernelHead, standard: Floats32) -> Floats:
    """Gradient (d,) of Σ_j alpha_j · exp(-width · |z - l_j|²) by the standardised features z (d,)."""
    pulls = kernel(standard[None], head.landmarks, head.width)[0].astype(np.float64) * head.alpha
    slope: Floats = -2 * head.width * (pulls.sum() * standard - pulls @ head.landmarks)
    return slope


def multi_slope(head: MultiHead, features: Floats32) -> Floats:
    """Gradient (d,) of log Σ_k exp(terms_k) by the features (d,): the weights, each by its share of the sum."""
    shares = np.exp(head.terms(features[None])[0] - head.scores(features[None])[0])
    slope: Floats = head.weights.astype(np.float64) @ shares
    return slope


def mlp_slope(networks: tuple[Network, ...], standard: Floats32) -> Floats:
    """Gradient (d,) of the mean of the networks' outputs by the standardised features (d,)."""
    total = np.zeros(len(standard))
    for network in networks:
        x, active = standard.astype(np.float64), []
        for weights, offsets in network[:-1]:
            x = np.maximum(x @ weights + offsets, 0)
            active.append(x > 0)
        slope = network[-1][0][:, 0].astype(np.float64)
        for (weights, _), on in zip(network[-2::-1], active[::-1], strict=True):
            slope = weights.astype(np.float64) @ (slope * on)
        total += slope
    return total / len(networks)
