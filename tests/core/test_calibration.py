"""Platt scaling against a plain minimiser, and thresholds against counting."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from backend.core.calibration import choose_threshold, fit_platt, probability
from backend.core.errors import ConfigError, InvalidInput, OneClass


def draw(n: int, seed: int = 0, share: float = 0.5) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    random = np.random.default_rng(seed)
    y = (random.random(n) < share).astype(np.int8)
    return random.normal(size=n) + 1.5 * y - 0.5, y


def test_probability_leaves_logits_as_they_are_and_never_overflows() -> None:
    scores = np.array([-1e5, -1.0, 0.0, 2.0, 1e5])
    found = probability(scores, 1.0, 0.0)
    assert found[1:4] == pytest.approx(1 / (1 + np.exp(-scores[1:4])))
    assert (found[0], found[4]) == (0.0, 1.0)
    assert probability([0.5], 2.0, -1.0)[0] == 0.5


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_fit_minimises_platts_cross_entropy(share: float) -> None:
    scores, y = draw(500, share=share)
    positives, negatives = int(y.sum()), int((1 - y).sum())
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def cross_entropy(ab: NDArray[np.float64]) -> float:
        f = ab[0] * scores + ab[1]
        return float((np.logaddexp(0, f) - target * f).sum())

    plain = minimize(cross_entropy, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    a, b = fit_platt(scores, y)
    assert (a, b) == pytest.approx(tuple(plain.x), abs=1e-4)
    assert cross_entropy(np.array([a, b])) <= plain.fun + 1e-9


def test_probabilities_that_are_right_already_stay() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=200_000) * 2
    y = (random.random(200_000) < expit(logits)).astype(np.int8)
    assert fit_platt(logits, y) == pytest.approx((1.0, 0.0), abs=0.02)


@pytest.mark.parametrize(("scale", "shift"), [(1e6, 3e7), (1e-6, 0.0), (1.0, -1e4)])
def test_the_scale_of_the_scores_does_not_matter(scale: float, shift: float) -> None:
    scores, y = draw(400)
    expected = probability(scores, *fit_platt(scores, y))
    moved = scores * scale + shift
    assert probability(moved, *fit_platt(moved, y)) == pytest.approx(expected, abs=1e-6)


def test_separated_classes_give_finite_probabilities_within_platts_targets() -> None:
    scores, y = np.linspace(-5, 5, 40), np.repeat([0, 1], 20).astype(np.int8)
    a, b = fit_platt(scores, y)
    p = probability(scores, a, b)
    assert np.isfinite([a, b]).all()
    assert a > 0
    assert p[0] < 0.05
    assert p[-1] > 0.95
    assert (np.diff(p) > 0).all()


def test_equal_scores_give_the_share_of_fake() -> None:
    y = np.array([1] * 30 + [0] * 10)
    p = probability(np.full(40, 3.0), *fit_platt(np.full(40, 3.0), y))
    assert p == pytest.approx(np.full(40, (30 * 31 / 32 + 10 / 12) / 40), abs=1e-6)


def test_scores_that_point_the_wrong_way_are_turned() -> None:
    scores, y = draw(300)
    assert fit_platt(-scores, y) == pytest.approx((-fit_platt(scores, y)[0], fit_platt(scores, y)[1]), abs=1e-6)


def test_bad_input_is_named() -> None:
    for call in (fit_platt, choose_threshold):
        with pytest.raises(OneClass):
            call([0.1, 0.2], [1, 1])
        with pytest.raises(OneClass):
            call([], [])
        with pytest.raises(InvalidInput):
            call([0.1, 0.2], [1])
        with pytest.raises(InvalidInput):
            call([np.nan, 0.2], [1, 0])
        with pytest.raises(InvalidInput):
            call([0.1, 0.2], [1, 3])
    with pytest.raises(InvalidInput, match=r"outside 0\.\.1"):
        choose_threshold([0.5, 1.5], [0, 1])
    for rate in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(ConfigError):
            choose_threshold([0.2, 0.8], [0, 1], target_fpr=rate)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_no_other_threshold_is_right_more_often_beyond_noise(share: float) -> None:
    scores, y = draw(700, seed=3, share=share)
    p = np.round(expit(2 * scores), 2)  # with ties
    chosen = choose_threshold(p, y)

    def shares(threshold: float) -> tuple[float, float]:
        return float(np.mean(p[y == 1] >= threshold)), float(np.mean(p[y == 0] < threshold))

    grid = np.linspace(0.0005, 0.9995, 2000)
    best = max(grid, key=lambda t: sum(shares(t)))
    (recall, specificity), fakes, reals = shares(best), np.sum(y == 1), np.sum(y == 0)
    noise = np.sqrt(recall * (1 - recall) / fakes + specificity * (1 - specificity) / reals)
    assert sum(shares(chosen)) >= recall + specificity - noise - 1e-9
    nearer = [t for t in grid if abs(t - 0.5) < abs(chosen - 0.5) - 0.01]
    assert all(sum(shares(t)) < recall + specificity - noise + 0.01 for t in nearer)
    assert 0 < chosen < 1


def test_many_more_images_of_one_class_do_not_move_the_threshold() -> None:
    scores, y = draw(4000, seed=5, share=0.5)
    many = np.flatnonzero((y == 1) | (np.arange(4000) % 10 == 0))  # nine of ten REAL left out
    p = expit(3 * scores)
    assert choose_threshold(p[many], y[many]) == pytest.approx(choose_threshold(p, y), abs=0.15)


def test_of_equally_good_thresholds_the_nearest_to_a_half_is_taken() -> None:
    assert choose_threshold([0.1, 0.45, 0.55, 0.9], [0, 1, 0, 1]) in (pytest.approx(0.275), pytest.approx(0.725))
    assert choose_threshold([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 1]) == pytest.approx(0.45)
    assert choose_threshold([0.5, 0.5], [0, 1]) == pytest.approx(0.25)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5])
def test_the_target_rate_is_kept_and_used_up(rate: float) -> None:
    scores, y = draw(3000, seed=4)
    p = expit(scores)
    chosen = choose_threshold(p, y, target_fpr=rate)
    real = p[y == 0]
    alarms = int((real >= chosen).sum())
    assert alarms == int(rate * len(real))
    assert chosen < np.sort(p[p >= chosen])[0]  # lies between two images, not on one


def test_a_rate_below_one_image_allows_no_false_alarm() -> None:
    p = np.array([0.1, 0.6, 0.7, 0.95])
    assert choose_threshold(p, [0, 0, 1, 1], target_fpr=0.1) == pytest.approx(0.65)
    assert choose_threshold(p, [0, 1, 1, 0], target_fpr=0.1) == pytest.approx(0.975)


def test_thresholds_stay_inside_0_to_1_when_probabilities_are_certain() -> None:
    assert choose_threshold([0.0, 1.0], [0, 1]) == 0.5
    assert choose_threshold([0.0, 0.0, 1.0, 1.0], [0, 1, 0, 1], target_fpr=0.1) == 1.0 - 1e-12
    assert 0 < choose_threshold([1e-300, 1.0], [1, 0]) < 1
    assert choose_threshold([0.0, 1e-300], [0, 1]) == pytest.approx(0.5)
