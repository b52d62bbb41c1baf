"""The conclusion on detectors and unseen generators: pairs, Holm's correction, intervals, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from backend.core.hypothesis import Trial, conclude, holm


def calls(hits: int, total: int) -> NDArray[np.bool_]:
    return np.arange(total) < hits


def test_a_fall_is_measured_tested_and_said() -> None:
    trials = [
        Trial("a", ("a",), {"a": calls(95, 100), "b": calls(5, 60)}),
        Trial("b", ("b",), {"a": calls(10, 100), "b": calls(50, 60)}, fpr=0.04),
    ]
    found = conclude(trials)
    assert found is not None
    assert found["fpr"] == pytest.approx(0.04)
    assert "(and calls 4.0 % of the REAL images FAKE)" in found["text"]
    assert found["verdict"] == "supported"
    assert [(pair["detector"], pair["other"]) for pair in found["pairs"]] == [("a", "b"), ("b", "a")]
    first = found["pairs"][0]
    assert first["drop"] == pytest.approx(0.95 - 5 / 60)
    assert first["p"] == pytest.approx(fisher_exact([[95, 5], [5, 55]], alternative="greater").pvalue)
    assert first["interval"][0] < first["drop"] < first["interval"][1]
    low, high = found["mean_drop_interval"]
    assert low < found["mean_drop"] < high
    assert found["mean_drop"] == pytest.approx(np.mean([pair["drop"] for pair in found["pairs"]]))
    assert "is supported: it finds 89.2 % of the fakes of its own and 9.2 % of those of another" in found["text"]
    assert "2 of 2 pairs" in found["text"]


def test_no_fall_supports_nothing() -> None:
    found = conclude([Trial("a", ("a",), {"a": calls(50, 100), "b": calls(50, 100)})])
    assert found is not None
    assert (found["verdict"], found["significant"], found["tests"]) == ("not_supported", 0, 1)
    assert found["mean_drop_interval"][0] < 0 < found["mean_drop_interval"][1]


def test_a_fall_on_some_generators_is_supported_partly() -> None:
    unseen = {name: calls(90, 100) for name in "bcde"} | {"f": calls(10, 100)}
    found = conclude([Trial("a", ("a",), {"a": calls(90, 100), **unseen})])
    assert found is not None
    assert (found["verdict"], found["significant"], found["tests"]) == ("partly", 1, 5)


def test_three_images_are_never_certain() -> None:
    found = conclude([Trial("a", ("a",), {"a": calls(3, 3), "b": calls(0, 3)})])
    assert found is not None
    pair = found["pairs"][0]
    assert not pair["significant"] or pair["p"] >= 0.05
    assert pair["interval"][0] < 0.5
    assert pair["interval"][1] == pytest.approx(1.0)


def test_several_own_generators_count_together() -> None:
    found = conclude([Trial("a", ("x", "y"), {"x": calls(10, 10), "y": calls(0, 30), "z": calls(1, 20)})])
    assert found is not None
    assert [pair["other"] for pair in found["pairs"]] == ["z"]
    assert found["recall_own"] == pytest.approx(0.25)


def test_without_a_pair_there_is_no_conclusion() -> None:
    assert conclude([Trial("a", ("a",), {"a": calls(3, 4)})]) is None
    assert conclude([Trial("a", ("a",), {"b": calls(3, 4)})]) is None
    assert conclude([]) is None


def test_holm_keeps_the_order_and_never_shrinks() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Two detectors on the same images: the mean drop's interval holds the truth in about 95 % of the draws."""
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        a, b = random.random(60), random.random(40)
        trials = [
            Trial("a", ("a",), {"a": a < 0.8, "b": b < 0.3}),
            Trial("b", ("b",), {"a": a < 0.4, "b": b < 0.7}),
        ]
        found = conclude(trials)
        assert found is not None
        low, high = found["mean_drop_interval"]
        inside += low <= 0.4 <= high
    assert inside >= 178
