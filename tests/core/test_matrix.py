"""The train x test matrix on made-up features: rows, refusals, scarce generators, progress and cancelling."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core import matrix
from backend.core.config import FitConfig
from backend.core.detector import Progress
from backend.core.errors import Cancelled, InvalidInput, OneClass, TooFewImages
from backend.core.extractors import Extractor, create
from backend.core.heads import HeadConfig
from backend.core.matrix import (
    Pool,
    check_pool,
    choose_rows,
    fit_detector,
    measure_detector,
    plan_detectors,
    summarise,
    training_rows,
)

CONFIG = FitConfig(extractor={"name": "spectrum"}, head=HeadConfig("logreg", C=0.1, class_weight="balanced"))
TRACES = {"a": 0, "b": 1, "c": 2}
"""Each generator leaves its trace in one feature of its own."""


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    return create({"name": "spectrum"}, backbones=tmp_path_factory.mktemp("backbones"))


def make(counts: dict[str, int], seed: int = 0) -> tuple[NDArray[np.float32], Pool]:
    """Features and pool: so many images of each generator, "" for REAL; half are test images, some validation."""
    random = np.random.default_rng(seed)
    names = np.repeat(list(counts), list(counts.values()))
    X = random.normal(size=(len(names), 6)).astype(np.float32)
    for name, feature in TRACES.items():
        X[names == name, feature] += 4.0
    place = np.concatenate([np.arange(count) for count in counts.values()])
    split = np.where(place % 2 == 1, "test", np.where(place % 10 == 0, "validation", "train"))
    source = np.zeros(len(names), np.int64)
    return X, Pool((names != "").astype(np.int8), names, np.arange(len(names)), split, source)


def cross_evaluate(
    X: NDArray[np.float32], pool: Pool, config: FitConfig, extractor: Extractor, progress: Progress
) -> dict[str, Any]:
    """The whole matrix, detector after detector."""
    plans, tested, test = plan_detectors(pool), [], pool.split == "test"
    for plan in plans:
        rows = training_rows(pool, plan, 10_000, config.seed)
        detector, fitted_on = fit_detector(X[rows], pool.some(rows), config, extractor, progress)
        figures, calls = measure_detector(pool.some(test), detector.scores(X[test]), detector, config.seed)
        tested.append(({"fitted_on": fitted_on, **figures}, calls))
    found = summarise(pool, plans, tested, config.seed)
    json.dumps(found, allow_nan=False)
    return found


def silent(_stage: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture(scope="module")
def found(extractor: Extractor) -> dict[str, Any]:
    X, pool = make({"": 200, "a": 120, "b": 120, "c": 6})
    return cross_evaluate(X, pool, CONFIG, extractor, silent)


def test_every_detector_is_tested_on_every_generator(found: dict[str, Any]) -> None:
    assert found["generators"] == ["a", "b", "c"]
    rows = [(row["kind"], row["generator"]) for row in found["rows"]]
    assert rows == [("alone", "a"), ("alone", "b"), ("without", "a"), ("without", "b"), ("without", "c")]
    for row in found["rows"]:
        assert [cell["generator"] for cell in row["generators"]] == ["a", "b", "c"]
        assert 0 < row["threshold"] < 1
    assert found["counts"] == {
        "REAL": {"fit": 100, "test": 100},
        "a": {"fit": 60, "test": 60},
        "b": {"fit": 60, "test": 60},
        "c": {"fit": 3, "test": 3},
    }


def test_own_fakes_are_found_and_others_are_not(found: dict[str, Any]) -> None:
    recall = {row["generator"]: {c["generator"]: c["recall"] for c in row["generators"]} for row in found["rows"][:2]}
    assert recall["a"]["a"] > 0.9
    assert recall["a"]["b"] < 0.3
    assert found["conclusion"]["verdict"] == "supported"
    assert found["leave_one_out"]["tests"] == 3


def test_a_generator_with_three_images_to_fit_on_is_only_tested(found: dict[str, Any]) -> None:
    assert [note["code"] for note in found["notes"]] == ["not_fitted"]
    assert "c" in found["notes"][0]["message"]
    assert {note["code"] for note in found["rows"][0]["generators"][2]["notes"]} == {"few_images"}


def test_two_generators_need_no_second_row_each(extractor: Extractor) -> None:
    X, pool = make({"": 100, "a": 60, "b": 60})
    rows = cross_evaluate(X, pool, CONFIG, extractor, silent)["rows"]
    assert [row["kind"] for row in rows] == ["alone", "alone"]


@pytest.mark.parametrize(
    ("counts", "error", "words"),
    [
        ({"": 100, "a": 60}, InvalidInput, "one generator only: 'a'"),
        ({"": 100}, InvalidInput, "no FAKE"),
        ({"a": 60, "b": 60}, OneClass, "no REAL"),
        ({"": 100, "a": 4, "b": 3}, TooFewImages, "No generator"),
        ({"": 4, "a": 60, "b": 60}, TooFewImages, "REAL"),
    ],
)
def test_what_makes_no_matrix_is_refused(counts: dict[str, int], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        check_pool(make(counts)[1])


def test_a_detector_never_sees_test_images_nor_other_generators() -> None:
    _, pool = make({"": 100, "a": 60, "b": 60, "c": 60})
    for plan in plan_detectors(pool):
        kept = pool.some(training_rows(pool, plan, 10_000, 0))
        assert set(kept.generators) == {"", *plan.own}
        assert set(kept.split) == {"train", "validation"}
        assert (plan.generator in plan.own) == (plan.kind == "alone")
    few = training_rows(pool, plan, 50, 0)
    assert np.count_nonzero(few & (pool.split == "train")) == pytest.approx(50, abs=2)


def test_a_fit_can_be_cancelled(extractor: Extractor) -> None:
    def refuse(_stage: str, _done: int, _total: int) -> None:
        raise Cancelled("The job was told to stop.")

    X, pool = make({"": 100, "a": 60, "b": 60})
    with pytest.raises(Cancelled):
        cross_evaluate(X, pool, CONFIG, extractor, refuse)


def test_large_generators_are_thinned_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "MOST_IMAGES", 20)
    _, pool = make({"": 200, "a": 100, "b": 10})
    chosen = choose_rows(pool, 0)
    kept = pool.some(chosen)
    for name, expected in (("", 20), ("a", 20), ("b", 5)):
        assert np.count_nonzero((kept.generators == name) & (kept.split == "test")) == expected
    assert (choose_rows(pool, 0) == chosen).all()
    pool = replace(pool, source=np.arange(len(pool.y)) % 4 // 2)  # two data sets, each with images of every kind
    kept = pool.some(choose_rows(pool, 0))
    assert np.count_nonzero((kept.generators == "") & (kept.split == "test")) == 40


def test_a_head_is_what_the_config_says(extractor: Extractor, tmp_path: Path) -> None:
    X, pool = make({"": 100, "a": 60, "b": 60})
    config = replace(CONFIG, head=HeadConfig("svm", C=0.1))
    assert cross_evaluate(X, pool, config, extractor, silent)["rows"][0]["fitted_on"] == {"REAL": 40, "FAKE": 24}
