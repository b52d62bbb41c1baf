"""A feature graph with the maps that it pools as further outputs. Imports onnx: only where something is explained.

The graph that predicts stays as it is: this one is made from the same file, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from backend.core.explain.reading import Block, GraphReader, Top, foreign_graph
from backend.core.extractors.session import open_session

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """What the network makes of one image; with `flips` there are two views, the second one mirrored."""

    features: Floats32  # (d,)
    statistics: Floats32  # (views, n): all that was pooled; the features are their mean, or come out of the top
    maps: dict[str, Floats32]  # by name of the tensor, [views, channels, height, width]


class StageGraph:
    """The graph of one network, with what its features are pooled from."""

    def __init__(self, path: Path) -> None:
        """Reads the file of an extractor. Raises ConfigError for a graph that is not put together as exports are."""
        model = onnx.load(path)
        try:
            reader = GraphReader(model)
            self.blocks: tuple[Block, ...] = reader.blocks()
            self.top: Top | None = reader.top()
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise foreign_graph("it is put together in another way") from error
        self._statistics = reader.statistics
        self._maps = sorted({block.tensor for block in self.blocks if block.tensor is not None})
        model.graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in {self._statistics, *self._maps} - {"features"}
        )
        self._session = open_session(model.SerializeToString(), threads=1)

    def run(self, pixels: NDArray[np.uint8]) -> Seen:
        """What is seen of one image [height, width, 3]. Raises ConfigError where maps and statistics do not fit."""
        names = ["features", self._statistics, *self._maps]
        features, statistics, *maps = self._session.run(names, {"pixels": pixels[None]})
        seen = Seen(features[0], statistics, dict(zip(self._maps, maps, strict=True)))
        for block in self.blocks:
            if block.tensor is not None and not _fits(block, seen.maps[block.tensor].shape):
                raise foreign_graph(f"{block.stage} is not the {block.statistic} of its map")
        if self.blocks[-1].columns.stop != statistics.shape[1]:
            raise foreign_graph("not all of its statistics are known")
        return seen


def _fits(block: Block, shape: tuple[int, ...]) -> bool:
    """Whether a map [views, channels, height, width] has as many statistics as the block."""
    if len(shape) != 4:
        return False
    channels = shape[1]
    expected = channels * (channels + 1) // 2 if block.statistic == "cov" else channels
    return bool(block.columns.stop - block.columns.start == expected)


@lru_cache(maxsize=4)
def stage_graph(path: Path, _changed_ns: int) -> StageGraph:
    """The graph in the file as it was at `_changed_ns`; the latest ones stay open."""
    return StageGraph(path)
