"""Kinds of calibration against what they should find, and the choice between them."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from backend.core.calibration import logistic
from backend.core.calibrators import FITS, Calibration, choose_calibration, isotonic, platt, temperature
from backend.core.errors import InvalidInput, OneClass

Floats = NDArray[np.float64]


def draw(n: int, seed: int = 0, bend: str = "line") -> tuple[Floats, NDArray[np.int8], Floats]:
    """Scores, labels and the probabilities that the labels were drawn with."""
    random = np.random.default_rng(seed)
    scores = 2.0 * random.normal(size=n)
    odds = {"line": 0.7 * scores + 0.4, "scale": 0.6 * scores, "steps": np.where(scores > 1.0, 2.5, -1.0)}[bend]
    truth = expit(odds)
    return scores, (random.random(n) < truth).astype(np.int8), truth


def loss(calibration: Calibration, scores: Floats, y: NDArray[np.int8]) -> float:
    odds = calibration.log_odds(scores)
    return float((np.logaddexp(0.0, odds) - y * odds).mean())


def test_the_logistic_function_is_scipys_and_never_overflows() -> None:
    x = np.concatenate([np.linspace(-800.0, 800.0, 4001), [-1e5, 0.0, 1e5]])
    np.testing.assert_allclose(logistic(x), expit(x), rtol=1e-15, atol=0.0)
    assert logistic([-1e5, 1e5]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("bend", ["line", "scale", "steps"])
def test_every_kind_rises_keeps_the_order_and_survives_json(kind: str, bend: str) -> None:
    scores, y, _ = draw(1_500, bend=bend)
    made = FITS[kind](scores, y)
    grid = np.linspace(-30.0, 30.0, 5_000)
    assert (np.diff(made.log_odds(grid)) > 0).all()
    p = made.probabilities(scores)
    assert ((p > 0) & (p < 1)).all()
    again = Calibration.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    assert again == made
    assert (again.probabilities(grid) == made.probabilities(grid)).all()
    np.testing.assert_allclose(made.shifted(0.3).log_odds(grid), made.log_odds(grid) + 0.3, atol=1e-12)


@pytest.mark.parametrize("kind", FITS)
def test_a_score_gives_the_same_probability_whatever_the_batch(kind: str) -> None:
    scores, y, _ = draw(1_200)
    made = FITS[kind](scores, y)
    together = made.probabilities(scores[:50])
    assert [made.probabilities(score[None])[0] for score in scores[:50]] == together.tolist()


def test_temperature_minimises_the_log_loss() -> None:
    scores, y, _ = draw(2_000, bend="scale")
    best = minimize_scalar(lambda a: loss(Calibration("temperature", a), scores, y), bounds=(0.01, 5), method="bounded")
    made = temperature(scores, y)
    assert made.a == pytest.approx(best.x, rel=5e-3)  # Platt's targets pull a little to the middle
    assert (made.a, made.b) == (pytest.approx(0.6, abs=0.05), 0.0)
    assert temperature(1e6 * scores, y).a == pytest.approx(made.a / 1e6, rel=1e-9)


def test_temperature_is_finite_where_classes_lie_apart_or_scores_point_the_wrong_way() -> None:
    scores, y = np.linspace(-5.0, 5.0, 40), np.repeat([0, 1], 20).astype(np.int8)
    assert 1.0 < temperature(scores, y).a < 10.0
    assert 0.0 < temperature(-scores, y).a < 1e-5
    assert temperature(np.zeros(40), y).probabilities([0.0])[0] == 0.5


def test_isotonic_knots_are_the_blocks_of_isotonic_regression() -> None:
    scores, y, truth = draw(20_000, bend="steps")
    made = isotonic(scores, y)
    reference = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, y)
    inner = [score for score, _ in made.knots if abs(score - 1.0) > 0.5 and abs(score) < 3.0]
    np.testing.assert_allclose(made.probabilities(inner), reference.predict(inner), atol=0.02)
    away = np.abs(scores - 1.0) > 0.3
    assert np.abs(made.probabilities(scores) - truth)[away].mean() < 0.02
    for one, two in pairwise(made.knots):
        assert one[0] < two[0]
        assert one[1] < two[1]


def test_isotonic_never_says_0_or_1_and_bears_ties_and_few_values() -> None:
    y = np.repeat([0, 1], 20).astype(np.int8)
    apart = isotonic(np.linspace(-5.0, 5.0, 40), y)
    low, high = apart.knots
    assert low == pytest.approx((-2.5641, float(logit(0.5 / 21))), abs=1e-3)
    assert high == pytest.approx((2.5641, float(logit(20.5 / 21))), abs=1e-3)
    one = isotonic(np.full(40, 3.0), y)
    assert one.knots == ((3.0, 0.0),)
    assert one.probabilities([3.0, 9.0])[0] == 0.5
    wrong_way = isotonic(np.linspace(5.0, -5.0, 40), y)
    assert len(wrong_way.knots) == 1
    assert wrong_way.a == 0.0
    lone = isotonic(np.array([-9.0, *np.linspace(-1, 1, 38), 9.0]), np.array([1, *([0] * 19 + [1] * 19), 0], np.int8))
    assert all(abs(odds) < 4.0 for _, odds in lone.knots)


@pytest.mark.parametrize("bend", ["scale", "line", "steps"])
def test_the_kind_of_the_lowest_cross_fitted_loss_is_chosen(bend: str) -> None:
    scores, y, _ = draw(4_000, seed=2, bend=bend)
    found = choose_calibration(scores, y, np.arange(4_000), seed=0)
    losses = dict(found.chosen["losses"])
    assert found.kind == min(losses, key=lambda kind: losses[kind])
    assert (found.chosen["images"], found.chosen["reason"]) == (4_000, None)
    fresh, truth = draw(50_000, seed=3, bend=bend)[:2]
    for kind, expected in losses.items():  # what cross-fitting says is what new images show
        assert loss(FITS[kind](scores, y), fresh, truth) == pytest.approx(expected, abs=0.03)
    if bend == "steps":
        assert found.kind == "isotonic"
    if bend == "line":
        assert losses["platt"] < losses["temperature"]


def test_folds_keep_groups_whole() -> None:
    """Images that stand ten times make an isotonic curve look good only where copies lie on both sides of a fold."""
    scores, y, _ = draw(300, seed=5)
    many, labels, groups = np.repeat(scores, 10), np.repeat(y, 10), np.repeat(np.arange(300), 10)
    apart = choose_calibration(many, labels, groups, seed=0).chosen["losses"]["isotonic"]
    mixed = choose_calibration(many, labels, np.arange(3_000), seed=0).chosen["losses"]["isotonic"]
    assert mixed < apart


@pytest.mark.parametrize(
    ("images", "fakes", "said"),
    [(999, 500, "999 images calibrate"), (2_000, 60, "60 of the rarer class")],
)
def test_few_images_take_platt_and_say_why(images: int, fakes: int, said: str) -> None:
    y = (np.arange(images) < fakes).astype(np.int8)
    scores = y + np.random.default_rng(0).normal(size=images)
    found = choose_calibration(scores, y, np.arange(images), seed=0)
    plain = platt(scores, y)
    assert (found.kind, found.a, found.b) == ("platt", plain.a, plain.b)
    assert said in found.chosen["reason"]
    assert found.chosen["losses"] == {}


def test_one_group_a_class_leaves_no_choice() -> None:
    scores, y, _ = draw(2_000)
    found = choose_calibration(scores, y, y.astype(np.int64), seed=0)
    assert found.kind == "platt"
    assert "too few groups" in found.chosen["reason"]


def test_bad_input_is_named() -> None:
    for fit in FITS.values():
        with pytest.raises(OneClass):
            fit([0.1, 0.2], [1, 1])
        with pytest.raises(InvalidInput):
            fit([np.nan, 0.2], [1, 0])
    with pytest.raises(OneClass):
        choose_calibration([0.1, 0.2], [0, 0], np.arange(2), seed=0)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": 1.0},
        {"a": "1", "b": 0.0},
        {"a": True, "b": 0.0},
        {"a": float("inf"), "b": 0.0},
        {"kind": "spline", "a": 1.0, "b": 0.0},
        {"kind": "isotonic", "a": 1.0, "knots": []},
        {"kind": "isotonic", "a": -1.0, "knots": [[0.0, 1.0]]},
        {"kind": "isotonic", "a": 1.0, "knots": [[0.0, 1.0], [0.0, 2.0]]},
        {"kind": "isotonic", "a": 1.0, "knots": [[0.0, 1.0], [1.0, 0.0]]},
        {"kind": "isotonic", "a": 1.0, "knots": [[0.0, float("nan")]]},
    ],
)
def test_what_is_no_calibration_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Calibration.from_json(values)


def test_a_card_without_a_kind_is_platts() -> None:
    assert Calibration.from_json({"a": 2.0, "b": -1.0}) == Calibration("platt", 2.0, -1.0)


def test_a_detector_answers_without_scipy() -> None:
    code = "import sys, backend.core.calibrators; print([name for name in sys.modules if name.startswith('scipy')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
