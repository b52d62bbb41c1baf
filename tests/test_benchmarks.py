"""The comparison of benchmark results, and that `make bench` runs every benchmark there is."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from benchmarks.__main__ import COMMANDS
from benchmarks.attribution import Split, measure
from benchmarks.attribution_logistic import LogOdds, by_regression
from benchmarks.compare import difference
from benchmarks.fingerprint_choice import PRESENT, SETTINGS, choose
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
    assert found["open"] > 0.9
    assert set(found) == {"closed", "open", "left_out", "open_real", "false_real", "foreign", "generators"}
    judge, rows = contest.without["a"]
    assert rows.shape == (16, 3)
    assert judge.threshold(1, 0.05) < judge.threshold(1, 0.01)


def test_a_setting_is_chosen_among_images_that_the_split_does_not_ask() -> None:
    split = Split.draw({"a": 64, "b": 40}, 0)
    inner = split.inner(0)
    for name in ("a", "b"):
        enrolled, asked = set(inner.enrolled[name]), set(inner.asked[name])
        assert enrolled | asked == set(split.enrolled[name])
        assert not enrolled & asked
        assert len(enrolled) == len(split.enrolled[name]) // 2
    equal = {one: {"closed": 0.5, "open": 0.25} for one in SETTINGS}
    assert choose(equal) == PRESENT
    assert choose({**equal, SETTINGS[-1]: {"closed": 0.5, "open": 0.5}}) == SETTINGS[-1]
