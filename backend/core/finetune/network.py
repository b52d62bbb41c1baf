"""The module that is fine-tuned: a feature graph, small layers on its statistics, one unit. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from backend.core.errors import ConfigError
from backend.core.extractors.graph import FeatureGraph
from backend.core.heads import HeadConfig
from backend.core.heads.mlp_fit import Training, train_layers
from backend.core.heads.mlp_torch import make_layers
from backend.core.heads.rows import centre_and_scale, class_weights

BATCH_PIXELS = 250 * 64 * 64
"""Pixels at the network's input in one batch of those that are only looked at."""

Step = Callable[[], None]


@dataclass(frozen=True)
class Labelled:
    """Images of one size. `y` is 1 for FAKE and 0 for REAL; images that share a group belong together."""

    pixels: NDArray[np.uint8]  # [n, side, side, 3]
    y: NDArray[np.int8]  # (n,)
    groups: NDArray[np.int64]  # (n,)


class Top(nn.Module):
    """Pooled statistics [N, n] -> features: standardised, then the hidden layers of the head mlp."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dimensions: int, hidden: list[int], dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("scale", torch.ones(dimensions))
        self.layers = make_layers(dimensions, hidden, dropout)[:-1]

    def forward(self, statistics: Tensor) -> Tensor:
        features: Tensor = self.layers((statistics.float() - self.mean) / self.scale)
        return features


class JointNetwork(nn.Module):
    """Pixels [N, H, W, 3], 0..255 -> log-odds of FAKE [N]."""

    def __init__(self, graph: FeatureGraph, hidden: list[int], dropout: float) -> None:
        super().__init__()
        with torch.no_grad(), _small_inputs(graph.network) as self.padded:
            dimensions = graph.statistics(graph.resize(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))).shape[1]
        for convolution in self.padded:
            convolution.padding_mode = "constant"  # type: ignore[assignment]  # of zeros, the default of `pad`
        self.graph, self.top = graph, Top(dimensions, hidden, dropout)
        self.unit = nn.Linear(hidden[-1], 1)

    def statistics(self, pixels: Tensor) -> Tensor:
        """Pooled statistics [N, n], without the mirror image."""
        resized = self.graph.resize(pixels).contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        return self.graph.statistics(resized)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.unit(self.top(self.statistics(pixels))).squeeze(1)
        return logits

    def embedding(self) -> FeatureGraph:
        """The graph that gives the last hidden layer, on the CPU and ready for an export."""
        self.graph.top = self.top
        for convolution in self.padded:
            convolution.padding_mode = "zeros"
        graph = self.graph.cpu().eval().requires_grad_(False)
        return graph.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]


@contextmanager
def _small_inputs(network: nn.Module) -> Iterator[list[nn.Conv2d]]:
    """The padded depthwise convolutions that meet an input smaller than their kernel while the block runs.

    oneDNN has no direct weight gradient for those, and takes a hundred times as long where a processor lacks AVX-512.
    Padded by an operation of its own, their input is no smaller than the kernel: the same values, the usual speed.
    """
    found: list[nn.Conv2d] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.Conv2d) and min(inputs[0].shape[2:]) < max(module.kernel_size):
            found.append(module)

    hooks = [
        module.register_forward_pre_hook(look)
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.padding != (0, 0)
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def freeze(model: JointNetwork, train: str | list[str]) -> None:
    """Leaves gradients to the parts named by `train`, see `FinetuneConfig`, and to the layers on top.

    Parts are timm's groups of layers in the order of depth. Raises ConfigError on a stage that the network lacks, and
    where training would change no feature.
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
    _check_effect(model, train)


def _check_effect(model: JointNetwork, train: str | list[str]) -> None:
    """Raises ConfigError where what is trained lies behind every stage that the features are read from."""
    model.eval()  # an example must not count among the batch statistics
    statistics = model.statistics(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))
    if not statistics.requires_grad:
        raise ConfigError(
            f"finetune.train is {train!r}, and the features are read from stages before that.",
            "Train earlier stages, or read later ones (`stages` of the extractor).",
        )


def set_training(model: JointNetwork, *, batch_norm: bool) -> None:
    """Training mode, in which frozen layers, and with `batch_norm` False all, keep their batch statistics."""
    model.train()
    for module in _batch_norms(model.graph.network):
        own = next(module.parameters(), None)
        if not batch_norm or own is None or not own.requires_grad:
            module.eval()


def adapt_statistics(model: JointNetwork, pixels: NDArray[np.uint8], each: Step) -> None:
    """Replaces the batch statistics of layers that are trained by those of `pixels` [n, side, side, 3]."""
    set_training(model, batch_norm=True)
    layers = [module for module in _batch_norms(model.graph.network) if module.training]
    momenta = [module.momentum for module in layers]
    for module in layers:
        module.reset_running_stats()
        module.momentum = None  # the plain mean over all batches
    with torch.no_grad():
        for batch in batches(model, pixels):
            model.statistics(batch)
            each()
    for module, momentum in zip(layers, momenta, strict=True):
        module.momentum = momentum


def probe(model: JointNetwork, images: Labelled, config: HeadConfig, each: Step) -> None:
    """Starts the layers on top as the head mlp on the statistics as they are: "LP-FT" (Kumar et al. 2022).

    Layers that start at random first spoil the network that they are put on. `config` has the hidden widths.
    """
    model.eval()
    blocks = []
    with torch.no_grad():
        for batch in batches(model, images.pixels):
            blocks.append(model.statistics(batch).float().cpu().numpy())
            each()
    X = np.concatenate(blocks)
    mean, scale = centre_and_scale(X)
    training = Training(X, images.y, mean, scale, class_weights(images.y, config.class_weight), config)
    layers = train_layers(training, config.seed, lambda _share: each())
    model.top.mean.copy_(torch.from_numpy(mean))
    model.top.scale.copy_(torch.from_numpy(scale))
    model.top.layers.load_state_dict(layers[:-1].state_dict())
    model.unit.load_state_dict(layers[-1].state_dict())


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
        yield torch.from_numpy(pixels[start : start + size]).to(model.unit.weight.device)


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
