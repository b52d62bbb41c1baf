"""What the exporter is spared: what a network computes after the last stage that is read."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from backend.core.extractors.graph import FeatureGraph
from backend.core.extractors.lean import lean
from backend.core.extractors.stages import Tap

PIXELS = torch.randint(0, 256, (2, 9, 12, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TAPS = {name: Tap(name, 4) for name in ("stem", "blocks.0", "blocks.1")}
RECORD = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}


class Network(nn.Module):
    """A stem, an activation that is used twice, and two blocks of which the second has more channels."""

    def __init__(self, *, adds: bool) -> None:
        super().__init__()
        self.stem, self.act = nn.Conv2d(3, 4, 3), nn.ReLU6()
        self.blocks = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 8, 1))
        self.bias = nn.Parameter(torch.zeros(8, 1, 1)) if adds else None

    def forward_features(self, x: Tensor) -> Tensor:
        x = self.act(self.blocks(self.act(self.stem(x))))
        return x if self.bias is None else x + self.bias


def graph_of(stage: str, *, adds: bool = False) -> FeatureGraph:
    torch.manual_seed(0)
    return FeatureGraph(Network(adds=adds), TAPS, [(stage, "mean"), (stage, "std")], 16, RECORD, flips=True).eval()


@pytest.mark.parametrize(("stage", "kept"), [("stem", 0), ("blocks.0", 1), ("blocks.1", 2)])
def test_what_comes_after_the_last_stage_is_left_out(stage: str, kept: int) -> None:
    graph = graph_of(stage)
    smaller = lean(graph, PIXELS)
    assert isinstance(smaller.network.blocks, nn.Sequential if kept else nn.Identity)
    assert sum(isinstance(module, nn.Conv2d) for module in smaller.network.modules()) == 1 + kept
    assert sum(isinstance(module, nn.Conv2d) for module in graph.network.modules()) == 3  # it is a copy
    with torch.no_grad():
        assert torch.equal(smaller(PIXELS), graph(PIXELS))


def test_what_the_rest_cannot_do_without_stays() -> None:
    graph = graph_of("blocks.0", adds=True)  # 8 channels are added to 4 without the last block
    smaller = lean(graph, PIXELS)
    assert sum(isinstance(module, nn.Conv2d) for module in smaller.network.modules()) == 3
    with torch.no_grad():
        assert torch.equal(smaller(PIXELS), graph(PIXELS))
