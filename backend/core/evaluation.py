"""Labels, margins and probabilities -> every figure of a detector on one set of images, with 95 % intervals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.core import intervals
from backend.core.curves import bin_by_mass, bin_reliability, roc_curve
from backend.core.errors import InvalidInput
from backend.core.metrics import (
    Confusion,
    Floats,
    Labels,
    auroc,
    brier_losses,
    count_confusion,
    hinge_losses,
    log_losses,
)

Loss = Literal["log_loss", "hinge"]

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""CIFAR-10's classes in the order of CIFAKE's file-name suffixes: none, (2), (3) … (10)."""

_CIFAKE_NAME = re.compile(r"\d{1,4}(?: \((\d{1,2})\))?\.jpe?g", re.IGNORECASE)


def evaluate(
    y: ArrayLike,
    scores: ArrayLike,
    probabilities: ArrayLike,
    threshold: float,
    *,
    loss: Loss,
    classes: Sequence[str | None] | None = None,
    unsure: ArrayLike | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure as JSON: `n`, `counts`, scalars, `intervals`, `confusion`, `roc`, `reliability`, `by_class`.

    y: (n,) 1 FAKE, 0 REAL. scores: (n,) margins, higher is more FAKE; AUROC and hinge loss come from them.
    probabilities: (n,) of FAKE, 0..1; all else comes from them, and an image at or above `threshold` is called FAKE.
    loss: which loss the head minimises; repeated under `loss` and `loss_value`. classes: (n,) name of what each image
    shows, None or "" where unknown. unsure: (n,) whether the verdict was; with it the scalars include `unsure_share`
    and `sure_accuracy`, the accuracy on the rest. seed: of the bootstrap for the calibration error.

    A scalar that is undefined (one class only, nothing called FAKE) is None, as is its interval. Raises InvalidInput
    where lengths differ or values are out of range.
    """
    labels, margins, p = _check(y, scores, probabilities, threshold, loss)
    if classes is not None and len(classes) != len(labels):
        raise InvalidInput(f"{len(classes)} class names for {len(labels)} images.", "Give one name an image, or None.")
    cells = count_confusion(labels, p >= threshold)
    losses = {
        "log_loss": log_losses(labels, p),
        "hinge_loss": hinge_losses(labels, margins),
        "brier": brier_losses(labels, p),
    }
    reliability, by_mass = bin_reliability(labels, p), bin_by_mass(labels, p)
    scalars: dict[str, float | None] = {
        "accuracy": cells.accuracy,
        "balanced_accuracy": cells.balanced_accuracy,
        "auroc": auroc(labels, margins),
        "precision": cells.precision,
        "recall": cells.recall,
        "fpr": cells.fpr,
        "f1": cells.f1,
        "ece": reliability.error,
        "ece_equal_mass": by_mass.error,
        **{name: float(values.mean()) if len(values) else None for name, values in losses.items()},
    }
    limits: dict[str, intervals.Interval | None] = {
        **_count_intervals(cells),
        "auroc": intervals.auroc_interval(labels, margins),
        **{name: intervals.mean_interval(values) for name, values in losses.items()},
        "ece": intervals.ece_interval(reliability, seed),
        "ece_equal_mass": intervals.ece_interval(by_mass, seed),
    }
    if unsure is not None:
        more, spans = _abstentions(labels, p >= threshold, np.asarray(unsure, dtype=np.bool_))
        scalars, limits = scalars | more, limits | spans
    return {
        "n": len(labels),
        "counts": {"REAL": cells.tn + cells.fp, "FAKE": cells.tp + cells.fn},
        "threshold": float(threshold),
        "loss": loss,
        "loss_value": scalars["log_loss" if loss == "log_loss" else "hinge_loss"],
        **scalars,
        "intervals": {name: None if limit is None else list(limit) for name, limit in limits.items()},
        "confusion": {"tp": cells.tp, "fp": cells.fp, "tn": cells.tn, "fn": cells.fn},
        "roc": roc_curve(labels, p, threshold),
        "reliability": {"bins": reliability.rows()},
        "by_class": _by_class(labels, margins, p >= threshold, classes),
    }


def cifar_class(filename: str) -> str | None:
    """The CIFAR-10 class that a CIFAKE file name tells, e.g. "0000 (10).jpg" -> "truck"; None for any other name."""
    match = _CIFAKE_NAME.fullmatch(filename.rpartition("/")[2])
    if match is None:
        return None
    number = int(match[1] or 1)
    if match[1] is not None and not 2 <= number <= len(CIFAR_CLASSES):
        return None
    return CIFAR_CLASSES[number - 1]


def _check(
    y: ArrayLike, scores: ArrayLike, probabilities: ArrayLike, threshold: float, loss: str
) -> tuple[Labels, Floats, Floats]:
    labels = np.asarray(y)
    margins = np.asarray(scores, dtype=np.float64)
    p = np.asarray(probabilities, dtype=np.float64)
    if not (labels.ndim == margins.ndim == p.ndim == 1 and len(labels) == len(margins) == len(p)):
        raise InvalidInput(
            f"Labels {labels.shape}, scores {margins.shape} and probabilities {p.shape} do not fit.",
            "Give three one-dimensional arrays of one length.",
        )
    if not np.isin(labels, (0, 1)).all():
        raise InvalidInput("A label is neither 0 nor 1.", "Use 1 for FAKE and 0 for REAL.")
    if not (np.isfinite(margins).all() and ((p >= 0.0) & (p <= 1.0)).all()):
        raise InvalidInput("A score is not finite or a probability lies outside 0..1.", "Check the detector's output.")
    if not np.isfinite(threshold):
        raise InvalidInput(f"The threshold {threshold} is not a number.", "Choose one between 0 and 1.")
    if loss not in ("log_loss", "hinge"):
        raise InvalidInput(f"Unknown loss {loss!r}.", "Known losses: log_loss, hinge.")
    return labels.astype(np.int8), margins, p


def _count_intervals(cells: Confusion) -> dict[str, intervals.Interval | None]:
    tp, fp, tn, fn = cells.tp, cells.fp, cells.tn, cells.fn
    return {
        "accuracy": intervals.wilson(tp + tn, cells.total),
        "balanced_accuracy": intervals.balanced_accuracy_interval(tp, fn, tn, fp),
        "precision": intervals.wilson(tp, tp + fp),
        "recall": intervals.wilson(tp, tp + fn),
        "fpr": intervals.wilson(fp, fp + tn),
        "f1": intervals.f1_interval(tp, fp, fn),
    }


def _abstentions(
    y: Labels, called_fake: NDArray[np.bool_], unsure: NDArray[np.bool_]
) -> tuple[dict[str, float | None], dict[str, intervals.Interval | None]]:
    if unsure.shape != y.shape:
        raise InvalidInput(f"{len(unsure)} verdicts for {len(y)} images.", "Give one an image.")
    sure = count_confusion(y[~unsure], called_fake[~unsure])
    left_out = len(y) - sure.total
    share = left_out / len(y) if len(y) else None
    return {"unsure_share": share, "sure_accuracy": sure.accuracy}, {
        "unsure_share": intervals.wilson(left_out, len(y)),
        "sure_accuracy": intervals.wilson(sure.tp + sure.tn, sure.total),
    }


def _by_class(
    y: Labels, scores: Floats, called_fake: NDArray[np.bool_], classes: Sequence[str | None] | None
) -> dict[str, dict[str, float | int | None]]:
    names = np.array([name or "" for name in classes or ()], dtype=np.str_)
    table: dict[str, dict[str, float | int | None]] = {}
    for name in sorted(set(names.tolist()) - {""}):
        here = names == name
        cells = count_confusion(y[here], called_fake[here])
        table[name] = {
            "n": cells.total,
            "accuracy": cells.accuracy,
            "auroc": auroc(y[here], scores[here]),
            "recall": cells.recall,
            "fpr": cells.fpr,
        }
    return table
