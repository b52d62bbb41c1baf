"""What a fit's own generators are worth against one that is not among them: each is left out in turn.

A head on the same features is fitted again without one generator and then asked about its images. So a card says from
the start what is to be expected of a generator that the detector never saw. The detector itself has seen all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core import intervals
from backend.core.detector import MIN_IMAGES_PER_CLASS, Progress
from backend.core.heads import HeadConfig, fit_head
from backend.core.held_out import Rows
from backend.core.metrics import Floats, auroc
from backend.core.splits import thin

HEAD, USUAL_C = "logreg", 0.01
"""The head that is fitted again, whatever the detector's own one is, since it takes a second; its C where the detector
is none of the same kind, which would have chosen one."""

FEWEST_REAL = 20
"""Held-out REAL images without which false alarms cannot be matched."""

MOST_ROWS, MOST_IMAGES, MOST_GENERATORS = 5_000, 1_000, 20
"""Most rows that a head is fitted on, images of a generator that it is asked about, and generators that take turns."""


def measure_left_out(
    train: Rows, held_out: Rows, progress: Progress, *, fpr: float, C: float | None, seed: int
) -> dict[str, Any]:
    """{generators: [{generator, n, recall, auroc, intervals}], recall, auroc, worst, fpr, head, reason}.

    train: what the detector's head was fitted on, held_out: rows of other groups, REAL ones of which the false alarms
    are counted on. `recall` of a generator is the share of its images above the threshold that as many REAL images
    exceed as with the detector, `fpr`; intervals are of 95 %. Its images share no group with the rows of that fit. With
    fewer than two generators of MIN_IMAGES_PER_CLASS images nothing is told but the `reason`.
    """
    names, reals = name_generators(train), int((held_out.y == 0).sum())
    if len(names) < 2:
        return unknown(f"Generators with {MIN_IMAGES_PER_CLASS} training images or more: {len(names)}; two are needed.")
    if reals < FEWEST_REAL:
        return unknown(f"{reals} REAL images were held out; {FEWEST_REAL} are needed.")
    head, rows = HeadConfig(HEAD, C=C or USUAL_C, class_weight="balanced", seed=seed), []
    for number, name in enumerate(names[:MOST_GENERATORS]):
        progress("evaluate", number, len(names[:MOST_GENERATORS]))
        found = _without(name, train, held_out, fpr, head)
        rows += [] if found is None else [found]
    if not rows:
        return unknown("No generator has images that share no group with the others.")
    areas = [row["auroc"] for row in rows]
    return {
        "generators": rows,
        "recall": float(np.mean([row["recall"] for row in rows])),
        "auroc": float(np.mean(areas)),
        "worst": min(rows, key=lambda row: row["recall"])["generator"],
        "fpr": fpr,
        "head": HEAD,
        "reason": None,
    }


def unknown(reason: str) -> dict[str, Any]:
    """What a card says where nothing was measured."""
    nothing = dict.fromkeys(("recall", "auroc", "worst", "fpr", "head"))
    return {"generators": [], **nothing, "reason": reason}


def _without(name: str, train: Rows, held_out: Rows, fpr: float, head: HeadConfig) -> dict[str, Any] | None:
    """The row of one generator; None where too few of its images, or of the others', are left."""
    rest = train.some(~_made_by(name, train))
    rest = rest.some(thin(rest.groups, rest.y, MOST_ROWS, head.seed))
    fakes = np.concatenate(
        [part.X[_made_by(name, part) & ~np.isin(part.groups, rest.groups)] for part in (train, held_out)]
    )
    fakes = fakes[np.random.default_rng(head.seed).permutation(len(fakes))[:MOST_IMAGES]]
    if len(fakes) < MIN_IMAGES_PER_CLASS or np.bincount(rest.y, minlength=2).min() < MIN_IMAGES_PER_CLASS:
        return None
    fitted = fit_head(rest.X, rest.y, head, groups=rest.groups)
    reals = fitted.scores(held_out.X[held_out.y == 0])
    return {"generator": name, "n": len(fakes), **_figures(fitted.scores(fakes), reals, fpr, head.seed)}


def _figures(fakes: Floats, reals: Floats, fpr: float, seed: int) -> dict[str, Any]:
    allowed = min(round(fpr * len(reals)), len(reals) - 1)
    y = np.repeat(np.array([1, 0], dtype=np.int8), [len(fakes), len(reals)])
    both = np.concatenate([fakes, reals])
    limits = {
        "recall": intervals.recall_at_fpr_interval(fakes, reals, allowed, seed),
        "auroc": intervals.auroc_interval(y, both),
    }
    return {
        "recall": float(np.mean(fakes > np.sort(reals)[-1 - allowed])),
        "auroc": auroc(y, both),
        "intervals": {key: None if limit is None else list(limit) for key, limit in limits.items()},
    }


def name_generators(rows: Rows) -> list[str]:
    """Those with enough images, in order; images without a generator's name are of none."""
    if rows.generators is None:
        return []
    names, counts = np.unique(rows.generators[(rows.y == 1) & (rows.generators != "")], return_counts=True)
    return [str(name) for name in names[counts >= MIN_IMAGES_PER_CLASS]]


def _made_by(name: str, rows: Rows) -> NDArray[np.bool_]:
    names = np.full(len(rows.y), "") if rows.generators is None else rows.generators
    return np.asarray((rows.y == 1) & (names == name))
