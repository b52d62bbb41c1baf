"""Mean log power spectra on one grid of frequencies, so that images of any size compare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.eda_measure import luma_of

GRID = 64
"""Frequencies a side: k / 64 cycles per pixel, k = -32 .. 31."""

MAX_TILES = 8
"""Most tiles a side: of a larger image only the central 512 x 512 pixels are used."""

FLOOR = 1e-7
"""Added to every power, on the scale where luma is 0..1: a tenth of what rounding to 8 bits leaves, 1.3e-6."""


def log_power(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """log10 of the power spectra of n images of one size, (n, height, width, 3) -> (n, 64, 33).

    Welch 1967: the centre is cut into tiles of 64 x 64 (smaller where the image is, then padded with zeros), each
    less its mean and under a Hann window of unit energy; powers are averaged over tiles. White noise of variance v
    has power v at every frequency; luma counts 0..1. Rows are vertical frequencies 0 .. 31, -32 .. -1 over 64,
    columns horizontal ones 0 .. 32 over 64 (the other half is its mirror image).
    """
    from scipy.fft import rfft2  # here, for serving processes and workers import this module

    tiles = _cut_tiles(pixels)
    window = np.outer(_hann(tiles.shape[-2]), _hann(tiles.shape[-1])).astype(np.float32)
    mean = (tiles * window).sum(axis=(-2, -1), keepdims=True) / window.sum()
    window /= np.sqrt((window**2).sum()) * 255.0
    tiles -= mean
    tiles *= window
    waves = rfft2(tiles, s=(GRID, GRID))
    power = (waves.real**2 + waves.imag**2).mean(axis=1)
    result: NDArray[np.float32] = np.log10(power + np.float32(FLOOR))
    return result


def describe_spectrum(total: NDArray[np.float64], images: int) -> dict[str, Any]:
    """`images`, `radial` (32 numbers) and `picture` (64 rows of 64, frequency 0 at [32][32]) of a sum of spectra.

    radial[k] is the mean over the ring of 1/64 cycles per pixel around (k + 1) / 64. In the picture the power at
    frequency 0, which is each image's removed mean, is replaced by the mean of its neighbours.
    """
    full = _mirror(total / images)
    full[0, 0] = np.mean([full[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)])
    frequency = np.fft.fftfreq(GRID) * GRID
    ring = np.rint(np.hypot(frequency[:, None], frequency[None, :])).astype(np.int64)
    radial = np.bincount(ring.ravel(), weights=full.ravel()) / np.bincount(ring.ravel())
    return {
        "images": images,
        "radial": np.round(radial[1 : GRID // 2 + 1], 4).tolist(),
        "picture": np.round(np.fft.fftshift(full), 4).tolist(),
    }


def radial_frequencies() -> list[float]:
    """The frequencies of `radial` in cycles per pixel: 1/64 .. 1/2."""
    return [k / GRID for k in range(1, GRID // 2 + 1)]


def _cut_tiles(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    n, height, width, _ = pixels.shape
    th, tw = min(height, GRID), min(width, GRID)
    ny, nx = min(height // th, MAX_TILES), min(width // tw, MAX_TILES)
    top, left = (height - ny * th) // 2, (width - nx * tw) // 2
    luma = luma_of(pixels[:, top : top + ny * th, left : left + nx * tw])
    return luma.reshape(n, ny, th, nx, tw).swapaxes(2, 3).reshape(n, ny * nx, th, tw)


def _hann(length: int) -> NDArray[np.float64]:
    """Hann window without its zero ends."""
    return np.hanning(length + 2)[1:-1]


def _mirror(half: NDArray[np.float64]) -> NDArray[np.float64]:
    """(64, 33) -> (64, 64): the power of a real image at -f equals that at f."""
    full = np.empty((GRID, GRID))
    full[:, : GRID // 2 + 1] = half
    rows = -np.arange(GRID) % GRID
    columns = np.arange(GRID // 2 + 1, GRID)
    full[:, columns] = half[rows[:, None], GRID - columns[None, :]]
    return full
