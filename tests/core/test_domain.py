"""The check of features against the training images: what is inside, what is outside, and what is stored."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.domain import (
    FALSE_ALARMS,
    FEWEST_HELD_OUT,
    FEWEST_TRAINED,
    MOST_COLUMNS,
    STAGES,
    DomainCheck,
    choose_columns,
    fit_domain,
    shrinkage,
)

WIDTH = 24
MIXING = np.random.default_rng(0).normal(size=(WIDTH, WIDTH)) * np.logspace(-3, 2, WIDTH)
NAMES = [f"feature[{place}]" for place in range(WIDTH)]


def make_rows(count: int, seed: int) -> NDArray[np.float32]:
    """Correlated features of very different scales."""
    return (np.random.default_rng(seed).normal(size=(count, WIDTH)) @ MIXING + 5.0).astype(np.float32)


def fit_rows(train: NDArray[np.float32], held_out: NDArray[np.float32]) -> DomainCheck | None:
    """The check for rows that are a group each."""
    names = [f"feature[{place}]" for place in range(train.shape[1])]
    return fit_domain(train, held_out, np.arange(len(held_out)), names, seed=0)


@pytest.fixture(scope="module")
def check() -> DomainCheck:
    fitted = fit_rows(make_rows(1500, 1), make_rows(800, 2))
    assert fitted is not None
    return fitted


def test_one_in_twenty_of_the_images_like_those_trained_on_is_outside(check: DomainCheck) -> None:
    assert check.outside(make_rows(800, 2)).mean() <= FALSE_ALARMS
    assert 0.02 < check.outside(make_rows(4000, 3)).mean() < 0.08


def test_images_further_out_are_outside(check: DomainCheck) -> None:
    near = make_rows(400, 4)
    further = (near - 5.0) * 2.0 + 5.0
    assert check.outside(further).mean() > 0.9
    assert (check.strangeness(further) > check.strangeness(near)).mean() > 0.9


def test_images_as_near_but_in_another_direction_are_stranger() -> None:
    def make_cone(count: int, seed: int, side: int) -> NDArray[np.float32]:
        random = np.random.default_rng(seed)
        direction = np.eye(WIDTH)[random.integers(0, 4, count) + side]
        return (10.0 * direction + random.normal(size=(count, WIDTH)) * 0.5).astype(np.float32)

    check = fit_rows(make_cone(1000, 1, 0), make_cone(500, 2, 0))
    assert check is not None
    between = (make_cone(200, 3, 0) + make_cone(200, 4, 0)) / 2.0
    assert check.measures(between)[:, 1].mean() > check.measures(make_cone(200, 5, 0))[:, 1].mean()
    assert check.outside(make_cone(200, 6, 4)).all()


def test_neither_the_scale_of_a_feature_nor_a_constant_one_matters(check: DomainCheck) -> None:
    factors = np.logspace(-1, 4, WIDTH).astype(np.float32)
    scaled = fit_rows(make_rows(1500, 1) * factors, make_rows(800, 2) * factors)
    assert scaled is not None
    rows = make_rows(300, 5)
    assert scaled.strangeness(rows * factors) == pytest.approx(check.strangeness(rows), abs=0.1)
    constant = [np.pad(make_rows(count, count), ((0, 0), (0, 1)), constant_values=7.0) for count in (1500, 800)]
    with_constant = fit_rows(*constant)
    assert with_constant is not None
    assert np.isfinite(with_constant.strangeness(constant[1])).all()


def test_more_features_than_images_still_give_a_check() -> None:
    wide = [
        np.random.default_rng(seed).normal(size=(count, 300)).astype(np.float32) for seed, count in ((1, 120), (2, 400))
    ]
    check = fit_rows(*wide)
    assert check is not None
    assert check.outside(np.random.default_rng(3).normal(size=(1000, 300)).astype(np.float32)).mean() < 0.1


def test_too_few_images_give_no_check() -> None:
    assert fit_rows(make_rows(FEWEST_TRAINED - 1, 1), make_rows(100, 2)) is None
    assert fit_rows(make_rows(FEWEST_TRAINED, 1), make_rows(FEWEST_HELD_OUT - 1, 2)) is None
    assert fit_rows(make_rows(FEWEST_TRAINED, 1), make_rows(FEWEST_HELD_OUT, 2)) is not None


def test_crops_of_a_few_photographs_give_no_check() -> None:
    train, held_out = make_rows(500, 1), make_rows(400, 2)
    few, enough = np.arange(400) % (FEWEST_HELD_OUT - 1), np.arange(400) % FEWEST_HELD_OUT
    assert fit_domain(train, held_out, few, NAMES, seed=0) is None
    assert fit_domain(train, held_out, enough, NAMES, seed=0) is not None


def test_the_same_seed_gives_the_same_check(check: DomainCheck) -> None:
    again = fit_rows(make_rows(1500, 1), make_rows(800, 2))
    assert again is not None
    assert all(np.array_equal(again.arrays()[name], array) for name, array in check.arrays().items())


def test_a_stored_check_answers_as_before(check: DomainCheck) -> None:
    stored = DomainCheck.from_arrays(check.arrays(), WIDTH)
    rows = make_rows(500, 6)
    assert stored.strangeness(rows) == pytest.approx(check.strangeness(rows), abs=1e-5)
    assert stored.limit == check.limit


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("columns", np.array([WIDTH], dtype=np.int32)),
        ("columns", np.zeros(WIDTH)),
        ("mean", np.full(WIDTH, np.nan, dtype=np.float32)),
        ("scale", np.zeros(WIDTH, dtype=np.float32)),
        ("whitening", np.ones((2, 2), dtype=np.float16)),
        ("neighbours", np.ones((4, WIDTH + 1), dtype=np.int8)),
        ("centre_spread", np.zeros((2, 2))),
        ("limit", np.array([np.nan])),
    ],
)
def test_damaged_arrays_are_refused(check: DomainCheck, name: str, damaged: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"shape|not give|no numbers|not positive"):
        DomainCheck.from_arrays({**check.arrays(), name: damaged}, WIDTH)


def test_columns_are_those_of_the_stages_or_spread_over_all() -> None:
    assert choose_columns(NAMES).tolist() == list(range(WIDTH))
    staged = [f"cnn.{stage}[{place}]" for stage in (*STAGES, "block3.0.dw.std") for place in range(100)]
    assert choose_columns(staged).tolist() == list(range(400))
    others = choose_columns([f"npr[{place}]" for place in range(2000)])
    assert len(np.unique(others)) == MOST_COLUMNS
    assert (others[0], others[-1]) == (0, 1999)


def test_shrinkage_is_strong_for_few_images_and_weak_for_many() -> None:
    random = np.random.default_rng(7)
    mixing = np.diag(np.linspace(0.2, 3.0, 20))
    few, many = (random.normal(size=(count, 20)) @ mixing for count in (10, 10_000))
    assert 0.0 <= shrinkage(many.astype(np.float32)) < 0.01
    assert 0.1 < shrinkage(few.astype(np.float32)) <= 1.0


def test_shrinkage_is_that_of_scikit_learn() -> None:
    from sklearn.covariance import ledoit_wolf_shrinkage

    rows = make_rows(60, 8)
    centred = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    assert shrinkage(centred) == pytest.approx(float(ledoit_wolf_shrinkage(centred, assume_centered=True)), rel=1e-3)
