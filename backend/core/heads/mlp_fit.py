"""Fitting the head mlp with PyTorch: import this module only where such a fit runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from backend.core.heads.config import HeadConfig
from backend.core.heads.mlp import MlpHead, Network
from backend.core.heads.mlp_torch import fold, make_layers, own_torch
from backend.core.heads.rows import centre_and_scale, class_weights

Rows = NDArray[np.float32]
Labels = NDArray[np.int8]

BATCH = 512
"""Rows of a step, where there are enough."""

STEPS_AN_EPOCH = 8
"""Fewer rows than that many batches are cut into smaller ones, of at least SMALLEST_BATCH rows."""

SMALLEST_BATCH = 8
WARM_UP = 0.05
"""Share of the steps in which the step size rises; afterwards it falls along half a cosine."""

MEASURED_ROWS = 10_000
"""Most training rows whose loss is measured after each epoch."""


@dataclass(frozen=True)
class Training:
    """What the networks of one head are trained on."""

    X: Rows  # (n, d), read in place
    y: Labels  # (n,)
    mean: Rows  # (d,)
    scale: Rows  # (d,)
    weights: Rows  # (n,)
    config: HeadConfig

    def batch(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised features (b, d), labels (b,) and weights (b,) of some rows."""
        standard = self.X[rows]
        standard -= self.mean
        standard /= self.scale
        labels = self.y[rows].astype(np.float32)
        return torch.from_numpy(standard), torch.from_numpy(labels), torch.from_numpy(self.weights[rows])


def fit_mlp(
    X: Rows,
    y: Labels,
    config: HeadConfig,
    validation: tuple[Rows, Labels] | None,
    each_step: Callable[[float], None],
) -> MlpHead:
    """The head of `config.ensemble` networks, each from a start of its own, whose log-odds are averaged.

    Layers are linear, batch normalisation (Ioffe and Szegedy 2015), max(0, x) and dropout; trained by AdamW (Loshchilov
    and Hutter 2019) on mixtures of rows (mixup, Zhang et al. 2018), which keep the scores modest: calibration stretches
    them. X (n, d) is standardised batch by batch and never copied. `each_step` is told the share done, 0..1, after
    every batch, and may raise to cancel. The same rows and config give the same head.

    The history has a record an epoch, of the networks' average after it: epoch, train_loss and train_accuracy (of at
    most MEASURED_ROWS training rows) and, with `validation`, validation_loss and validation_accuracy.
    """
    mean, scale = centre_and_scale(X)
    training = Training(X, y, mean, scale, class_weights(y, config.class_weight), config)
    measured = {"train": _some(X, y)}
    if validation is not None and len(validation[1]):
        measured["validation"] = validation
    scores = {split: np.zeros((config.epochs, len(labels))) for split, (_, labels) in measured.items()}
    networks: list[Network] = []

    def each_epoch(epoch: int, layers: nn.Sequential) -> None:
        alone = MlpHead(mean, scale, (fold(layers.eval()),))
        for split, (rows, _) in measured.items():
            scores[split][epoch] += alone.scores(rows) / config.ensemble

    def each_share(share: float) -> None:
        each_step((len(networks) + share) / config.ensemble)

    for number in range(config.ensemble):
        seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
        networks.append(fold(train_layers(training, seed, each_share, each_epoch).eval()))
    history = [
        {"epoch": float(epoch + 1)}
        | {
            name: value
            for split, (_, labels) in measured.items()
            for name, value in _measures(split, scores[split][epoch], labels).items()
        }
        for epoch in range(config.epochs)
    ]
    return MlpHead(mean, scale, tuple(networks), {}, history)


def train_layers(
    training: Training,
    seed: int,
    each_share: Callable[[float], None],
    each_epoch: Callable[[int, nn.Sequential], None] = lambda *_: None,
) -> nn.Sequential:
    """One network as modules, trained; `each_epoch` is given it after every epoch, from 0 on."""
    with own_torch(seed):
        config, rows = training.config, len(training.y)
        steps = math.ceil(rows / _batch_size(rows))
        layers = make_layers(training.X.shape[1], config.hidden, config.dropout)
        matrices = [parameter for parameter in layers.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in layers.parameters() if parameter.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        total = steps * config.epochs
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, total))
        random = np.random.default_rng(seed)
        for epoch in range(config.epochs):
            layers.train()
            for step, drawn in enumerate(np.array_split(random.permutation(rows), steps)):
                loss = _mixed_loss(layers, *training.batch(drawn), _share(config.mixup, random))
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                each_share((epoch * steps + step + 1) / total)
            each_epoch(epoch, layers)
        return layers


def _share(mixup: float, random: np.random.Generator) -> float:
    """How much of each row of a batch is its own, 0..1; the rest is another row's."""
    return float(random.beta(mixup, mixup)) if mixup > 0 else 1.0


def _mixed_loss(network: nn.Module, features: Tensor, labels: Tensor, weights: Tensor, share: float) -> Tensor:
    """The weighted mean loss on mixtures of the rows of a batch, each with its neighbour in the drawn order."""
    mixtures = features.roll(1, 0).mul_(1 - share).add_(features, alpha=share) if share < 1 else features
    scores = network(mixtures).squeeze(1)
    own = binary_cross_entropy_with_logits(scores, labels, weights)
    if share == 1:
        return own
    others = binary_cross_entropy_with_logits(scores, labels.roll(1), weights.roll(1))
    return share * own + (1 - share) * others


def _batch_size(rows: int) -> int:
    return min(BATCH, max(SMALLEST_BATCH, rows // STEPS_AN_EPOCH))


def _pace(step: int, total: int) -> float:
    """The step size as a share of its largest: rises from 0 in the first steps, then falls along half a cosine."""
    return min(1.0, (step + 1) / (WARM_UP * total)) * 0.5 * (1 + math.cos(math.pi * step / total))


def _some(X: Rows, y: Labels) -> tuple[Rows, Labels]:
    """Evenly spaced rows, at most MEASURED_ROWS."""
    if len(y) <= MEASURED_ROWS:
        return X, y
    chosen = np.linspace(0, len(y) - 1, MEASURED_ROWS).astype(np.int64)
    return X[chosen], y[chosen]


def _measures(split: str, scores: NDArray[np.float64], labels: Labels) -> dict[str, float]:
    losses = np.logaddexp(0.0, -scores * np.where(labels > 0, 1, -1))
    return {f"{split}_loss": float(losses.mean()), f"{split}_accuracy": float(((scores > 0) == (labels > 0)).mean())}
