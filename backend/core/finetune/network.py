"""The module that is fine-tuned: a feature graph with one linear unit on its standardised features. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from backend.core.errors import ConfigError
from backend.core.extractors.graph import FeatureGraph
from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.rows import centre_and_scale

BATCH_PIXELS = 250 * 64 * 64
"""Pixels at the network's input in one batch of those that are only looked at."""

Step = Callable[[], None]


@dataclass(frozen=True)
class Labelled:
    """Images of one size. `y` is 1 for FAKE and 0 for REAL; images that share a group belong together."""

    pixels: NDArray[np.uint8]  # [n, side, side, 3]
    y: NDArray[np.int8]  # (n,)
    groups: NDArray[np.int64]  # (n,)


class JointNetwork(nn.Module):
    """Pixels [N, H, W, 3], 0..255 -> log-odds of FAKE [N]."""

    mean: Tensor
    scale: Tensor

    def __init__(self, graph: FeatureGraph, dimensions: int, dropout: float) -> None:
        super().__init__()
        self.graph = graph
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("scale", torch.ones(dimensions))
        self.dropout = nn.Dropout(dropout)
        self.unit = nn.Linear(dimensions, 1)

    def features(self, pixels: Tensor) -> Tensor:
        """Features [N, dimensions] as the exported graph gives them."""
        resized = self.graph.resize(pixels).contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        return torch.cat(self.graph.blocks(resized), dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        standard = (self.features(pixels).float() - self.mean) / self.scale
        logits: Tensor = self.unit(self.dropout(standard)).squeeze(1)
        return logits


def freeze(model: JointNetwork, train: str | list[str]) -> None:
    """Leaves gradients to the parts named by `train`, see `FinetuneConfig`, and to the linear unit.

    Parts are timm's groups of layers in the order of depth. Raises ConfigError on a stage that the network lacks.
    """
    from timm.models import group_parameters

    network, taps = model.graph.network, model.graph.taps
    depth_of: dict[str, int] = group_parameters(network, network.group_matcher(coarse=True), reverse=True)  # type: ignore[operator]
    depths = sorted(set(depth_of.values()))
    if isinstance(train, list):
        if unknown := [name for name in train if name not in taps or name == "last"]:
            known = ", ".join(name for name in taps if "." not in name and name != "last")
            raise ConfigError(f"The network has no stage {unknown[0]!r} to train.", f"Its stages: {known}.")
        inside = tuple(f"{taps[name].module}." for name in train)
        chosen = {depth for name, depth in depth_of.items() if name.startswith(inside)}
    else:
        middle = len(depths) // 2
        chosen = set({"all": depths, "early": depths[:middle], "late": depths[middle:]}[train])
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(depth_of.get(name) in chosen)


def set_training(model: JointNetwork, *, batch_norm: bool) -> None:
    """Training mode, in which frozen layers, and with `batch_norm` False all, keep their batch statistics."""
    model.train()
    for module in _batch_norms(model):
        own = next(module.parameters(), None)
        if not batch_norm or own is None or not own.requires_grad:
            module.eval()


def adapt_statistics(model: JointNetwork, pixels: NDArray[np.uint8], each: Step) -> None:
    """Replaces the batch statistics of layers that are trained by those of `pixels` [n, side, side, 3]."""
    set_training(model, batch_norm=True)
    layers = [module for module in _batch_norms(model) if module.training]
    momenta = [module.momentum for module in layers]
    for module in layers:
        module.reset_running_stats()
        module.momentum = None  # the plain mean over all batches
    with torch.no_grad():
        for batch in batches(model, pixels):
            model.features(batch)
            each()
    for module, momentum in zip(layers, momenta, strict=True):
        module.momentum = momentum


def probe(model: JointNetwork, images: Labelled, config: HeadConfig, each: Step) -> None:
    """Starts the linear unit as the logistic regression on the features as they are: "LP-FT" (Kumar et al. 2022).

    A unit that starts at random first spoils the features that it is put on.
    """
    model.eval()
    blocks = []
    with torch.no_grad():
        for batch in batches(model, images.pixels):
            blocks.append(model.features(batch).float().cpu().numpy())
            each()
    features = np.concatenate(blocks)
    head = fit_head(features, images.y, config, groups=images.groups, progress=lambda _stage, _share: each())
    mean, scale = centre_and_scale(features)
    arrays = head.arrays()
    weights, intercept = arrays["weights"].astype(np.float64), float(arrays["intercept"][0])
    with torch.no_grad():
        model.mean.copy_(torch.from_numpy(mean))
        model.scale.copy_(torch.from_numpy(scale))
        model.unit.weight.copy_(torch.from_numpy((weights * scale)[None]))
        model.unit.bias.fill_(intercept + float(weights @ mean))


def scores(model: JointNetwork, pixels: NDArray[np.uint8], each: Step) -> NDArray[np.float64]:
    """Log-odds of FAKE (n,) of pixels [n, side, side, 3]."""
    model.eval()
    blocks = []
    with torch.no_grad():
        for batch in batches(model, pixels):
            blocks.append(model(batch).double().cpu().numpy())
            each()
    return np.concatenate(blocks) if blocks else np.empty(0)


def batches(model: JointNetwork, pixels: NDArray[np.uint8]) -> Iterator[Tensor]:
    """The pixels in order, a batch at a time, where the model is."""
    size = max(1, BATCH_PIXELS // max(model.graph.input_size, pixels.shape[1]) ** 2)
    for start in range(0, len(pixels), size):
        yield torch.from_numpy(pixels[start : start + size]).to(model.mean.device)


def _batch_norms(model: JointNetwork) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]
