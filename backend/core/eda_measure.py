"""Pixels -> a few numbers an image: brightness, contrast, saturation, sharpness, spread of the channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BAND_PIXELS = 1 << 16
"""Pixels that are worked on at once: a core's cache holds them and what is made of them."""


@dataclass(frozen=True)
class Measures:
    """Statistics of n images; see eda_partial.IMAGE_NUMBERS for the ranges."""

    brightness: NDArray[np.float64]  # (n,)
    contrast: NDArray[np.float64]
    saturation: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    colour_spread: NDArray[np.float64]


def luma_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma (...), 0..255, of RGB pixels (..., 3): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    return _luma(*_planes(pixels))


def measure(pixels: NDArray[np.uint8]) -> Measures:
    """Statistics of n images of one size, (n, height, width, 3), each side at least 3 pixels.

    Sharpness is the variance of the 4-neighbour Laplacian (Pech-Pacheco et al. 2000) over the pixels that have all
    four neighbours. An image's figures do not depend on those beside it.
    """
    n, height, width, _ = pixels.shape
    sums = np.zeros((6, n))
    rows = max(1, BAND_PIXELS // (n * width))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        above, below = max(0, top - 1), min(height, bottom + 1)  # one row more each side for the Laplacian
        band = pixels[:, above:below]
        _add_band(band, slice(top - above, top - above + bottom - top), sums)
    luma, luma_squares, saturation, spread, laplacian, laplacian_squares = sums
    area, inner = height * width, (height - 2) * (width - 2)
    return Measures(
        brightness=luma / area / 255.0,
        contrast=_deviation(luma, luma_squares, area) / 255.0,
        saturation=saturation / area,
        sharpness=_deviation(laplacian, laplacian_squares, inner) ** 2,
        colour_spread=spread / area / 255.0,
    )


def count_levels(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each channel takes each level, (3, 256), over all pixels (..., 3)."""
    flat = pixels.reshape(-1, 3)
    levels = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(flat), BAND_PIXELS):
        band = flat[start : start + BAND_PIXELS]
        for channel in range(3):
            levels[channel] += np.bincount(band[:, channel], minlength=256)
    return levels


def _planes(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Red, green and blue (...) of pixels (..., 3), each in one piece: what follows is several times as fast."""
    return [np.ascontiguousarray(pixels[..., channel]) for channel in range(3)]


def _luma(red: NDArray[np.uint8], green: NDArray[np.uint8], blue: NDArray[np.uint8]) -> NDArray[np.float32]:
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    luma: NDArray[np.float32] = red * weights[0]
    luma += green * weights[1]
    luma += blue * weights[2]
    return luma


def _add_band(band: NDArray[np.uint8], own: slice, sums: NDArray[np.float64]) -> None:
    planes = _planes(band)
    luma = _luma(*planes)
    red, green, blue = (plane[:, own] for plane in planes)
    largest = np.maximum(np.maximum(red, green), blue)
    spread = largest - np.minimum(np.minimum(red, green), blue)
    saturation = np.divide(spread, np.maximum(largest, 1), dtype=np.float32)
    laplacian = 4.0 * luma[:, 1:-1, 1:-1]
    for neighbour in (luma[:, :-2, 1:-1], luma[:, 2:, 1:-1], luma[:, 1:-1, :-2], luma[:, 1:-1, 2:]):
        laplacian -= neighbour
    own_luma = luma[:, own]
    parts = (own_luma, own_luma**2, saturation, spread, laplacian, laplacian**2)
    for i, values in enumerate(parts):
        sums[i] += values.sum(axis=(1, 2), dtype=np.float64)


def _deviation(total: NDArray[np.float64], squares: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    mean = total / count
    deviation: NDArray[np.float64] = np.sqrt(np.maximum(squares / count - mean * mean, 0.0))
    return deviation
