"""Two models on the same images: counts by hand, the exact test against SciPy, the interval against a published one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from backend.core.paired import compare_calls, difference_interval, mcnemar


@pytest.mark.parametrize(
    ("only_first", "only_second"),
    [
        (1, 0),
        (0, 5),
        (0, 6),
        (3, 3),
        (9, 2),
        (10, 11),
        (40, 80),
        (391, 90),
        (1000, 1100),
        (9_800, 10_200),
        (4_000, 16_000),
    ],
)
def test_the_exact_test_is_the_binomial_one(only_first: int, only_second: int) -> None:
    expected = binomtest(only_first, only_first + only_second).pvalue
    assert mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-8)
    assert mcnemar(only_second, only_first) == mcnemar(only_first, only_second)


def test_small_cases_by_hand() -> None:
    assert mcnemar(0, 0) == mcnemar(4, 4) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 5) == pytest.approx(2 * (1 + 6) / 2**6)


def test_a_difference_beyond_all_doubt_is_zero_and_no_error() -> None:
    assert mcnemar(0, 20_000) == 0.0


def test_a_right_fake_and_a_right_real_both_count_as_right() -> None:
    y = np.array([1, 1, 1, 0, 0, 0, 0, 1], np.int8)
    first = np.array([1, 1, 0, 0, 0, 1, 0, 0], bool)
    second = np.array([1, 0, 1, 0, 1, 1, 1, 0], bool)
    found = compare_calls(y, first, second)
    interval = found.pop("interval")
    assert found == {
        "n": 8,
        "both_right": 2,  # 0, 3
        "only_first": 3,  # 1, 4, 6
        "only_second": 1,  # 2
        "neither": 2,  # 5, 7
        "accuracy_first": 5 / 8,
        "accuracy_second": 3 / 8,
        "difference": 2 / 8,
        "p": pytest.approx(2 * (1 + 4) / 2**4),
        "significant": False,
    }
    assert interval[0] < 2 / 8 < interval[1]


def test_a_clear_difference_is_significant_and_its_interval_leaves_zero_out() -> None:
    y = np.ones(400, np.int8)
    first, second = np.arange(400) >= 10, np.arange(400) < 370
    found = compare_calls(y, first, second)
    assert (found["only_first"], found["only_second"], found["significant"]) == (30, 10, True)
    assert 0 < found["interval"][0] < found["difference"] == pytest.approx(0.05)


def test_the_interval_against_a_published_one() -> None:
    # Fagerland, Lydersen and Laake 2017, Statistical Analysis of Contingency Tables, chapter 8: Cavo et al. 2012
    assert difference_interval(59, 6, 16, 80) == pytest.approx((-0.1186, -0.0046), abs=5e-5)


def test_the_interval_is_turned_round_with_the_models() -> None:
    low, high = difference_interval(50, 12, 3, 7)
    assert difference_interval(50, 3, 12, 7) == pytest.approx((-high, -low))


def test_models_that_agree_on_every_image_have_an_interval_around_zero() -> None:
    # by hand: Wilson's limits of 90/100 are 0.8256 and 0.9448, the corrected phi is (900 - 50) / 900
    assert difference_interval(90, 0, 0, 10) == pytest.approx((-0.0353, 0.0353), abs=5e-5)
    # of 100/100 the lower one is 0.9630 and there is no phi
    assert difference_interval(100, 0, 0, 0) == pytest.approx((-0.0370, 0.0370), abs=5e-5)


def test_the_interval_covers_what_is_true_in_95_of_100_drawings() -> None:
    chances, n = np.array([0.9, 0.05, 0.02, 0.03]), 500
    drawn = np.random.default_rng(0).multinomial(n, chances, size=2000).tolist()
    covered = [low <= 0.03 <= high for low, high in (difference_interval(*counts) for counts in drawn)]
    assert 0.94 < np.mean(covered) < 0.97
