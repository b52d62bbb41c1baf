"""Graphs of networks that come with an archive: only what an export writes is accepted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from backend.core.errors import IntegrityError
from backend.core.extractors.graph_check import check_graph
from tests.running import ROOT


def make_graph() -> onnx.ModelProto:
    """pixels -> features, by one addition of a constant."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in ("pixels", "features")]
    node = helper.make_node("Add", ["pixels", "one"], ["features"])
    one = numpy_helper.from_array(np.ones(4, np.float32), "one")
    return helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], [one]))


def foreign_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.example"


def branch(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["pixels"], ["other"], then_branch=inner, else_branch=inner))


def function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("local", "f", ["x"], ["y"], [], []))


def weights_elsewhere(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="../../etc/passwd")


def constant_elsewhere(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.ones(4, np.float32))
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["other"], value=tensor))


def another_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "secrets"


CHANGES = (foreign_operator, branch, function, weights_elsewhere, constant_elsewhere, another_output)


def test_what_an_export_writes_is_accepted() -> None:
    check_graph(make_graph().SerializeToString())
    for path in (ROOT / "models" / "backbones").glob("*.onnx"):
        check_graph(path.read_bytes())


@pytest.mark.parametrize("change", CHANGES)
def test_anything_else_is_refused(change: Callable[[onnx.ModelProto], None]) -> None:
    model = make_graph()
    change(model)
    with pytest.raises(IntegrityError, match="not accepted"):
        check_graph(model.SerializeToString())


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(IntegrityError):
        check_graph(b"\xff\xfe no graph")
