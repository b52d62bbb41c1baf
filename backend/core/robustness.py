"""How good a detector still is on images that something happened to: figures by corruption and strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.corruptions import CORRUPTIONS, Corruption, bound, corrupt
from backend.core.detector import Detector
from backend.core.intervals import auroc_interval, wilson
from backend.core.metrics import auroc, count_confusion

BATTERY: tuple[Corruption, ...] = tuple(
    Corruption(row.name, strength) for row in CORRUPTIONS.values() for strength in row.strengths
)
"""What is measured beside the images as they are."""


def score_copies(detector: Detector, images: Sequence[NDArray[np.uint8]], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Head outputs (1 + len(BATTERY), n): row 0 of the images as they are, then of each corruption's copies.

    `seeds`: one an image, for its noise. The copies of one corruption are in memory at a time, and of very large images
    smaller ones, see `bound`.
    """
    images = [bound(image, average=detector.extractor.reduce_above is not None) for image in images]
    rows = [detector.scores(detector.extractor.extract(images))]
    for corruption in BATTERY:
        copies = [corrupt(image, corruption, seed) for image, seed in zip(images, seeds, strict=True)]
        rows.append(detector.scores(detector.extractor.extract(copies)))
    return np.stack(rows)


def measure_robustness(detector: Detector, y: NDArray[np.int8], scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    """One row for the images as they are and one a corruption, in the order of `score_copies`.

    {corruption, strength, unit, accuracy, auroc, recall, fpr, intervals: {accuracy, auroc, recall, fpr}}; `corruption`
    is None in the first row. Accuracy, recall and FPR are at the model's own threshold, intervals are of 95 %; what is
    undefined (one class only) is None. y: (n,) 1 FAKE, 0 REAL.
    """
    return [_measure(corruption, detector, y, row) for corruption, row in zip((None, *BATTERY), scores, strict=True)]


def _measure(
    corruption: Corruption | None, detector: Detector, y: NDArray[np.int8], scores: NDArray[np.float64]
) -> dict[str, Any]:
    cells = count_confusion(y, detector.probabilities(scores) >= detector.threshold)
    limits = {
        "accuracy": wilson(cells.tp + cells.tn, cells.total),
        "auroc": auroc_interval(y, scores),
        "recall": wilson(cells.tp, cells.tp + cells.fn),
        "fpr": wilson(cells.fp, cells.fp + cells.tn),
    }
    return {
        "corruption": None if corruption is None else corruption.name,
        "strength": None if corruption is None else corruption.strength,
        "unit": None if corruption is None else CORRUPTIONS[corruption.name].unit,
        "accuracy": cells.accuracy,
        "auroc": auroc(y, scores),
        "recall": cells.recall,
        "fpr": cells.fpr,
        "intervals": {name: None if limit is None else list(limit) for name, limit in limits.items()},
    }
