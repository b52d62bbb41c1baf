"""Enrolling a generator: what its images teach a head, by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError, OneClass, TooFewImages
from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.config import FEWEST_IMAGES
from backend.core.held_out import Rows, both
from backend.core.metrics import auroc
from backend.core.splits import thin

ADVISED = 50
"""Images of a generator that are worth collecting: more help less and less."""

FPR = 0.05
"""Share of REAL called FAKE at which the recalls before and after are compared."""

MOST_ROWS = 10_000
"""Training images beside the new ones in each fold: the figures should take seconds."""

_FOLDS = 5
Scores = NDArray[np.float64]


def check_generator(name: str) -> None:
    """Raises ConfigError for an empty name."""
    if not name.strip():
        raise ConfigError("The generator has no name.", "Name it: the model's answers and its card will.")


def check_enrolment(count: int, generator: str, excluded: int = 0) -> None:
    """Raises ConfigError for an empty name, TooFewImages where there are less than FEWEST_IMAGES images.

    excluded: images that were left out of the count because the model knows them.
    """
    check_generator(generator)
    if count < FEWEST_IMAGES:
        raise TooFewImages(
            f"There are {count} FAKE images of {generator}"
            + (f", {excluded} more stand among the images that the model has already." if excluded else "."),
            f"Bring at least {FEWEST_IMAGES}; {ADVISED} are advised.",
        )


def measure_gain(
    train: Rows, real: NDArray[np.float32], new: Rows, before: Callable[[NDArray[np.float32]], Scores], head: HeadConfig
) -> dict[str, Any]:
    """{"before": {auroc, recall}, "after": {auroc, recall}, "fpr", "folds"} on the new generator's images.

    `real` (n, d) are REAL images that no head has seen, `new` the enrolled images, which take turns: each is scored by
    a head that was fitted on `train` and the others (five-fold, groups whole). Recall is that at FPR false alarms among
    `real`, before as after.
    """
    if len(real) == 0:
        raise OneClass("No REAL image was held out to compare with.", "Keep some for validation.")
    kept = thin(train.groups, train.y, MOST_ROWS, head.seed)
    train = train.some(kept)
    names, owner = np.unique(new.groups, return_inverse=True)
    fold = (np.random.default_rng(head.seed).permutation(len(names)) % _FOLDS)[owner]
    areas, caught, counts = [], [], []
    for number in np.unique(fold):
        out = fold == number
        if out.all():
            continue
        rows = both(train, new.some(~out))
        fitted = fit_head(rows.X, rows.y, head, groups=rows.groups, generators=rows.generators)
        area, recall = _figures(fitted.scores(real), fitted.scores(new.X[out]))
        areas.append(area)
        caught.append(recall)
        counts.append(int(out.sum()))
    old = _figures(before(real), before(new.X))
    after = None
    if counts:
        after = {"auroc": float(np.average(areas, weights=counts)), "recall": float(np.average(caught, weights=counts))}
    return {"before": {"auroc": old[0], "recall": old[1]}, "after": after, "fpr": FPR, "folds": len(counts)}


def _figures(real: Scores, fake: Scores) -> tuple[float, float]:
    """(AUROC, recall at FPR false alarms)."""
    y = np.repeat(np.array([0, 1], np.int8), [len(real), len(fake)])
    area = auroc(y, np.concatenate([real, fake]))
    assert area is not None
    return float(area), float((fake > np.quantile(real, 1 - FPR)).mean())
