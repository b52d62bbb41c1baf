"""Train x test: detectors fitted on one generator alone, or on all others, each tested on every generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.detector import MIN_IMAGES_PER_CLASS, Detector, Progress, fit
from backend.core.errors import InvalidInput, OneClass, TooFewImages
from backend.core.extractors import Extractor
from backend.core.generators import evaluate_generators, note
from backend.core.held_out import Rows
from backend.core.hypothesis import Trial, conclude
from backend.core.metrics import Floats
from backend.core.splits import thin

ALONE, WITHOUT = "alone", "without"
"""Kinds of detectors: fitted on one generator's fakes, and on those of all others."""

TEST_SHARE = 0.5
"""Of each generator's images and of the REAL ones, where the data set names no test images."""

MOST_IMAGES = 5_000
"""Most images of one generator, and of a data set's REAL ones, that a detector is fitted on, and as many that it is
tested on: so every fit takes seconds, and no data set drowns the REAL images of another."""

Matrix = dict[str, Any]
Calls = Mapping[str, NDArray[np.bool_]]
"""Generator -> what a detector called FAKE of its test images, (n,)."""


@dataclass(frozen=True)
class Plan:
    """One detector of the matrix."""

    kind: str  # ALONE or WITHOUT
    generator: str  # the one that it is fitted on, or the one that it lacks
    own: tuple[str, ...]  # those that it is fitted on


@dataclass(frozen=True)
class Pool:
    """Images of several generators with the REAL ones that all share, one entry an image."""

    y: NDArray[np.int8]  # 1 FAKE, 0 REAL
    generators: NDArray[np.str_]  # what made a FAKE image; "" for REAL ones
    groups: NDArray[np.int64]  # images that share one stand on one side
    split: NDArray[np.str_]  # train, validation or test
    source: NDArray[np.int64]  # number of the data set that it comes from

    def some(self, rows: NDArray[np.bool_]) -> Pool:
        """The pool of the masked rows."""
        return Pool(self.y[rows], self.generators[rows], self.groups[rows], self.split[rows], self.source[rows])


def check_pool(pool: Pool) -> None:
    """Raises OneClass, TooFewImages or InvalidInput where no matrix can come out of these images."""
    check_generators(np.unique(pool.generators[pool.y == 1]).tolist(), int(np.count_nonzero(pool.y == 0)))
    if not _fittable(pool) or not (pool.split[pool.y == 0] == "test").any():
        raise TooFewImages(
            f"No generator has {MIN_IMAGES_PER_CLASS} images to fit on, with as many REAL ones and others to test on.",
            "Send at least 50 images of each generator and of REAL.",
        )


def check_generators(names: Sequence[str], reals: int) -> None:
    """Raises OneClass without REAL images, InvalidInput with fewer than two generators."""
    if not reals:
        raise OneClass(
            "There are no REAL images, and every detector needs them.",
            "Name a data set with REAL photographs of the same kind beside the generators' images.",
        )
    if len(names) < 2:
        found = f"one generator only: {names[0]!r}" if names else "no FAKE images"
        raise InvalidInput(
            f"There is {found}. What a detector does on another generator takes at least two.",
            "Name data sets with fakes of several generators, in folders FAKE/<generator>/.",
        )


def choose_rows(pool: Pool, seed: int) -> NDArray[np.bool_]:
    """Mask of the rows that are used: on either side at most MOST_IMAGES of each data set's generators and REAL."""
    chosen = np.zeros(len(pool.y), bool)
    strata = np.unique(pool.generators, return_inverse=True)[1] * (int(pool.source.max()) + 1) + pool.source
    for stratum in np.unique(strata):
        for side in (pool.split == "test", pool.split != "test"):
            rows = np.flatnonzero(side & (strata == stratum))
            chosen[rows[thin(pool.groups[rows], pool.y[rows], MOST_IMAGES, seed)]] = True
    return chosen


def plan_detectors(pool: Pool) -> list[Plan]:
    """The detectors of the matrix: of each generator alone, then, of at least three, of all without each.

    Those without MIN_IMAGES_PER_CLASS images of a generator to fit on are left out. Raises what `check_pool` raises.
    """
    check_pool(pool)
    names, able = np.unique(pool.generators[pool.y == 1]).tolist(), set(_fittable(pool))
    plans = [Plan(ALONE, name, (name,)) for name in names]
    if len(names) > 2:
        plans += [Plan(WITHOUT, name, tuple(other for other in names if other != name)) for name in names]
    return [plan for plan in plans if able & set(plan.own)]


def training_rows(pool: Pool, plan: Plan, most: int, seed: int) -> NDArray[np.bool_]:
    """Mask of the images that a detector is fitted and calibrated on: REAL and its own, of either split at most `most`.

    Whole groups are left out where there are more, the same ones each time.
    """
    own = (pool.y == 0) | np.isin(pool.generators, plan.own)
    mask = np.zeros(len(pool.y), bool)
    for split in ("train", "validation"):
        rows = np.flatnonzero(own & (pool.split == split))
        mask[rows[thin(pool.groups[rows], pool.y[rows], most, seed)]] = True
    return mask


def fit_detector(
    X: NDArray[np.float32], pool: Pool, config: FitConfig, extractor: Extractor, progress: Progress
) -> tuple[Detector, dict[str, int]]:
    """(the detector of these images, images of each class that its head was fitted on).

    X: (n, dimensions) features of the pool's images, which are all for fitting. `progress` may raise to cancel.
    """

    def rows(split: str) -> Rows:
        chosen = pool.split == split
        return Rows(X[chosen], pool.y[chosen], pool.groups[chosen])

    train = rows("train")
    detector = fit(train, rows("validation"), config, extractor, progress)
    return detector, {"REAL": int((train.y == 0).sum()), "FAKE": int((train.y == 1).sum())}


def measure_detector(pool: Pool, scores: Floats, detector: Detector, seed: int) -> tuple[dict[str, Any], Calls]:
    """(the figures by generator as `evaluate_generators` gives them, the calls) for scores (n,) of test images."""
    probabilities = detector.probabilities(scores)
    figures = evaluate_generators(pool.y, scores, probabilities, detector.threshold, pool.generators, seed=seed)
    called, fake = probabilities >= detector.threshold, pool.y == 1
    return figures, {
        name: called[fake & (pool.generators == name)] for name in np.unique(pool.generators[fake]).tolist()
    }


def summarise(pool: Pool, plans: Sequence[Plan], tested: Sequence[tuple[dict[str, Any], Calls]], seed: int) -> Matrix:
    """The matrix as JSON: `generators, counts, rows, conclusion, leave_one_out, notes`.

    `tested` has the figures and the calls of each plan's detector, in the order of the plans. A row is one detector:
    its plan's `kind` and `generator`, and its figures. A generator with fewer than MIN_IMAGES_PER_CLASS images for
    fitting is only tested. `conclusion` is what `conclude` says of detectors of one generator, `leave_one_out` of those
    without one; the latter None where there are none.
    """
    names, able = np.unique(pool.generators[pool.y == 1]).tolist(), _fittable(pool)
    trials: dict[str, list[Trial]] = {ALONE: [], WITHOUT: []}
    for plan, (figures, calls) in zip(plans, tested, strict=True):
        trials[plan.kind].append(Trial(plan.generator, plan.own, calls, figures["fpr"]))
    untrained = [name for name in names if name not in able]
    return {
        "generators": names,
        "counts": {name or "REAL": _sides(pool, name) for name in ["", *names]},
        "rows": [
            {"kind": plan.kind, "generator": plan.generator, **figures}
            for plan, (figures, _) in zip(plans, tested, strict=True)
        ],
        "conclusion": conclude(trials[ALONE], seed),
        "leave_one_out": conclude(trials[WITHOUT], seed),
        "notes": [_untrained(untrained)] if untrained else [],
    }


def _fittable(pool: Pool) -> list[str]:
    train = pool.split == "train"
    if np.count_nonzero(train & (pool.y == 0)) < MIN_IMAGES_PER_CLASS:
        return []
    names, counts = np.unique(pool.generators[train & (pool.y == 1)], return_counts=True)
    return [str(name) for name in names[counts >= MIN_IMAGES_PER_CLASS]]


def _sides(pool: Pool, name: str) -> dict[str, int]:
    own = pool.generators == name
    test = int(np.count_nonzero(own & (pool.split == "test")))
    return {"fit": int(np.count_nonzero(own)) - test, "test": test}


def _untrained(names: Sequence[str]) -> dict[str, str]:
    return note(
        "not_fitted",
        f"Fewer than {MIN_IMAGES_PER_CLASS} images to fit on, so only tested: {', '.join(names)}.",
    )
