"""Splits keep groups whole, hold both classes, are near their fractions, and are the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.splits import assign_splits, folds, halves, thin


def make_case(seed: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Random labels and groups of many shapes: single images, pairs, large groups, groups of both classes."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(60, 3000))
    groups = random.integers(0, int(random.choice([rows // 6, rows, 50 * rows])), rows)
    y = (random.random(rows) < random.uniform(0.15, 0.85)).astype(np.int8)
    if seed % 2:  # a group is of one class
        y = (groups % 3 == 0).astype(np.int8)
    return y, groups.astype(np.int64)


def split(y: NDArray[np.int8], groups: NDArray[np.int64], given: NDArray[np.str_], seed: int = 0) -> NDArray[np.str_]:
    return assign_splits(given, y, groups, validation_fraction=0.1, test_fraction=0.2, seed=seed)


@pytest.mark.parametrize("seed", range(30))
def test_fresh_splits_are_whole_balanced_and_repeatable(seed: int) -> None:
    y, groups = make_case(seed)
    given = np.full(len(y), "")
    assigned = split(y, groups, given, seed)
    assert set(assigned) == {"train", "validation", "test"}
    assert all(len(set(assigned[groups == group])) == 1 for group in np.unique(groups))
    largest = np.unique(groups, return_counts=True)[1].max()
    for name, fraction in (("test", 0.2), ("validation", 0.08)):
        for label in (0, 1):
            wanted = fraction * (y == label).sum()
            assert abs(((assigned == name) & (y == label)).sum() - wanted) <= largest + 1, (name, label)
    assert (assigned == split(y, groups, given, seed)).all()
    assert (assigned != split(y, groups, given, seed + 1)).any()


@pytest.mark.parametrize("seed", range(10))
def test_a_named_test_split_stays_and_its_groups_stay_out_of_validation(seed: int) -> None:
    y, groups = make_case(seed)
    given = np.where(np.random.default_rng(seed).random(len(y)) < 0.2, "test", "train")
    assigned = split(y, groups, given, seed)
    assert ((assigned == "test") == (given == "test")).all()
    touching = np.isin(groups, groups[given == "test"])
    assert (assigned[touching & (given == "train")] == "train").all()
    validation = groups[assigned == "validation"]
    assert not np.isin(validation, groups[assigned != "validation"]).any()


def test_named_validation_is_kept_and_none_is_cut_beside_it() -> None:
    y = np.tile([0, 1], 100).astype(np.int8)
    given = np.array(["validation"] * 20 + ["train"] * 100 + [""] * 80)
    assigned = split(y, np.arange(200), given)
    assert ((assigned == "validation") == (given == "validation")).all()
    assert (assigned == "test").sum() == 40


def test_generators_are_shared_out_in_proportion() -> None:
    random = np.random.default_rng(0)
    generators = np.repeat(["", "a", "b", "c"], [1000, 700, 200, 100])
    y = (generators != "").astype(np.int8)
    order = random.permutation(len(y))
    assigned = assign_splits(
        np.full(len(y), ""),
        y[order],
        np.arange(len(y)),
        validation_fraction=0.1,
        test_fraction=0.2,
        seed=0,
        generators=generators[order],
    )
    counts = {name: int(((assigned == "test") & (generators[order] == name)).sum()) for name in ("", "a", "b", "c")}
    assert counts == {"": 200, "a": 140, "b": 40, "c": 20}


def test_few_groups_fill_train_then_validation_then_test() -> None:
    """Two groups of each class: no class can be in three parts."""
    y = np.repeat([0, 0, 1, 1], 25).astype(np.int8)
    groups = np.repeat([0, 1, 2, 3], 25)
    assigned = split(y, groups, np.full(100, ""))
    for label in (0, 1):
        assert set(assigned[y == label]) == {"train", "validation"}
    alone = split(y, y.astype(np.int64), np.full(100, ""))
    assert set(alone) == {"train"}


def test_photographs_of_both_classes_reach_every_part() -> None:
    """The demonstration set's shape: sixteen large groups, each half REAL and half FAKE."""
    y, groups = np.tile([0, 1], 640).astype(np.int8), np.repeat(np.arange(16), 80)
    for seed in range(10):
        assigned = split(y, groups, np.full(1280, ""), seed)
        for name in ("train", "validation", "test"):
            assert np.bincount(y[assigned == name]).tolist() == [(assigned == name).sum() / 2] * 2
        assert (assigned == "test").sum() == 240


@pytest.mark.parametrize("seed", range(20))
def test_halves_are_whole_and_near_half(seed: int) -> None:
    y, groups = make_case(seed)
    mask = halves(groups, seed, y)
    assert not np.isin(groups[mask], groups[~mask]).any()
    largest = np.unique(groups, return_counts=True)[1].max()
    assert abs(mask.sum() - len(y) / 2) <= largest + 2
    assert set(y[mask]) == set(y[~mask]) == {0, 1}
    assert (mask == halves(groups, seed, y)).all()


def test_a_sample_keeps_classes_and_groups() -> None:
    groups = np.arange(3000) // 3
    y = (np.arange(3000) < 900).astype(np.int8)
    mask = thin(groups, y, 1000, seed=1)
    assert 990 <= mask.sum() <= 1010
    assert abs(y[mask].mean() - 0.3) < 0.01
    assert not set(groups[mask]) & set(groups[~mask])
    assert (mask == thin(groups, y, 1000, seed=1)).all()
    assert thin(groups, y, 3000, seed=1).all()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("k", [2, 5])
def test_folds_are_whole_level_and_repeatable(seed: int, k: int) -> None:
    y, groups = make_case(seed)
    fold = folds(groups, y, k, seed)
    assert set(fold) == set(range(k))
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    largest = np.unique(groups, return_counts=True)[1].max()
    for label in (0, 1):
        counts = np.bincount(fold[y == label], minlength=k)
        assert counts.max() - counts.min() <= largest + 1
    assert (fold == folds(groups, y, k, seed)).all()


def test_folds_of_single_images_differ_by_one_at_most() -> None:
    y = (np.arange(1003) % 4 == 0).astype(np.int8)
    fold = folds(np.arange(1003), y, 5, 0)
    for label in (0, 1):
        counts = np.bincount(fold[y == label])
        assert counts.max() - counts.min() <= 1
