"""What PyTorch does for the head mlp: its modules, their plain form, its threads and random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backend.core.heads.mlp import Layer, Network

Rows = NDArray[np.float32]


def make_layers(dimensions: int, hidden: list[int], dropout: float) -> nn.Sequential:
    """A network from `dimensions` features to one number, with hidden layers of those widths."""
    modules: list[nn.Module] = []
    for width in hidden:
        modules += [nn.Linear(dimensions, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)]
        dimensions = width
    return nn.Sequential(*modules, nn.Linear(dimensions, 1))


def fold(network: nn.Sequential) -> Network:
    """The same network as plain layers, with each normalisation folded into the linear layer before it."""
    layers: list[Layer] = []
    for module in network:
        if isinstance(module, nn.Linear):
            weights, offsets = (part.detach().numpy().astype(np.float64) for part in (module.weight, module.bias))
            layers.append((np.ascontiguousarray(weights.T, dtype=np.float32), offsets.astype(np.float32)))
        elif isinstance(module, nn.BatchNorm1d):
            layers[-1] = _normalised(*layers[-1], module)
    return tuple(layers)


def _normalised(weights: Rows, offsets: Rows, norm: nn.BatchNorm1d) -> Layer:
    state = {name: part.numpy() for name, part in norm.state_dict().items()}
    factor = state["weight"] / np.sqrt(state["running_var"] + norm.eps)
    return weights * factor, state["bias"] + (offsets - state["running_mean"]) * factor


@contextmanager
def own_torch(seed: int) -> Iterator[None]:
    """PyTorch with its random numbers from `seed` and one thread, as before afterwards.

    Threads meet at the end of every operation, and most operations of so small a network take microseconds: wherever
    anything else runs on the machine, two threads take several times as long as one.
    """
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)
