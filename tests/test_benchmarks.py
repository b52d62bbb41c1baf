"""The comparison of benchmark results, and that `make bench` runs every benchmark there is."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from benchmarks.__main__ import COMMANDS
from benchmarks.attribution import Split, measure
from benchmarks.attribution_logistic import LogOdds, by_regression
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


def test_a_regression_names_sources_and_its_limit_comes_from_those_left_out() -> None:
    assert LogOdds().scores(np.log([[0.7, 0.2, 0.1]]), 4)[0] == pytest.approx(np.log([3.5, 2 / 7, 1 / 7]))
    random, foreign = np.random.default_rng(0), ("validation", "test", "far")
    centres = {name: 4.0 * np.eye(5)[place] for place, name in enumerate("abcd")} | dict.fromkeys(foreign, np.zeros(5))
    features = {name: random.normal(centre, size=(32, 5)).astype(np.float32) for name, centre in centres.items()}
    split = Split.draw(dict.fromkeys("abcd", 32), 0)
    contest = by_regression(features, split, foreign)
    found = measure(contest, (1, 16), foreign, 0)["16"]
    assert found["closed"] == 1
    assert found["open"] > 0.9  # what has no source's mark is nobody's
    assert found["left_out"] < 0.5
    assert found["foreign"]["test"] < 0.1
    judge, rows = contest.without["a"]
    assert rows.shape == (16, 3)
    assert judge.threshold(1, 0.05) < judge.threshold(1, 0.01)
