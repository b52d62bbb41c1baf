"""What holds for every page's file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.running import ROOT

SCREENS = sorted((ROOT / "frontend" / "screens").glob("*.py"))


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: path.stem)
def test_no_value_stands_alone_as_streamlit_would_show_it_to_the_visitor(path: Path) -> None:
    statements = ast.parse(path.read_text(encoding="utf-8")).body[1:]  # without the module's docstring
    alone = [node for node in statements if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)]
    assert not [ast.unparse(node) for node in alone]
