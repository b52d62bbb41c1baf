"""The client calls what the service offers, and offers what the service has: both are read, nothing is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from backend.api.main import create_app
from backend.settings import load_settings

CALLS = Path(__file__).parent.parent / "frontend" / "calls"
VERBS = {"json", "send", "download"}


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path with {} for every parameter) -> operation."""
    paths = create_app(load_settings()).openapi()["paths"]
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path)): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


@pytest.fixture(scope="module")
def calls() -> list[tuple[str, str, ast.FunctionDef]]:
    """(method, path with {} for every value, the client's function) of each request that the client makes."""
    found = []
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CALLS.glob("*.py"))]
    for function in (node for tree in trees for node in ast.walk(tree)):
        if not isinstance(function, ast.FunctionDef):
            continue
        paths = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in VERBS):
                continue
            arguments = list(call.args)
            method = "GET" if call.func.attr == "download" else _text(arguments.pop(0), paths)
            found.append((method, _text(arguments[0], paths), function))
    return found


def _text(node: ast.expr, names: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.Name):
        return _text(names[node.id], names)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    assert isinstance(node, ast.Constant), ast.dump(node)
    return str(node.value)


def test_every_call_has_a_route(
    operations: dict[tuple[str, str], dict[str, Any]], calls: list[tuple[str, str, ast.FunctionDef]]
) -> None:
    assert len(calls) > 20
    assert {(method, path) for method, path, _ in calls} - operations.keys() == set()


def test_every_route_has_a_call(
    operations: dict[tuple[str, str], dict[str, Any]], calls: list[tuple[str, str, ast.FunctionDef]]
) -> None:
    assert operations.keys() - {(method, path) for method, path, _ in calls} == set()


def test_query_parameters_exist(
    operations: dict[tuple[str, str], dict[str, Any]], calls: list[tuple[str, str, ast.FunctionDef]]
) -> None:
    checked = 0
    for method, path, function in calls:
        known = {p["name"] for p in operations[method, path].get("parameters", ()) if p["in"] == "query"}
        for node in ast.walk(function):
            is_params = isinstance(node, ast.keyword) and node.arg == "params"
            is_assigned = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "params"
            if (is_params or is_assigned) and isinstance(node.value, ast.Dict):
                sent = {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
                assert sent <= known, (method, path)
                checked += len(sent)
    assert checked > 15
