"""The comparison of benchmark results, and that `make bench` runs every benchmark there is."""

from __future__ import annotations

import ast

from benchmarks.__main__ import COMMANDS
from benchmarks.compare import difference
from tests.running import ROOT


def test_a_figure_that_moved_is_shown_and_what_describes_the_run_is_not() -> None:
    before = {"date": "2026", "versions": {"numpy": "2"}, "rows": [{"seconds": 10.0, "ok": True}], "gone": 1}
    after = {"date": "2027", "versions": {"numpy": "3"}, "rows": [{"seconds": 12.0, "ok": False}], "new": 0}
    assert difference(before, after, 0.05) == [("rows[0].seconds", 10.0, 12.0), ("gone", 1.0, None), ("new", None, 0.0)]


def test_a_figure_that_moved_less_is_left_out() -> None:
    assert difference({"a": 100.0, "b": 0}, {"a": 104.0, "b": 0}, 0.05) == []
    assert difference({"a": 100.0}, {"a": 94.0}, 0.05) == [("a", 100.0, 94.0)]


def test_every_benchmark_is_run_by_make_bench() -> None:
    writing = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "write_result"
    }
    assert writing == set(COMMANDS)
