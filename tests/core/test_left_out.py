"""Generators that are left out of a head in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.core.held_out import Rows
from backend.core.left_out import FEWEST_REAL, measure_left_out


def make_rows(names: list[str], each: int, seed: int, first_group: int = 0) -> Rows:
    """Two columns: what generators have in common, and what "odd" has alone; "" are photographs."""
    random = np.random.default_rng(seed)
    generators = np.repeat(names, each)
    X = random.normal(size=(len(generators), 2)).astype(np.float32)
    X[(generators != "") & (generators != "odd"), 0] += 6.0
    X[generators == "odd", 1] += 6.0
    groups = np.arange(first_group, first_group + len(generators))
    return Rows(X, (generators != "").astype(np.int8), groups, generators)


def tell(_stage: str, _done: int, _total: int) -> None:
    pass


TRAIN = make_rows(["", "one", "two", "odd"], 60, seed=0)
HELD_OUT = make_rows(["", "one", "two", "odd"], 40, seed=1, first_group=1_000)


def test_a_generator_like_the_others_is_found_without_its_images_and_another_one_is_not() -> None:
    found = measure_left_out(TRAIN, HELD_OUT, tell, fpr=0.05, C=1.0, seed=0)
    rows = {row["generator"]: row for row in found["generators"]}
    assert list(rows) == ["odd", "one", "two"]
    assert rows["one"]["n"] == 100  # images of either side: that head has seen neither
    assert rows["one"]["recall"] > 0.9
    assert rows["odd"]["recall"] < 0.4
    assert rows["odd"]["auroc"] < rows["one"]["auroc"]
    assert (found["worst"], found["fpr"], found["head"], found["reason"]) == ("odd", 0.05, "logreg", None)
    assert found["recall"] == pytest.approx(np.mean([row["recall"] for row in rows.values()]))
    for row in rows.values():
        for name in ("recall", "auroc"):
            assert row["intervals"][name][0] <= row[name] <= row["intervals"][name][1]
    assert measure_left_out(TRAIN, HELD_OUT, tell, fpr=0.05, C=1.0, seed=0) == found


def test_images_that_share_a_group_with_the_fit_are_not_asked_about() -> None:
    photographs = np.where(TRAIN.y == 0, TRAIN.groups, TRAIN.groups % 60)  # each fake is a version of a photograph
    found = measure_left_out(replace(TRAIN, groups=photographs), HELD_OUT, tell, fpr=0.05, C=1.0, seed=0)
    assert [row["n"] for row in found["generators"]] == [40, 40, 40]


def test_where_it_cannot_be_told_the_card_says_why() -> None:
    one = make_rows(["", "one"], 60, seed=0)
    found = measure_left_out(one, HELD_OUT, tell, fpr=0.05, C=None, seed=0)
    assert (found["generators"], found["recall"], found["worst"]) == ([], None, None)
    assert "more: 1" in found["reason"]
    unnamed = replace(TRAIN, generators=None)
    assert "more: 0" in measure_left_out(unnamed, HELD_OUT, tell, fpr=0.05, C=None, seed=0)["reason"]
    few = HELD_OUT.some(HELD_OUT.groups >= 1_040 - FEWEST_REAL + 1)
    assert "19 REAL images" in measure_left_out(TRAIN, few, tell, fpr=0.05, C=None, seed=0)["reason"]
