"""A feature graph with less in it for the exporter to trace, and the same features. Imports torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from backend.core.extractors.graph import FeatureGraph


def lean(graph: FeatureGraph, example: Tensor) -> FeatureGraph:
    """A copy without what the network computes after the last stage that is read, as far as that can be left out.

    `example`: pixels [N, H, W, 3], by which is found what runs after it.
    """
    clamped = copy.deepcopy(graph)
    for parent in list(clamped.network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU6):
                setattr(parent, name, _Clamp())
    cut = copy.deepcopy(clamped)
    late = _late(cut, example)
    for parent in [cut.network, *(module for module in cut.network.modules() if isinstance(module, nn.Sequential))]:
        for name, child in parent.named_children():
            if child in late:
                setattr(parent, name, nn.Identity())
    try:
        with torch.no_grad():
            is_same = torch.equal(cut(example), clamped(example))
    except RuntimeError:  # what follows needs what was left out
        return clamped
    return cut if is_same else clamped


class _Clamp(nn.Module):
    """ReLU6 in an operator that ONNX has: the exporter takes half of its time to take a hardtanh apart."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(0.0, 6.0)


def _late(graph: FeatureGraph, example: Tensor) -> set[nn.Module]:
    """The network's modules that run only after every stage is there."""
    taps = set(_tapped(graph))
    early: set[nn.Module] = set()
    late: set[nn.Module] = set()

    def begin(module: nn.Module, _inputs: Any) -> None:
        (early if taps else late).add(module)

    def end(module: nn.Module, _inputs: Any, _output: Any) -> None:
        taps.discard(module)

    with ExitStack() as hooks, torch.no_grad():
        for module in graph.network.modules():
            hooks.callback(module.register_forward_pre_hook(begin).remove)
            hooks.callback(module.register_forward_hook(end).remove)
        graph(example)
    return late - early


def _tapped(graph: FeatureGraph) -> Iterator[nn.Module]:
    for stage, _ in graph.wanted:
        yield graph.network if stage == "last" else graph.network.get_submodule(graph.taps[stage].module)
