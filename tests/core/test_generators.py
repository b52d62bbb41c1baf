"""Figures by generator: against a count by hand, with REAL or a generator scarce or missing, and their intervals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from backend.core.errors import InvalidInput
from backend.core.generators import FEW_IMAGES, add_verdicts, evaluate_generators
from backend.core.intervals import clopper_pearson, recall_at_fpr_interval

Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def draw(reals: int, fakes: dict[str, tuple[int, float]], seed: int = 0) -> Arrays:
    """Labels, margins and generators: REAL around -1, each generator's (images, mean of its margins)."""
    random = np.random.default_rng(seed)
    names = np.repeat(["", *fakes], [reals, *(count for count, _ in fakes.values())])
    means = np.repeat([-1.0, *(mean for _, mean in fakes.values())], [reals, *(count for count, _ in fakes.values())])
    return (names != "").astype(np.int8), random.normal(means), names


def figures(y: NDArray[Any], scores: NDArray[Any], names: NDArray[Any], threshold: float = 0.5) -> dict[str, Any]:
    found = evaluate_generators(y, scores, 1 / (1 + np.exp(-scores)), threshold, names)
    json.dumps(found, allow_nan=False)
    return found


def codes(notes: list[dict[str, str]]) -> list[str]:
    return [note["code"] for note in notes]


def test_each_generator_stands_beside_all_real_images() -> None:
    y, scores, names = draw(400, {"caught": (200, 2.0), "missed": (100, -1.0)})
    found = figures(y, scores, names)
    assert [row["generator"] for row in found["generators"]] == ["caught", "missed"]
    assert found["n"] == {"REAL": 400, "FAKE": 300}
    real = scores[y == 0]
    assert found["fpr"] == pytest.approx(np.mean(real >= 0))
    for row in found["generators"]:
        own = scores[names == row["generator"]]
        assert row["n"] == len(own)
        assert row["recall"] == pytest.approx(np.mean(own >= 0))
        hits = np.sum(own >= 0) + np.sum(real < 0)
        assert row["accuracy"] == pytest.approx(hits / (len(own) + len(real)))
        assert row["balanced_accuracy"] == pytest.approx((np.mean(own >= 0) + np.mean(real < 0)) / 2)
        assert row["auroc"] == pytest.approx(np.mean(own[:, None] > real[None, :]))
        for name, rate in (("recall_at_1_fpr", 0.01), ("recall_at_5_fpr", 0.05)):
            limit = np.sort(real)[-1 - round(rate * len(real))]
            assert np.mean(real > limit) <= rate
            assert row[name] == pytest.approx(np.mean(own > limit))
        assert all(low <= row[name] <= high for name, (low, high) in row["intervals"].items())
    assert found["mean"]["recall"] == pytest.approx(np.mean([row["recall"] for row in found["generators"]]))
    assert found["notes"] == []


def test_a_fake_is_answered_real_where_it_is_neither_found_nor_unsure() -> None:
    names = np.array(["", "", "", "a", "a", "a", "a", "b"])
    y, scores = (names != "").astype(np.int8), np.array([-1.0, -2, 1, 2, -1, -2, -3, -1])
    unsure = np.array([1, 0, 0, 1, 1, 0, 0, 1], bool)
    found = figures(y, scores, names)
    add_verdicts(found, y, scores >= 0, unsure, names)
    json.dumps(found, allow_nan=False)
    told = {row["generator"]: (row["recall"], row["answered_real"], row["unsure_share"]) for row in found["generators"]}
    assert told == {"a": (0.25, 0.5, 0.5), "b": (0.0, 0.0, 1.0)}
    assert found["generators"][0]["intervals"]["answered_real"] == pytest.approx(clopper_pearson(2, 4))
    assert found["unsure_share"] == pytest.approx(1 / 3)
    fakes = figures(y[3:], scores[3:], names[3:])
    add_verdicts(fakes, y[3:], scores[3:] >= 0, unsure[3:], names[3:])
    assert fakes["unsure_share"] is None


def test_ties_of_real_images_never_exceed_the_rate() -> None:
    y = np.repeat([0, 1], [100, 10])
    scores = np.repeat([0.0, 1.0, 0.5], [50, 50, 10])  # half of REAL share the highest score
    row = figures(y, scores, np.where(y == 1, "g", ""))["generators"][0]
    assert row["recall_at_5_fpr"] == 0.0


def test_a_generator_with_three_images_gets_figures_and_a_note() -> None:
    y, scores, names = draw(200, {"rare": (3, 3.0), "common": (FEW_IMAGES, 1.0)})
    common, rare = figures(y, scores, names)["generators"]
    assert codes(rare["notes"]) == ["few_images"]
    assert codes(common["notes"]) == []
    assert rare["n"] == 3
    assert rare["intervals"]["recall"] == pytest.approx(clopper_pearson(round(3 * rare["recall"]), 3))


def test_without_real_images_recall_remains() -> None:
    y, scores, names = draw(0, {"a": (50, 1.0)})
    found = figures(y, scores, names)
    assert codes(found["notes"]) == ["no_real"]
    row = found["generators"][0]
    assert row["recall"] is not None
    untold = ("auroc", "accuracy", "balanced_accuracy", "recall_at_1_fpr", "recall_at_5_fpr")
    assert all(row[name] is None and row["intervals"][name] is None for name in untold)
    assert found["fpr"] is None
    assert found["mean"]["auroc"] is None


def test_without_fakes_the_false_alarms_remain() -> None:
    y, scores, names = draw(150, {})
    found = figures(y, scores, names)
    assert codes(found["notes"]) == ["no_fake"]
    assert found["fpr"] is not None
    assert found["generators"] == []


def test_few_real_images_tell_no_threshold_at_one_per_cent() -> None:
    y, scores, names = draw(60, {"a": (50, 1.0)})
    found = figures(y, scores, names)
    row = found["generators"][0]
    assert row["recall_at_1_fpr"] is None
    assert row["recall_at_5_fpr"] is not None
    assert codes(found["notes"]) == ["few_real"]
    assert "100" in found["notes"][0]["message"]


@pytest.mark.parametrize(
    ("y", "scores", "names"),
    [([0, 1], [0.1], ["", "g"]), ([0, 2], [0.1, 0.2], ["", "g"]), ([0, 1], [0.1, np.nan], ["", "g"])],
)
def test_arrays_that_do_not_fit_are_refused(y: list[int], scores: list[float], names: list[str]) -> None:
    with pytest.raises(InvalidInput):
        evaluate_generators(y, scores, [0.5] * len(scores), 0.5, names)


@pytest.mark.parametrize(("hits", "total"), [(0, 3), (3, 3), (1, 40), (378, 1000)])
def test_clopper_and_pearsons_interval_is_scipys(hits: int, total: int) -> None:
    expected = binomtest(hits, total).proportion_ci(method="exact")
    assert clopper_pearson(hits, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_quick_bootstrap_is_the_plain_one() -> None:
    random = np.random.default_rng(1)
    fakes, reals = random.normal(1.5, 1, 80), random.normal(0, 1, 300)
    drawn = []
    for _ in range(4000):
        limit = np.sort(random.choice(reals, len(reals)))[-1 - 15]
        drawn.append(np.mean(random.choice(fakes, len(fakes)) > limit))
    assert recall_at_fpr_interval(fakes, reals, 15, 0) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_a_recall_of_one_is_not_certain() -> None:
    found = recall_at_fpr_interval(np.full(5, 9.0), np.arange(100) / 100, 5, 0)
    assert found is not None
    assert found[0] == pytest.approx(clopper_pearson(5, 5)[0])  # type: ignore[index]
