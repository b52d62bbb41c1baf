"""The rewritten graph computes what the exporter's does, and leaves alone what it does not know."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from backend.core.extractors.simplify import simplify


def deviation(axes: tuple[int, ...]) -> onnx.ModelProto:
    """max(mean(x * x) - mean(x) ** 2, 0) over `axes` of x * 2, a map of 4 axes."""
    constants = {"two": np.float32(2), "zero": np.float32(0), "axes": np.array(axes, np.int64)}
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["map"]),
        helper.make_node("Mul", ["map", "map"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "axes"], ["mean_square"]),
        helper.make_node("ReduceMean", ["map", "axes"], ["mean"]),
        helper.make_node("Pow", ["mean", "two"], ["square"]),
        helper.make_node("Sub", ["mean_square", "square"], ["variance"]),
        helper.make_node("Max", ["variance", "zero"], ["y"]),
    ]
    maps = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3, 4, 5]) for name in ("map", "squares")]
    graph = helper.make_graph(
        nodes,
        "deviation",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 4, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        value_info=maps,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def kinds(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def test_means_over_places_squares_and_limits_are_rewritten():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    model = deviation((-1, -2))
    before = run(model, x)
    simplify(model)
    assert kinds(model) == {"Mul", "GlobalAveragePool", "Sub", "Relu"}
    np.testing.assert_allclose(run(model, x), before, rtol=1e-5)
    assert {each.name for each in model.graph.initializer} == {"two"}


def test_a_mean_over_other_axes_stays():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    model = deviation((1, 2))
    before = run(model, x)
    simplify(model)
    assert "ReduceMean" in kinds(model)
    np.testing.assert_allclose(run(model, x), before, rtol=1e-5)
