"""Changed copies of an image, and what becomes of a verdict on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.calibrators import Calibration
from backend.core.corruptions import CORRUPTIONS, MOST_PIXELS, Corruption, bound, corrupt
from backend.core.detector import Answer, Detector
from backend.core.errors import ConfigError
from backend.core.extractors import create
from backend.core.heads.linear import LinearHead
from backend.core.stability import CHANGES, Stability, heed, try_changes
from tests.pictures import crop

Pixels = NDArray[np.uint8]


@pytest.mark.parametrize(
    ("name", "strength"), [(row.name, strength) for row in CORRUPTIONS.values() for strength in row.strengths]
)
def test_a_corruption_gives_another_image_and_always_the_same(name: str, strength: float) -> None:
    pixels = crop(1, 64)
    before = pixels.copy()
    changed = corrupt(pixels, Corruption(name, strength))
    assert changed.dtype == np.uint8
    assert changed.ndim == 3
    assert changed.shape != pixels.shape or (changed != pixels).any()
    np.testing.assert_array_equal(changed, corrupt(pixels, Corruption(name, strength)))
    np.testing.assert_array_equal(pixels, before)
    assert min(corrupt(crop(1, 64)[:8, :9], Corruption(name, strength)).shape[:2]) >= 8  # still an image that is read


def test_corruptions_do_what_they_are_called() -> None:
    pixels = crop(2, 64)
    assert corrupt(pixels, Corruption("resize", 0.5)).shape == (32, 32, 3)
    np.testing.assert_array_equal(corrupt(pixels, Corruption("crop", 0.5)), pixels[16:48, 16:48])
    np.testing.assert_array_equal(corrupt(pixels, Corruption("flip", 1)), pixels[:, ::-1])
    np.testing.assert_array_equal(corrupt(pixels, Corruption("brightness", 1)), pixels)
    steps = [np.abs(np.diff(corrupt(pixels, Corruption("blur", s)).astype(int), axis=1)).mean() for s in (0, 1, 3)]
    assert steps == sorted(steps, reverse=True)
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert corrupt(grey, Corruption("noise", 10)).std() == pytest.approx(10, rel=0.05)
    weak, strong = (np.abs(corrupt(pixels, Corruption("jpeg", q)).astype(int) - pixels).mean() for q in (90, 30))
    assert weak < strong


def test_of_a_very_large_image_a_smaller_one_is_changed() -> None:
    small = crop(1, 64)
    assert bound(small, average=True) is small
    large = np.zeros((3000, 6000, 3), np.uint8)
    large[:, 3000:] = 200
    averaged, cut = bound(large, average=True), bound(large, average=False)
    assert averaged.shape == (1000, 2000, 3)
    assert cut.shape == (2048, 2048, 3)
    assert max(averaged.shape[0] * averaged.shape[1], cut.shape[0] * cut.shape[1]) <= MOST_PIXELS
    assert averaged.mean() == cut.mean() == 100  # both keep the middle where it was


@pytest.mark.parametrize("corruption", [Corruption("sepia", 1), Corruption("jpeg", 0), Corruption("resize", 100)])
def test_what_does_not_exist_is_refused(corruption: Corruption) -> None:
    with pytest.raises(ConfigError):
        corrupt(crop(1), corruption)


class Contrast:
    """An extractor of one number: how much neighbours differ, in grey levels."""

    spec: dict[str, Any] = {"name": "contrast"}  # noqa: RUF012
    digest = "contrast"
    dimensions = 1
    feature_names = ["contrast"]  # noqa: RUF012
    reduce_above: int | None = None

    def extract(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        return np.array([[np.abs(np.diff(image.astype(int), axis=1)).mean()] for image in images], np.float32)


def detector_at(limit: float, steepness: float = 10.0) -> Detector:
    """Says FAKE of images whose neighbours differ by more than `limit` grey levels."""
    head = LinearHead(np.array([steepness], np.float32), -steepness * limit)
    return Detector(Contrast(), head, Calibration("platt", 1.0), threshold=0.5)


def ask(detector: Detector, pixels: Pixels) -> Answer:
    return detector.predict([pixels])[0]


def test_an_answer_that_holds_stays_as_it_is() -> None:
    detector, pixels = detector_at(0.0), crop(3, 64)
    stability = try_changes(detector, pixels, answer := ask(detector, pixels))
    assert [each.change for each in stability.tried] == list(CHANGES)
    assert (stability.flips, stability.unstable) == (0, False)
    assert {each.verdict for each in stability.tried} == {answer.verdict} == {"fake"}
    assert heed(answer, stability) == answer


def test_an_answer_that_a_blur_turns_over_is_unsure_and_says_so() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    detector = detector_at(60.0)
    answer = ask(detector, pixels)
    assert answer.verdict == "fake"
    stability = try_changes(detector, pixels, answer)
    assert stability.unstable
    turned = {each.change.label for each in stability.tried if each.flipped}
    assert "blur 0.5" in turned
    assert "flip 1" not in turned
    assert stability.flips == len(turned)
    heeded = heed(answer, stability)
    assert (heeded.verdict, heeded.label, heeded.reason_codes) == ("unsure", "FAKE", ("unstable",))
    assert f"{len(turned)} of {len(CHANGES)}" in heeded.reasons[0]


def test_one_copy_that_turns_over_is_counted_and_does_no_more() -> None:
    detector, pixels = detector_at(0.0), crop(3, 64)
    answer = ask(detector, pixels)
    tried = try_changes(detector, pixels, answer).tried
    once = Stability((replace(tried[0], verdict="real", flipped=True), *tried[1:]))
    assert (once.flips, once.unstable, heed(answer, once)) == (1, False, answer)
    twice = Stability((once.tried[0], replace(tried[1], verdict="real", flipped=True), *tried[2:]))
    assert (twice.flips, twice.unstable, heed(answer, twice).verdict) == (2, True, "unsure")


def test_a_close_answer_that_flips_is_no_proof_of_the_opposite() -> None:
    pixels = crop(4, 64)
    contrast = float(Contrast().extract([pixels])[0, 0])
    detector = detector_at(contrast, steepness=0.001)  # every probability is near one half
    answer = ask(detector, pixels)
    stability = try_changes(detector, pixels, answer)
    assert stability.flips > 0
    assert not stability.unstable
    assert {each.verdict for each in stability.tried} == {"unsure"}


def test_a_copy_of_another_size_is_judged_by_its_pixels_alone(tmp_path: Path) -> None:
    npr = create({"name": "npr"}, backbones=tmp_path)
    head = LinearHead(np.zeros(npr.dimensions, np.float32), 5.0)
    detector = replace(Detector(npr, head, Calibration("platt", 1.0), threshold=0.5), sides=(64, 64))
    pixels = crop(5, 64)
    stability = try_changes(detector, pixels, ask(detector, pixels))
    assert {each.verdict for each in stability.tried} == {"fake"}
