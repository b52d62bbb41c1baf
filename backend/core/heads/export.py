"""A backbone's graph and a fitted head -> one ONNX graph from uint8 pixels to score and probability."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from backend.core.calibrators import Calibration
from backend.core.errors import ConfigError
from backend.core.heads import FittedHead
from backend.core.heads.kernel import KernelHead
from backend.core.heads.linear import LinearHead
from backend.core.heads.mlp import MlpHead
from backend.core.heads.multi import MultiHead

Initializers = dict[str, NDArray[Any]]


def head_onnx(head: FittedHead, input_name: str, output_name: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """(nodes, initializers) that compute `output_name` float32 [N], the head's scores, from `input_name` [N, d].

    Raises ConfigError for a head that has no ONNX form.
    """
    if isinstance(head, LinearHead):
        steps, arrays = _linear(head, input_name, output_name)
    elif isinstance(head, KernelHead):
        steps, arrays = _kernel(head, input_name, output_name)
    elif isinstance(head, MlpHead):
        steps, arrays = _mlp(head, input_name, output_name)
    elif isinstance(head, MultiHead):
        steps, arrays = _multi(head, input_name, output_name)
    else:
        raise ConfigError(f"A head of kind {head.kind} cannot be exported.", "Export a head of another kind.")
    return steps, [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def bundle(backbone: Path, head: FittedHead, *, calibration: Calibration, card: Mapping[str, Any]) -> bytes:
    """One ONNX file: pixels uint8 [N, H, W, 3] -> score [N], probability_fake [N].

    `backbone` is the extractor's graph (its `path`); `card` is kept as the metadata entry "card".
    """
    model = onnx.load(backbone)
    graph = model.graph
    nodes, initializers = head_onnx(head, graph.output[0].name, "score")
    steps, arrays = _curve(calibration) if calibration.knots else _line(calibration)
    nodes += [*steps, helper.make_node("Sigmoid", ["head.logit"], ["probability_fake"])]
    graph.node.extend(nodes)
    graph.initializer.extend([*initializers, *(numpy_helper.from_array(array, name) for name, array in arrays.items())])
    del graph.output[:]
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("score", "probability_fake")
    )
    known = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, {**known, "card": json.dumps(card, sort_keys=True, default=str)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _line(calibration: Calibration) -> tuple[list[NodeProto], Initializers]:
    arrays: Initializers = {
        "head.slope": np.array(calibration.a, np.float32),
        "head.offset": np.array(calibration.b, np.float32),
    }
    return [
        helper.make_node("Mul", ["score", "head.slope"], ["head.scaled"]),
        helper.make_node("Add", ["head.scaled", "head.offset"], ["head.logit"]),
    ], arrays


def _curve(calibration: Calibration) -> tuple[list[NodeProto], Initializers]:
    """Σ slope · (score clipped to the segment - its start), segments between knots and beyond the outermost ones.

    All terms but the first have one sign, so float32 loses nothing by cancellation.
    """
    x, y = np.array(calibration.knots, np.float64).T
    slopes = np.concatenate([[calibration.a], np.diff(y) / np.diff(x), [calibration.a]])
    arrays: Initializers = {
        "head.starts": np.concatenate([[-np.inf], x]).astype(np.float32),
        "head.ends": np.concatenate([x, [np.inf]]).astype(np.float32),
        "head.origins": np.concatenate([x[:1], x]).astype(np.float32),
        "head.slopes": slopes.astype(np.float32),
        "head.offset": np.array(y[0], np.float32),
        "head.last": np.array([-1], np.int64),
    }
    return [
        helper.make_node("Unsqueeze", ["score", "head.last"], ["head.column"]),
        helper.make_node("Min", ["head.column", "head.ends"], ["head.below"]),
        helper.make_node("Max", ["head.below", "head.starts"], ["head.within"]),
        helper.make_node("Sub", ["head.within", "head.origins"], ["head.along"]),
        helper.make_node("MatMul", ["head.along", "head.slopes"], ["head.risen"]),
        helper.make_node("Add", ["head.risen", "head.offset"], ["head.logit"]),
    ], arrays


def _linear(head: LinearHead, source: str, target: str) -> tuple[list[NodeProto], Initializers]:
    arrays = {"head.weights": head.weights, "head.intercept": np.array(head.intercept, np.float32)}
    return [
        helper.make_node("MatMul", [source, "head.weights"], ["head.product"]),
        helper.make_node("Add", ["head.product", "head.intercept"], [target]),
    ], arrays


def _multi(head: MultiHead, source: str, target: str) -> tuple[list[NodeProto], Initializers]:
    arrays: Initializers = {
        "head.weights": head.weights,
        "head.intercepts": head.intercepts.astype(np.float32),
        "head.axis": np.array([1], np.int64),
    }
    return [
        helper.make_node("Gemm", [source, "head.weights", "head.intercepts"], ["head.specialists"]),
        helper.make_node("ReduceLogSumExp", ["head.specialists", "head.axis"], [target], keepdims=0),
    ], arrays


def _kernel(head: KernelHead, source: str, target: str) -> tuple[list[NodeProto], Initializers]:
    arrays = {
        "head.mean": head.mean,
        "head.scale": head.scale,
        "head.landmarks": np.ascontiguousarray(-2 * head.landmarks.T),
        "head.norms": np.square(head.landmarks).sum(axis=1),
        "head.axis": np.array([1], np.int64),
        "head.width": np.array(-head.width, np.float32),
        "head.zero": np.array(0, np.float32),
        "head.alpha": head.alpha,
        "head.intercept": np.array(head.intercept, np.float32),
    }
    return [
        helper.make_node("Sub", [source, "head.mean"], ["head.centred"]),
        helper.make_node("Div", ["head.centred", "head.scale"], ["head.z"]),
        helper.make_node("ReduceSumSquare", ["head.z", "head.axis"], ["head.own"], keepdims=1),
        helper.make_node("MatMul", ["head.z", "head.landmarks"], ["head.cross"]),
        helper.make_node("Add", ["head.cross", "head.own"], ["head.partial"]),
        helper.make_node("Add", ["head.partial", "head.norms"], ["head.distance"]),
        helper.make_node("Max", ["head.distance", "head.zero"], ["head.positive"]),
        helper.make_node("Mul", ["head.positive", "head.width"], ["head.exponent"]),
        helper.make_node("Exp", ["head.exponent"], ["head.kernel"]),
        helper.make_node("MatMul", ["head.kernel", "head.alpha"], ["head.product"]),
        helper.make_node("Add", ["head.product", "head.intercept"], [target]),
    ], arrays


def _mlp(head: MlpHead, source: str, target: str) -> tuple[list[NodeProto], Initializers]:
    arrays: Initializers = {"head.mean": head.mean, "head.scale": head.scale, "head.axis": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Sub", [source, "head.mean"], ["head.centred"]),
        helper.make_node("Div", ["head.centred", "head.scale"], ["head.z"]),
    ]
    outputs = []
    for i, network in enumerate(head.networks):
        x = "head.z"
        for j, (weights, offsets) in enumerate(network):
            name = f"head.{i}.{j}"
            arrays |= {f"{name}.weights": weights, f"{name}.offsets": offsets}
            nodes.append(helper.make_node("Gemm", [x, f"{name}.weights", f"{name}.offsets"], [f"{name}.sum"]))
            x = f"{name}.sum"
            if j < len(network) - 1:
                nodes.append(helper.make_node("Relu", [x], [f"{name}.units"]))
                x = f"{name}.units"
        outputs.append(x)
    nodes.append(helper.make_node("Mean", outputs, ["head.average"]))
    nodes.append(helper.make_node("Squeeze", ["head.average", "head.axis"], [target]))
    return nodes, arrays
