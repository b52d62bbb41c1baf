"""Which part of an image is compared with a fingerprint: images are cropped, never resized."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Size = tuple[int, int]  # height, width, pixels

MOST_SIDE = 512
"""Pixels: of a longer side the middle is taken. A fingerprint of more is not better told apart, but takes long."""

GRID = 8
"""Crops begin at multiples of so many pixels: the blocks of JPEG and of up-samplers stay where they were."""


def working_size(height: int, width: int) -> Size:
    """(height, width) of the part of an image that is used."""
    return min(height, MOST_SIDE), min(width, MOST_SIDE)


def common_size(image: NDArray[Any], size: Size) -> Size:
    """(height, width) that an image [height, width, ...] and a fingerprint of that size both have."""
    height, width = working_size(*image.shape[:2])
    return min(height, size[0]), min(width, size[1])


def crop(image: NDArray[Any], size: Size) -> NDArray[Any]:
    """The middle (height, width) of an array [height, width, ...] that is at least as large, cut on the GRID."""
    top, left = ((length - wanted) // 2 // GRID * GRID for length, wanted in zip(image.shape, size, strict=False))
    return image[top : top + size[0], left : left + size[1]]
