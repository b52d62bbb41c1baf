"""Point estimates from labels, margins and probabilities: plain functions, one number each, None where undefined.

Everywhere y is 1 for FAKE and 0 for REAL, a higher score means more FAKE, and rates are shares in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int8]
Floats = NDArray[np.float64]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Log loss clips probabilities to [2.2e-16, 1 - 2.2e-16]: a certain and wrong answer costs 36.04 nats, not infinity."""


@dataclass(frozen=True)
class Confusion:
    """How many images fell in each cell; FAKE is the positive class."""

    tp: int  # FAKE called FAKE
    fp: int  # REAL called FAKE
    tn: int  # REAL called REAL
    fn: int  # FAKE called REAL

    @property
    def total(self) -> int:
        return self.tp + self.fp + self.tn + self.fn

    @property
    def accuracy(self) -> float | None:
        """Hits of both classes over all images, (TP + TN) / n.

        Counting only the hits among FAKE gives TP / n, which on a balanced set is half the recall and can never
        exceed 0.5: that is how an accuracy of 38 % comes out of a classifier that finds 76 % of the FAKE images.
        """
        return _ratio(self.tp + self.tn, self.total)

    @property
    def recall(self) -> float | None:
        """Share of the FAKE images that are called FAKE (true-positive rate)."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def fpr(self) -> float | None:
        """Share of the REAL images that are called FAKE (false-positive rate)."""
        return _ratio(self.fp, self.fp + self.tn)

    @property
    def precision(self) -> float | None:
        """Share of the images called FAKE that are FAKE."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of recall and 1 - FPR."""
        if self.recall is None or self.fpr is None:
            return None
        return (self.recall + 1.0 - self.fpr) / 2.0


def count_confusion(y: Labels, called_fake: NDArray[np.bool_]) -> Confusion:
    """The four cells for labels (n,) and answers (n,)."""
    fake = y == 1
    tp = int(np.count_nonzero(fake & called_fake))
    fn = int(np.count_nonzero(fake)) - tp
    fp = int(np.count_nonzero(called_fake)) - tp
    return Confusion(tp=tp, fp=fp, tn=len(y) - tp - fn - fp, fn=fn)


def log_losses(y: Labels, probabilities: Floats) -> Floats:
    """Negative log likelihood of each image in nats, (n,), with the clipping of SMALLEST_PROBABILITY."""
    p = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    return -np.where(y == 1, np.log(p), np.log1p(-p))


def hinge_losses(y: Labels, margins: Floats) -> Floats:
    """max(0, 1 - t s) of each image, (n,), with t = +1 for FAKE and -1 for REAL, so both classes count."""
    return np.maximum(0.0, 1.0 - np.where(y == 1, margins, -margins), dtype=np.float64)


def brier_losses(y: Labels, probabilities: Floats) -> Floats:
    """Squared distance of each probability from its label, (n,) in 0..1 (Brier 1950, for one event)."""
    distance: Floats = probabilities - (y == 1)
    return distance * distance


def midranks(values: Floats) -> Floats:
    """The rank of each value from 1 (n,), equal ones sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = np.cumsum(counts) - (counts - 1) / 2  # scipy.stats has it too, and takes a second to import
    return ranks[place]


def auroc(y: Labels, scores: Floats) -> float | None:
    """Chance that a FAKE image scores above a REAL one, ties counting half; None with one class only.

    The Mann-Whitney statistic from midranks.
    """
    fakes = int(np.count_nonzero(y == 1))
    reals = len(y) - fakes
    if fakes == 0 or reals == 0:
        return None
    ranks = midranks(scores)
    above = float(ranks[y == 1].sum()) - fakes * (fakes + 1) / 2.0
    return above / (fakes * reals)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
