"""The bound on false positives against its definition and by simulation, and what a card promises."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom

from backend.core.errors import InvalidInput
from backend.core.guarantee import LEAST_IMAGES, fpr_bound, promise_fpr


@pytest.mark.parametrize(("alarms", "images"), [(0, 59), (1, 100), (5, 50), (387, 10_000), (99, 100)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_at_the_bound_so_few_alarms_are_just_as_rare_as_the_confidence_says(
    alarms: int, images: int, confidence: float
) -> None:
    bound = fpr_bound(alarms, images, confidence)
    assert binom.cdf(alarms, images, bound) == pytest.approx(1 - confidence, rel=1e-9)
    assert alarms / images < bound < 1.0


def test_bounds_known_by_heart() -> None:
    assert fpr_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert fpr_bound(0, 300) == pytest.approx(3 / 300, rel=0.01)  # the rule of three
    assert fpr_bound(7, 7) == 1.0
    for wrong in ((-1, 5, 0.95), (6, 5, 0.95), (0, 0, 0.95), (1, 5, 1.0), (1, 5, float("nan"))):
        with pytest.raises(InvalidInput, match="trial"):
            fpr_bound(*wrong)


@pytest.mark.parametrize(("images", "rate"), [(60, 0.03), (500, 0.01), (2_000, 0.05)])
def test_the_bound_holds_in_as_many_trials_as_it_says(images: int, rate: float) -> None:
    random = np.random.default_rng(0)
    bounds = {alarms: fpr_bound(alarms, images) for alarms in range(images + 1)}
    alarms = random.binomial(images, rate, size=4_000)
    assert np.mean([bounds[int(found)] >= rate for found in alarms]) >= 0.95 - 0.01


def test_a_promise_says_what_it_rests_on() -> None:
    called = np.arange(200) < 3
    found = promise_fpr(called, np.arange(200), threshold=0.6, source="test")
    assert (found["images"], found["false_positives"], found["confidence"]) == (200, 3, 0.95)
    assert (found["threshold"], found["source"], found["reason"]) == (0.6, "test", None)
    assert found["bound"] == fpr_bound(3, 200)
    assert found["statement"] == (
        "At 95% confidence at most 3.83% of REAL images are called FAKE, for images like these: 200 REAL test images, "
        "of which 3 were."
    )
    json.dumps(found, allow_nan=False)


def test_of_images_of_one_group_one_counts() -> None:
    called = np.tile([True, False, False], 60)  # the first frame of each video
    found = promise_fpr(called, np.repeat(np.arange(60), 3), threshold=0.6, source="test")
    assert (found["images"], found["false_positives"], found["bound"]) == (60, 60, 1.0)


@pytest.mark.parametrize("images", [0, LEAST_IMAGES - 1])
def test_too_few_images_promise_nothing_and_say_why(images: int) -> None:
    found = promise_fpr(np.zeros(images, bool), np.arange(images), threshold=0.6, source="test")
    assert (found["bound"], found["statement"]) == (None, None)
    assert found["reason"].startswith(f"{images} REAL test images")
    assert str(LEAST_IMAGES) in found["reason"]


def test_the_serving_process_does_not_load_scipy_for_it() -> None:
    code = "import sys, backend.core.guarantee; print([name for name in sys.modules if name.startswith('scipy')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
