"""Which images differ from the rest in one of a few plain numbers, and in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.eda_distributions import values_of
from backend.core.eda_partial import LABEL_NAMES

MAX_OUTLIERS = 50
MIN_IMAGES = 10
"""Fewest images among which one can be called an outlier."""

THRESHOLD = 3.5
"""Robust z-score beyond which a number is called unusual (Iglewicz and Hoaglin 1993)."""


@dataclass(frozen=True)
class Trait:
    """A number an image can be unusual in, and what to call either side."""

    low: str
    high: str
    smallest: float | None = None  # set: compared as logarithms, smaller values counting as this


TRAITS = {
    "brightness": Trait("very dark", "very bright"),
    "contrast": Trait("little contrast", "strong contrast"),
    "saturation": Trait("colourless", "very colourful"),
    "sharpness": Trait("very smooth", "very sharp or noisy", smallest=0.01),
    "aspect": Trait("very tall", "very wide", smallest=1e-3),
    "pixels": Trait("small image", "large image", smallest=1.0),
    "bytes": Trait("small file", "large file", smallest=1.0),
}


def find_outliers(images: NDArray[Any]) -> dict[str, Any]:
    """`{threshold, count, images: [{row, label, score, reasons}]}`, the most unusual 50 first.

    score is the largest absolute z-score of an image. count is how many images have one beyond the threshold.
    With fewer than 10 images nothing is called an outlier.
    """
    found: dict[str, Any] = {"threshold": THRESHOLD, "count": 0, "images": []}
    if len(images) < MIN_IMAGES:
        return found
    values = {name: values_of(images, name) for name in TRAITS}
    z = np.column_stack([robust_z(_compared(values[name], trait)) for name, trait in TRAITS.items()])
    score = np.abs(z).max(axis=1)
    found["count"] = int((score > THRESHOLD).sum())
    names = list(TRAITS)
    for i in np.argsort(-score, kind="stable")[: min(MAX_OUTLIERS, found["count"])].tolist():
        unusual = sorted(np.flatnonzero(np.abs(z[i]) > THRESHOLD).tolist(), key=lambda j: -abs(z[i, j]))
        row = int(images["row"][i])
        found["images"].append(
            {
                "row": row,
                "label": LABEL_NAMES[int(images["label"][i])],
                "score": float(score[i]),
                "reasons": [_explain(names[j], values[names[j]], i, float(z[i, j])) for j in unusual],
            }
        )
    return found


def robust_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the median in robust standard deviations, (n,); zeros where all values are equal.

    (x - median) / (1.4826 MAD), or with 1.2533 times the mean absolute deviation where over half the values are
    equal and MAD is 0 (Iglewicz and Hoaglin 1993).
    """
    distance: NDArray[np.float64] = values - np.median(values)
    scale = 1.482602 * float(np.median(np.abs(distance))) or 1.253314 * float(np.abs(distance).mean())
    return distance / scale if scale > 0.0 else np.zeros_like(distance)


def _compared(values: NDArray[np.float64], trait: Trait) -> NDArray[np.float64]:
    if trait.smallest is None:
        return values
    return np.log(np.maximum(values, trait.smallest))


def _explain(name: str, values: NDArray[np.float64], i: int, z: float) -> str:
    what = TRAITS[name].low if z < 0 else TRAITS[name].high
    return f"{what}: {name} {values[i]:.4g}, median {np.median(values):.4g} ({z:+.1f} robust standard deviations)"
