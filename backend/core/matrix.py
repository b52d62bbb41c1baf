"""Train x test: detectors fitted on one generator alone, or on all others, each tested on every generator."""

from __future__ import annotations

from collections.abc import Sequence
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
from backend.core.splits import thin

ALONE, WITHOUT = "alone", "without"
"""Kinds of rows: fitted on one generator's fakes, and on those of all others."""

TEST_SHARE = 0.5
"""Of each generator's images and of the REAL ones, where the data set names no test images."""

MOST_IMAGES = 5_000
"""Most images of one generator, and of a data set's REAL ones, that a detector is fitted on, and as many that it is
tested on: so every fit takes seconds, and no data set drowns the REAL images of another."""


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


def cross_evaluate(
    X: NDArray[np.float32], pool: Pool, config: FitConfig, extractor: Extractor, progress: Progress
) -> dict[str, Any]:
    """The matrix as JSON: `generators, counts, rows, conclusion, leave_one_out, notes`.

    X: (n, dimensions) features of the pool's images. A row is one detector: `kind` ALONE or WITHOUT, `generator` the
    one that it was fitted on or without, what it was `fitted_on`, and the figures of `evaluate_generators` on the test
    images. A generator with fewer than MIN_IMAGES_PER_CLASS images to fit on is only tested. `conclusion` is what
    `conclude` says of the detectors of one generator, `leave_one_out` of those that lack one; the latter are fitted
    where there are at least three generators. `progress` counts detectors and may raise to cancel.
    Raises what `check_pool` raises.
    """
    check_pool(pool)
    names = np.unique(pool.generators[pool.y == 1]).tolist()
    plans = [(ALONE, name, (name,)) for name in names]
    if len(names) > 2:
        plans += [(WITHOUT, name, tuple(other for other in names if other != name)) for name in names]
    able, rows = set(_fittable(pool)), []
    plans = [plan for plan in plans if able & set(plan[2])]
    trials: dict[str, list[Trial]] = {ALONE: [], WITHOUT: []}
    for number, (kind, name, own) in enumerate(plans):

        def tell(_stage: str, _done: int, _total: int, number: int = number) -> None:
            progress("matrix", number, len(plans))

        progress("matrix", number, len(plans))
        detector, fitted_on = _fit(X, pool, own, config=config, extractor=extractor, progress=tell)
        figures, calls = _test(X, pool, detector, config.seed)
        rows.append({"kind": kind, "generator": name, "fitted_on": fitted_on, **figures})
        trials[kind].append(Trial(name, own, calls))
    untrained = [name for name in names if name not in able]
    return {
        "generators": names,
        "counts": {name or "REAL": _sides(pool, name) for name in ["", *names]},
        "rows": rows,
        "conclusion": conclude(trials[ALONE], config.seed),
        "leave_one_out": conclude(trials[WITHOUT], config.seed),
        "notes": [_untrained(untrained)] if untrained else [],
    }


def _fittable(pool: Pool) -> list[str]:
    train = pool.split == "train"
    if np.count_nonzero(train & (pool.y == 0)) < MIN_IMAGES_PER_CLASS:
        return []
    names, counts = np.unique(pool.generators[train & (pool.y == 1)], return_counts=True)
    return [str(name) for name in names[counts >= MIN_IMAGES_PER_CLASS]]


def _fit(
    X: NDArray[np.float32],
    pool: Pool,
    own: Sequence[str],
    *,
    config: FitConfig,
    extractor: Extractor,
    progress: Progress,
) -> tuple[Detector, dict[str, int]]:
    """(the detector of these generators, images of each class that its head was fitted on)."""
    counts = (pool.y == 0) | np.isin(pool.generators, own)

    def rows(split: str) -> Rows:
        chosen = counts & (pool.split == split)
        return Rows(X[chosen], pool.y[chosen], pool.groups[chosen])

    train = rows("train")
    detector = fit(train, rows("validation"), config, extractor, progress)
    return detector, {"REAL": int((train.y == 0).sum()), "FAKE": int((train.y == 1).sum())}


def _test(
    X: NDArray[np.float32], pool: Pool, detector: Detector, seed: int
) -> tuple[dict[str, Any], dict[str, NDArray[np.bool_]]]:
    """(the figures by generator, what was called FAKE of each generator's test images)."""
    test = np.flatnonzero(pool.split == "test")
    y, names = pool.y[test], pool.generators[test]
    scores = detector.scores(X[test])
    probabilities = detector.probabilities(scores)
    figures = evaluate_generators(y, scores, probabilities, detector.threshold, names, seed=seed)
    called = probabilities >= detector.threshold
    return figures, {str(name): called[(y == 1) & (names == name)] for name in np.unique(names[y == 1])}


def _sides(pool: Pool, name: str) -> dict[str, int]:
    own = pool.generators == name
    test = int(np.count_nonzero(own & (pool.split == "test")))
    return {"fit": int(np.count_nonzero(own)) - test, "test": test}


def _untrained(names: Sequence[str]) -> dict[str, str]:
    return note(
        "not_fitted",
        f"Fewer than {MIN_IMAGES_PER_CLASS} images to fit on, so only tested: {', '.join(names)}.",
    )
