"""Random changes of training images that leave their label true. All of them work on the pixels, before any resize."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Batch = NDArray[np.float32]
"""Images [n, side, side, 3], values 0..255."""

SHIFT_PART = 16
"""Images are shifted by at most this part of their side: 2 pixels at 32."""
ERASE_SHARE = 0.5
ERASE_PART = 4
"""A square of this part of the side is filled with one random colour, in this share of the images."""
MIXUP_ALPHA = 0.2
"""Both parameters of the beta distribution that mixing weights come from (Zhang et al. 2018)."""


def augment(
    images: NDArray[np.uint8], y: NDArray[np.float32], names: Sequence[str], random: np.random.Generator
) -> tuple[Batch, NDArray[np.float32]]:
    """Changed copies of images [n, side, side, 3] and their labels (n,), which mixup makes shares 0..1."""
    changed = images.astype(np.float32)
    for name in ("shift", "flip", "rotate", "erase"):  # the order is fixed, whatever the order of `names`
        if name in names:
            changed = _CHANGES[name](changed, random)
    if "mixup" in names:
        share = np.float32(random.beta(MIXUP_ALPHA, MIXUP_ALPHA))
        order = random.permutation(len(y))
        return share * changed + (1 - share) * changed[order], share * y + (1 - share) * y[order]
    return changed, y


def _shift(images: Batch, random: np.random.Generator) -> Batch:
    """Shifted by up to a sixteenth of the side in both directions; what comes in is the mirrored border."""
    side = images.shape[1]
    most = max(1, side // SHIFT_PART)
    wide = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode="reflect")
    down, across = random.integers(0, 2 * most + 1, (2, len(images)))
    shifted = np.empty_like(images)
    for i, (top, left) in enumerate(zip(down, across, strict=True)):
        shifted[i] = wide[i, top : top + side, left : left + side]
    return shifted


def _flip(images: Batch, random: np.random.Generator) -> Batch:
    """Half of them mirrored left to right."""
    return np.where((random.random(len(images)) < 0.5)[:, None, None, None], images[:, :, ::-1], images)


def _rotate(images: Batch, random: np.random.Generator) -> Batch:
    """Turned by 0, 90, 180 or 270 degrees."""
    turns = random.integers(0, 4, len(images))
    return np.stack([np.rot90(image, turn) for image, turn in zip(images, turns, strict=True)])


def _erase(images: Batch, random: np.random.Generator) -> Batch:
    """A square of half of them filled with one colour (Zhong et al. 2020)."""
    side = images.shape[1]
    part = max(1, side // ERASE_PART)
    erased = images.copy()
    chosen = random.random(len(images)) < ERASE_SHARE
    places = random.integers(0, side - part + 1, (len(images), 2))
    colours = random.integers(0, 256, (len(images), 3))
    for i in np.flatnonzero(chosen):
        top, left = places[i]
        erased[i, top : top + part, left : left + part] = colours[i]
    return erased


_CHANGES: dict[str, Callable[[Batch, np.random.Generator], Batch]] = {
    "shift": _shift,
    "flip": _flip,
    "rotate": _rotate,
    "erase": _erase,
}
