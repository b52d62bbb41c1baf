"""What carries to another generator: left-out ones stay unseen, intervals are of the images, changes are repeatable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.metrics import auroc
from benchmarks.transfer import LOGREG, chosen_by_others
from benchmarks.transfer_images import OWN, Change, blurred, compressed, mixed, rescaled
from benchmarks.transfer_trials import Trial, Way, best_accuracy, drawn_means, measure, wins

WIDTH = 8
ALIKE = ("a", "b", "c")
ALONE = "d"
"""The generators of ALIKE leave the same trace and that of nobody else; ALONE leaves one of its own."""


def make_features(count: int, traces: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Features of images with strong traces in some columns."""
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH))
    rows[:, list(traces)] += 6.0
    return rows.astype(np.float32)


def make_parts(count: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """REAL, CIFAKE's generator and four others with fewer images."""
    parts = {"REAL": make_features(count, (), seed), OWN: make_features(count, (0,), seed + 1)}
    alike = {name: make_features(40, (1,), seed + 2 + place) for place, name in enumerate(ALIKE)}
    return {**parts, **alike, ALONE: make_features(40, (2,), seed + 9)}


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("name", ["whitened", "logreg", "multi"])
def test_a_detector_finds_what_others_share_and_nothing_of_a_generator_it_never_saw(name: str, alike: bool) -> None:
    way = Way(None if name == "whitened" else replace(LOGREG, name=name), alike)
    trials, _ = measure(way, make_parts(300, 0), make_parts(200, 100), 1)
    areas = {kind: {of: float(each.mean()) for of, each in trial.wins.items()} for kind, trial in trials.items()}
    assert all(0.3 < area < 0.7 for area in areas["alone"].values())
    assert all(areas["left_out"][of] > 0.9 for of in ALIKE)
    assert 0.3 < areas["left_out"][ALONE] < 0.7
    assert trials["alone"].accuracy > 0.95


def test_copies_of_an_image_stay_together_where_the_strength_is_chosen() -> None:
    noise = np.random.default_rng(7).normal(size=(2, 80, 100)).astype(np.float32)
    parts = {"REAL": noise[0], OWN: noise[1], "a": noise[1]}
    doubled = {name: np.concatenate([rows, rows]) for name, rows in parts.items()}
    apart, together = (measure(Way(LOGREG), doubled, parts, copies)[1] for copies in (1, 2))
    assert together == 0.0001
    assert apart is not None
    assert apart > 0.01  # a close fit to noise knows the copies


def test_figures_are_areas_with_intervals_and_gains_image_by_image() -> None:
    random = np.random.default_rng(0)
    real, fake = random.normal(size=300).round(1), random.normal(1.0, size=80).round(1)
    y = np.repeat(np.array([0, 1], np.int8), [300, 80])
    before = Trial({"a": wins(fake, real)}, 0.9, 0.95)
    assert before.wins["a"].mean() == pytest.approx(auroc(y, np.concatenate([real, fake])), abs=1e-6)
    drawn = drawn_means(before.wins, 0)
    assert drawn.mean() == pytest.approx(before.wins["a"].mean(), abs=0.005)
    assert drawn.std() == pytest.approx(0.03, abs=0.01)
    after = Trial({"a": wins(fake + 0.3, real)}, 0.9, 0.95).figures(0, before)
    spread = {name: after[name]["high"] - after[name]["low"] for name in ("mean", "gain")}
    assert after["gain"]["low"] > 0
    assert spread["gain"] < spread["mean"] / 2
    assert before.figures(0, before)["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_accuracy_is_that_of_the_best_threshold() -> None:
    assert best_accuracy(np.array([0.0, 1.0, 2.0, 3.0]), np.array([2.5, 4.0, 5.0, 6.0])) == 0.875
    assert best_accuracy(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.5


@pytest.mark.parametrize("change", [compressed, blurred, rescaled, mixed])
def test_a_changed_image_keeps_its_shape_and_comes_again(change: Change) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    random = np.random.default_rng(1)
    several = [change(pixels, random) for _ in range(8)]
    assert {image.shape for image in several} == {pixels.shape}
    assert len({image.tobytes() for image in several}) > 2
    assert np.array_equal(change(pixels, np.random.default_rng(1)), several[0])


def test_a_row_is_chosen_for_a_generator_by_the_others() -> None:
    areas = {"default": {"a": 0.5, "b": 0.5, "c": 0.5}, "one": {"a": 0.9, "b": 0.5, "c": 0.4}}
    rows = {name: {"left_out": {"generators": found}} for name, found in areas.items()}
    assert chosen_by_others(rows) == {"a": ("default", 0.5), "b": ("one", 0.5), "c": ("one", 0.4)}
