"""What a graph from elsewhere must be before a runtime may open it. Imports onnx: only where a model is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx

from backend.core.errors import IntegrityError

_STANDARD = ("", "ai.onnx")


def check_graph(data: bytes) -> None:
    """Raises IntegrityError unless the bytes are a graph as an export writes it: pixels in, features out.

    No operators but ONNX's own, no functions, no branches or loops, no weights in other files. What is left can compute
    for long and take much memory; it reads no file and runs no code of its sender.
    """
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf raises errors of its own
        raise IntegrityError("The network in the archive is no ONNX graph.", "Export the model again.") from error
    graph = model.graph
    ends = [[each.name for each in side] for side in (graph.input, graph.output)]
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    unusual = {
        "it does not lead from pixels to features": ends != [["pixels"], ["features"]],
        "it has functions": len(model.functions) > 0,
        "it has operators that are not ONNX's own": any(node.domain not in _STANDARD for node in graph.node),
        "it has branches or loops": any(attribute.HasField("g") or attribute.graphs for attribute in attributes),
        "its weights lie in other files": any(tensor.external_data for tensor in _tensors(graph, attributes)),
    }
    if reasons := [reason for reason, found in unusual.items() if found]:
        raise IntegrityError(f"The network in the archive is not accepted: {reasons[0]}.", "Export the model again.")


def _tensors(graph: Any, attributes: list[Any]) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
