"""Does a verdict hold under changes that leave an image what it is? Each is tried, and what flips is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.core.corruptions import Corruption, bound, corrupt
from backend.core.detector import Answer, Detector

CHANGES = (
    Corruption("jpeg", 90),
    Corruption("jpeg", 75),
    Corruption("jpeg", 50),
    Corruption("resize", 0.5),
    Corruption("resize", 2),
    Corruption("crop", 0.9),
    Corruption("blur", 0.5),
    Corruption("flip", 1),
)
"""What is tried: as messengers, editors and screenshots change images."""

MANY = 2
"""So many copies with the opposite verdict make an answer unstable: see docs/explanations.md for what one would do."""

UNSTABLE = "unstable"
"""The code of the reason."""


@dataclass(frozen=True)
class Tried:
    """What the detector says of one changed copy of the image."""

    change: Corruption
    probability_fake: float  # 0..1, calibrated
    verdict: str  # "real", "fake" or "unsure"
    flipped: bool  # the label is another one than that of the image itself

    @property
    def is_opposite(self) -> bool:
        """Whether the verdict is the opposite one, and not a close one."""
        return self.flipped and self.verdict != "unsure"


@dataclass(frozen=True)
class Stability:
    """All changes that were tried."""

    tried: tuple[Tried, ...]

    @property
    def unstable(self) -> bool:
        """Whether at least MANY copies get the opposite verdict."""
        return sum(each.is_opposite for each in self.tried) >= MANY

    @property
    def flips(self) -> int:
        """How many copies get another label."""
        return sum(each.flipped for each in self.tried)


def try_changes(detector: Detector, pixels: NDArray[np.uint8], answer: Answer) -> Stability:
    """What becomes of `answer`, the detector's for these pixels [height, width, 3], under each of CHANGES.

    The copies are judged by their probabilities alone: that a copy has another size is no news. One copy is in memory
    at a time, and of a very large image a smaller one, see `bound`.
    """
    low, high = detector.unsure_band
    pixels = bound(pixels, average=detector.extractor.reduce_above is not None)
    tried: list[Tried] = []
    for change in CHANGES:
        features = detector.extractor.extract([corrupt(pixels, change)])
        chance = float(detector.probabilities(detector.scores(features))[0])
        label = "FAKE" if chance >= detector.threshold else "REAL"
        verdict = "unsure" if low < chance < high else label.lower()
        tried.append(Tried(change, chance, verdict, label != answer.label))
    return Stability(tuple(tried))


def heed(answer: Answer, stability: Stability) -> Answer:
    """The answer, with the verdict `unsure` and the reason why where it does not hold."""
    if not stability.unstable:
        return answer
    opposite = [each.change.label for each in stability.tried if each.is_opposite]
    reason = (
        f"The answer does not hold: {len(opposite)} of {len(stability.tried)} harmless changes turn it into its "
        f"opposite ({', '.join(opposite)})."
    )
    return replace(
        answer,
        verdict="unsure",
        reasons=(*answer.reasons, reason),
        reason_codes=(*answer.reason_codes, UNSTABLE),
    )
