"""Scores and verdicts of a detector, generator by generator: what it catches of each, and what it calls `real`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.core import intervals
from backend.core.errors import InvalidInput
from backend.core.metrics import Confusion, Floats, auroc, count_confusion

ALARM_RATES = {"recall_at_1_fpr": 0.01, "recall_at_5_fpr": 0.05}
"""Name of a figure -> share of the REAL images that its threshold calls FAKE at most."""

FEW_IMAGES = 30
"""With fewer images of a generator its figures come with a note: an interval then spans some 35 points."""

AVERAGED = ("auroc", "recall", *ALARM_RATES)
"""The figures whose plain mean over the generators is reported."""

_FEW = f"Fewer than {FEW_IMAGES} images: read the intervals, not the figures."
_NO_REAL = "There are no REAL images, so AUROC, accuracy and recall at a false-positive rate cannot be told."
_NO_FAKE = "There are no FAKE images: only the false alarms can be told."


def evaluate_generators(
    y: ArrayLike, scores: ArrayLike, probabilities: ArrayLike, threshold: float, generators: ArrayLike, *, seed: int = 0
) -> dict[str, Any]:
    """Figures by generator as JSON: `n, threshold, fpr, intervals, generators: [...], mean, notes`.

    y: (n,) 1 FAKE, 0 REAL. scores: (n,) margins, higher is more FAKE: AUROC and the thresholds at a false-positive rate
    come from them. probabilities: (n,) of FAKE, 0..1: an image at or above `threshold` is called FAKE.
    generators: (n,) name of what made each FAKE image; those of REAL images do not count. seed: of the bootstrap.

    All REAL images stand beside each generator. `recall` and `accuracy` are at `threshold`, `balanced_accuracy` as if
    there were as many REAL as FAKE ones; ALARM_RATES at thresholds that the REAL images of this very set give. Shares
    lie in 0..1; intervals are 95 %: Clopper and Pearson's for shares, DeLong's for AUROC, a bootstrap over the images
    of both classes for ALARM_RATES. What cannot be told is None, and `notes` say why. Raises InvalidInput.
    """
    labels, margins, p, names = _check(y, scores, probabilities, generators)
    called = p >= threshold
    real, fake = labels == 0, labels == 1
    false_alarms, reals = int(np.count_nonzero(called & real)), int(np.count_nonzero(real))
    rows = []
    for name in np.unique(names[fake]).tolist():
        own = fake & (names == name)
        cells = count_confusion(labels[own | real], called[own | real])
        rows.append({"generator": name, **_figures(cells, margins[own], margins[real], seed)})
    return {
        "n": {"REAL": reals, "FAKE": int(np.count_nonzero(fake))},
        "threshold": float(threshold),
        "fpr": false_alarms / reals if reals else None,
        "intervals": {"fpr": _listed(intervals.clopper_pearson(false_alarms, reals))},
        "generators": rows,
        "mean": {name: _mean([row[name] for row in rows]) for name in AVERAGED},
        "notes": _notes(reals, len(rows)),
    }


def add_verdicts(
    figures: dict[str, Any],
    y: NDArray[np.int8],
    called: NDArray[np.bool_],
    unsure: NDArray[np.bool_],
    generators: NDArray[np.str_],
) -> None:
    """Adds to the figures of `evaluate_generators` for the same images what a person is told, verdicts for labels.

    called: (n,) whether an image's label is FAKE; unsure: (n,) whether it gets no verdict. Each generator gets
    `answered_real`, the share of its fakes that are answered `real` and not `unsure`, with its 95 % interval (Clopper
    and Pearson's), and `unsure_share`; the figures get the `unsure_share` of REAL images, None without any.
    """
    for row in figures["generators"]:
        own = (y == 1) & (generators == row["generator"])
        missed = int(np.count_nonzero(own & ~called & ~unsure))
        row |= {"answered_real": missed / row["n"], "unsure_share": float(unsure[own].mean())}
        row["intervals"]["answered_real"] = _listed(intervals.clopper_pearson(missed, row["n"]))
    figures["unsure_share"] = float(unsure[y == 0].mean()) if figures["n"]["REAL"] else None


def note(code: str, message: str) -> dict[str, str]:
    """Something that a reader of figures has to know: a stable code and a sentence."""
    return {"code": code, "message": message}


def _figures(cells: Confusion, fakes: Floats, reals: Floats, seed: int) -> dict[str, Any]:
    """One generator's row without its name."""
    told: dict[str, float | None] = {"recall": cells.recall}
    limits = {"recall": intervals.clopper_pearson(cells.tp, len(fakes))}
    names = ("auroc", "accuracy", "balanced_accuracy", *ALARM_RATES)
    told |= dict.fromkeys(names)
    limits |= dict.fromkeys(names)
    if len(reals):
        y = np.repeat(np.array([1, 0], dtype=np.int8), [len(fakes), len(reals)])
        both = np.concatenate([fakes, reals])
        told |= {"auroc": auroc(y, both), "accuracy": cells.accuracy, "balanced_accuracy": cells.balanced_accuracy}
        limits |= {
            "auroc": intervals.auroc_interval(y, both),
            "accuracy": intervals.clopper_pearson(cells.tp + cells.tn, cells.total),
            "balanced_accuracy": intervals.balanced_accuracy_interval(cells.tp, cells.fn, cells.tn, cells.fp),
        }
    for name, rate in ALARM_RATES.items():
        allowed = _allowed(rate, len(reals))
        if allowed:
            told[name] = float(np.mean(fakes > np.sort(reals)[-1 - allowed]))
            limits[name] = intervals.recall_at_fpr_interval(fakes, reals, allowed, seed)
    few = [note("few_images", _FEW)] if len(fakes) < FEW_IMAGES else []
    listed = {name: _listed(limit) for name, limit in limits.items()}
    return {"n": len(fakes), **told, "intervals": listed, "notes": few}


def _allowed(rate: float, reals: int) -> int:
    """How many of so many REAL images a false-positive rate lets pass as FAKE."""
    return math.floor(rate * reals + 1e-9)


def _notes(reals: int, generators: int) -> list[dict[str, str]]:
    notes = [] if generators else [note("no_fake", _NO_FAKE)]
    if not reals:
        return [*notes, note("no_real", _NO_REAL)]
    untold = [rate for rate in ALARM_RATES.values() if not _allowed(rate, reals)]
    if untold:
        needed, rates = round(1 / min(untold)), " or ".join(f"{rate:.0%}" for rate in untold)
        notes.append(
            note(
                "few_real",
                f"{reals} REAL images cannot tell a threshold with {rates} false alarms; {needed} are needed.",
            )
        )
    return notes


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _listed(limit: intervals.Interval | None) -> list[float] | None:
    return None if limit is None else list(limit)


def _check(
    y: ArrayLike, scores: ArrayLike, probabilities: ArrayLike, generators: ArrayLike
) -> tuple[NDArray[np.int8], Floats, Floats, NDArray[np.str_]]:
    labels = np.asarray(y)
    margins = np.asarray(scores, dtype=np.float64)
    p = np.asarray(probabilities, dtype=np.float64)
    names = np.asarray(generators, dtype=np.str_)
    shapes = {array.shape for array in (labels, margins, p, names)}
    if len(shapes) > 1 or labels.ndim != 1:
        raise InvalidInput(
            f"Labels {labels.shape}, scores {margins.shape}, probabilities {p.shape} and generators {names.shape} do "
            "not fit.",
            "Give four one-dimensional arrays of one length.",
        )
    if not np.isin(labels, (0, 1)).all():
        raise InvalidInput("A label is neither 0 nor 1.", "Use 1 for FAKE and 0 for REAL.")
    if not np.isfinite(margins).all() or not ((p >= 0.0) & (p <= 1.0)).all():
        raise InvalidInput("A score is not finite, or a probability lies outside 0..1.", "Check the detector's output.")
    return labels.astype(np.int8), margins, p, names
