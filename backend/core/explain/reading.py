"""Reads out of an exported graph where each feature was pooled from. Imports onnx."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from backend.core.errors import ConfigError
from backend.core.heads.mlp import Layer

Floats32 = NDArray[np.float32]

_RESHAPING = frozenset(
    {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Gather", "GatherND", "Cast", "Identity"}
)
"""Their further inputs are shapes and places, not values."""


@dataclass(frozen=True)
class Block:
    """Statistics of one map; they stand side by side in the row of all statistics."""

    stage: str
    statistic: str  # "mean", "std" or "cov"
    columns: slice  # of the row
    tensor: str | None  # name of the map; None where it is not known which one was pooled
    receptive_field: float  # pixels a side of the network's input that one place of the map sees; may be infinite


@dataclass(frozen=True)
class Top:
    """Layers from the statistics to the features, which fine-tuning puts there: max(0, z @ weights + offsets) each."""

    mean: Floats32  # (n,): z = (statistics - mean) / scale
    scale: Floats32  # (n,)
    layers: tuple[Layer, ...]


class GraphReader:
    """Follows a feature graph backwards, from the features to the maps.

    Raises ConfigError, or what looking in vain raises (KeyError, IndexError, ValueError), for a graph of another build.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self._makers = {name: node for node in graph.node for name in node.output}
        self._constants = {each.name: each for each in graph.initializer}
        self._shapes = {
            each.name: [size.dim_value for size in each.type.tensor_type.shape.dim]
            for each in (*graph.value_info, *graph.output)
        }
        about = {entry.key: entry.value for entry in model.metadata_props}.get("deepfake", "{}")
        self._features = [(str(stage), str(statistic)) for stage, statistic, _ in json.loads(about)["features"]]
        self._has_top = any(statistic == "unit" for _, statistic in self._features)
        self._fields = receptive_fields(graph)
        self.statistics = self._find_statistics()

    def blocks(self) -> tuple[Block, ...]:
        """What was pooled, in the order of the row of statistics."""
        node = self._makers[self.statistics]
        pooled = list(node.input) if node.op_type == "Concat" else [self.statistics]
        blocks: list[Block] = []
        start = 0
        for place, name in enumerate(pooled):
            tensor, statistic = self._pooled_from(name)
            stage = self._module(tensor)
            if not self._has_top:  # else the file names what the layers on top give
                stage, statistic = self._features[place]
            width = self._shapes[name][1]
            field = self._fields.get(tensor or "", math.inf)
            blocks.append(Block(stage, statistic, slice(start, start + width), tensor, field))
            start += width
        return tuple(blocks)

    def top(self) -> Top | None:
        """The layers between statistics and features; None where the features are the statistics."""
        if not self._has_top:
            return None
        first, second, *rest = self._between()
        pairs = list(zip(rest[::2], rest[1::2], strict=False))
        kinds = [first.op_type, second.op_type, *(node.op_type for node in rest)]
        if kinds != ["Sub", "Div"] + ["Gemm", "Relu"] * len(pairs):
            raise foreign_graph(f"{', '.join(kinds)} between statistics and features")
        layers = tuple(self._layer(gemm) for gemm, _ in pairs)
        return Top(self._constant(first.input[1]), self._constant(second.input[1]), layers)

    def _find_statistics(self) -> str:
        """The tensor [views, n] of everything that was pooled, before the top and before views are averaged."""
        name = "features"
        if self._makers[name].op_type == "ReduceMean":  # of both views
            name = self._makers[self._makers[name].input[0]].input[0]
        if self._has_top:  # it begins by taking their mean away
            while self._makers[name].op_type != "Sub":
                name = self._makers[name].input[0]
            return str(self._makers[name].input[0])
        waiting, seen = [name], set[str]()
        while waiting:
            node = self._makers.get(tensor := waiting.pop(0))
            if node is None or tensor in seen or self._is_pool(node):
                continue
            if node.op_type == "Concat":
                return tensor
            seen.add(tensor)
            waiting += self._values(node)
        return name

    def _pooled_from(self, name: str) -> tuple[str | None, str]:
        """(the map that a block was pooled from, None where that is not one; the statistic)."""
        maps, kinds = set[str](), set[str]()
        waiting = [name]
        while waiting:
            tensor = waiting.pop()
            node = self._makers.get(tensor)
            if node is None:
                continue
            if self._is_pool(node) or (node.op_type == "Reshape" and self._is_map(node.input[0])):
                maps.add(self._first_pooled(self._unsquared(node.input[0])))
                continue
            kinds.add(node.op_type)
            waiting += self._values(node)
        statistic = "std" if "Sqrt" in kinds else "cov" if "MatMul" in kinds else "mean"
        return (maps.pop() if len(maps) == 1 else None), statistic

    def _unsquared(self, tensor: str) -> str:
        node = self._makers.get(tensor)
        is_square = node is not None and node.op_type == "Mul" and node.input[0] == node.input[1]
        return str(node.input[0]) if node is not None and is_square else tensor

    def _first_pooled(self, tensor: str) -> str:
        """The map behind a pooled vector that was given places again, as the final features are; else `tensor`."""
        name = tensor
        while (node := self._makers.get(name)) is not None and node.op_type in _RESHAPING:
            name = node.input[0]
        return str(node.input[0]) if node is not None and self._is_pool(node) else tensor

    def _is_pool(self, node: onnx.NodeProto) -> bool:
        return node.op_type in ("GlobalAveragePool", "ReduceMean") and len(self._shapes.get(node.input[0], ())) == 4

    def _is_map(self, tensor: str) -> bool:
        shape = self._shapes.get(tensor, [])
        return len(shape) == 4 and shape[2:] != [1, 1]

    def _values(self, node: onnx.NodeProto) -> list[str]:
        return list(node.input[:1] if node.op_type in _RESHAPING else node.input)

    def _module(self, tensor: str | None) -> str:
        """The module of the nearest convolution before a map: its name as a stage."""
        waiting, seen = [tensor or ""], set[str]()
        while waiting:
            node = self._makers.get(name := waiting.pop(0))
            if node is None or name in seen:
                continue
            if node.op_type == "Conv":
                return str(node.input[1]).removeprefix("network.").removesuffix(".weight")
            seen.add(name)
            waiting += self._values(node)
        return tensor or "features"

    def _between(self) -> list[onnx.NodeProto]:
        """The nodes that lead from the statistics to the features, in their order."""
        path: list[onnx.NodeProto] = []
        tensor = "features"
        while tensor != self.statistics:
            node = self._makers.get(tensor)
            if node is None:
                raise foreign_graph("statistics that do not lead to the features")
            path.append(node)
            tensor = next((name for name in node.input if name in self._makers), "")
        return [node for node in path[::-1] if node.op_type not in ("ReduceMean", *_RESHAPING)]

    def _layer(self, gemm: onnx.NodeProto) -> Layer:
        weights, offsets = (self._constant(name) for name in gemm.input[1:3])
        is_transposed = any(each.name == "transB" and each.i for each in gemm.attribute)
        return weights.T if is_transposed else weights, offsets

    def _constant(self, name: str) -> Floats32:
        return np.asarray(numpy_helper.to_array(self._constants[name]), dtype=np.float32)


def receptive_fields(graph: onnx.GraphProto) -> dict[str, float]:
    """Pixels a side of the network's input that one place of each map sees, by the map's name.

    Of a chain of windows of sizes k, dilations d and strides s it is 1 + Σ (k - 1) d Π s before it (Dumoulin and Visin
    2016); where paths meet, the widest counts. A map that was pooled over all places, or mixed by a matrix product,
    sees everything.
    """
    fields: dict[str, float] = {}
    jumps: dict[str, float] = {}
    for node in graph.node:
        known = [name for name in node.input if name in fields]
        if not known and node.op_type != "Conv":
            continue
        field = max((fields[name] for name in known), default=1.0)
        jump = max((jumps[name] for name in known), default=1.0)
        settings = {each.name: each for each in node.attribute}
        if "kernel_shape" in settings:
            kernel, dilation, stride = (_first(settings, key) for key in ("kernel_shape", "dilations", "strides"))
            field, jump = field + (kernel - 1) * dilation * jump, jump * stride
        elif node.op_type in ("GlobalAveragePool", "ReduceMean", "MatMul"):
            field = math.inf
        fields.update(dict.fromkeys(node.output, field))
        jumps.update(dict.fromkeys(node.output, jump))
    return fields


def _first(settings: dict[str, onnx.AttributeProto], key: str) -> int:
    return int(settings[key].ints[0]) if key in settings else 1


def foreign_graph(what: str) -> ConfigError:
    return ConfigError(f"The network's graph cannot be explained: {what}.", "Fit the model again with this version.")
