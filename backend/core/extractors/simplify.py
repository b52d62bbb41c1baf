"""The graph that the exporter writes -> an equal one that ONNX Runtime is faster at. Imports onnx: only for an export.

ONNX Runtime keeps a network's maps in blocks of channels. `ReduceMean` makes it copy each map back first, while
`GlobalAveragePool`, the same mean, reads the blocks. A square by `Pow` and a lower limit by `Max` are slow, too.
"""

from __future__ import annotations

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def simplify(model: onnx.ModelProto) -> None:
    """Rewrite the model's nodes in place. What it computes changes by rounding only."""
    graph = model.graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer if each.data_location == 0}
    maps = {each.name for each in graph.value_info if len(each.type.tensor_type.shape.dim) == 4}
    nodes = [_faster(node, constants, maps) for node in graph.node]
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def _faster(node: onnx.NodeProto, constants: dict[str, NDArray[Any]], maps: set[str]) -> onnx.NodeProto:
    """The node, or one that gives the same output; `maps` names the tensors [N, C, H, W]."""
    if len(node.input) != 2 or node.input[1] not in constants:
        return node
    x, second = node.input[0], constants[node.input[1]].ravel().tolist()
    keeps_axes = all(each.i == 1 for each in node.attribute if each.name == "keepdims")
    if node.op_type == "ReduceMean" and keeps_axes and x in maps and {axis % 4 for axis in second} == {2, 3}:
        return helper.make_node("GlobalAveragePool", [x], node.output, name=node.name)
    if node.op_type == "Pow" and second == [2.0]:
        return helper.make_node("Mul", [x, x], node.output, name=node.name)
    if node.op_type == "Max" and second == [0.0]:
        return helper.make_node("Relu", [x], node.output, name=node.name)
    return node
