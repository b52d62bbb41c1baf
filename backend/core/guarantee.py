"""The share of REAL images called FAKE that a detector will not exceed, from images that nothing else has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import InvalidInput

CONFIDENCE = 0.95

LEAST_IMAGES = 50
"""With fewer REAL images nothing is promised: even without a false positive the bound would be above 5.8 %."""


def fpr_bound(false_positives: int, images: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper limit of Clopper and Pearson 1934 for the false-positive rate, 0..1.

    `false_positives` of `images` independent REAL images were called FAKE. In at least the share `confidence` (between
    0 and 1) of all such trials the limit is at or above the true rate, however small the trial. Raises InvalidInput.
    """
    from scipy.special import betaincinv  # here, for the serving process imports `service`, which imports this module

    if not (0 <= false_positives <= images and images > 0 and 0.0 < confidence < 1.0):
        raise InvalidInput(
            f"{false_positives} of {images} false positives at confidence {confidence} is no trial.",
            "Give counts with 0 <= false positives <= images and a confidence between 0 and 1.",
        )
    if false_positives == images:
        return 1.0
    return float(betaincinv(false_positives + 1, images - false_positives, confidence))


def promise_fpr(
    called_fake: NDArray[np.bool_], groups: NDArray[np.int64], *, threshold: float, source: str
) -> dict[str, Any]:
    """The card's `fpr_promise` from what a detector said of REAL images (n,) that had no part in making it.

    groups: (n,) numbers; of images that share one only the first counts, since the others are no independent trials.
    source: where the images come from, such as "test". `bound` is None, and `reason` says why, where they are too few.
    """
    first = np.unique(groups, return_index=True)[1]
    images, alarms = len(first), int(np.count_nonzero(called_fake[first]))
    told = {
        "threshold": float(threshold),
        "source": source,
        "images": images,
        "false_positives": alarms,
        "confidence": CONFIDENCE,
        "bound": None,
        "statement": None,
        "reason": None,
    }
    if images < LEAST_IMAGES:
        seen = f"{images} REAL {source} images were read that nothing else has seen"
        return {**told, "reason": f"{seen}; a promise wants {LEAST_IMAGES}."}
    bound = fpr_bound(alarms, images)
    statement = (
        f"At {CONFIDENCE:.0%} confidence at most {bound:.2%} of REAL images are called FAKE, for images like these: "
        f"{images:,} REAL {source} images, of which {alarms:,} were."
    )
    return {**told, "bound": bound, "statement": statement}
