"""What a mean power spectrum of residuals shows: its autocorrelation, its rings, its sectors (Corvi et al. 2023)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAGS = 32
"""Pixels: the autocorrelation is shown for moves of up to so many each way, or half a side where that is less."""

RINGS, SECTORS = 24, 16


def power(residuals: NDArray[np.float32]) -> Floats:
    """|FFT|² / pixels of each residual, mean of the colours: (n, height, width), frequency 0 at [0, 0]."""
    spectrum = np.fft.fft2(residuals, axes=(1, 2))
    squared = np.square(spectrum.real) + np.square(spectrum.imag)
    result: Floats = squared.mean(axis=-1, dtype=np.float64) / (residuals.shape[1] * residuals.shape[2])
    return result


def autocorrelation(mean_power: Floats) -> Floats:
    """Correlation of residuals with themselves moved, (2 m + 1, 2 k + 1), no move in the middle, where it is 1.

    By Wiener and Khinchin the inverse transform of the mean power spectrum (height, width): moves wrap around.
    """
    flat = mean_power.copy()
    flat[0, 0] = 0.0
    whole = np.fft.fftshift(np.fft.ifft2(flat).real)
    middle = tuple(side // 2 for side in whole.shape)
    reach = tuple(min(LAGS, (side - 1) // 2) for side in whole.shape)
    cut = whole[middle[0] - reach[0] : middle[0] + reach[0] + 1, middle[1] - reach[1] : middle[1] + reach[1] + 1]
    result: Floats = cut / max(float(whole[middle]), 1e-12)
    return result


def radial(mean_power: Floats) -> Floats:
    """log10 of the mean power in RINGS rings of frequency, from 0 to the corner, (RINGS,)."""
    radius, _ = _polar(mean_power.shape)
    return _by_bin(np.minimum((radius / np.hypot(0.5, 0.5) * RINGS).astype(int), RINGS - 1), mean_power, RINGS)


def angular(mean_power: Floats) -> Floats:
    """log10 of the mean power in sectors of direction, 0 to 180 degrees, without low frequencies, (SECTORS,)."""
    radius, angle = _polar(mean_power.shape)
    sector = np.minimum((angle / np.pi * SECTORS).astype(int), SECTORS - 1)
    return _by_bin(np.where(radius > 0.1, sector, -1), mean_power, SECTORS)


@lru_cache(maxsize=4)
def _polar(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Cycles a pixel and direction (0 to pi) of each coefficient."""
    y, x = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    return np.hypot(y, x), np.mod(np.arctan2(y, x), np.pi)


def _by_bin(bins: NDArray[np.int64], values: Floats, count: int) -> Floats:
    """log10 of the mean value in each bin; an empty one takes that of the bin before."""
    inside = bins >= 0
    numbers = np.bincount(bins[inside], minlength=count)
    sums = np.bincount(bins[inside], values[inside], minlength=count)
    filled = np.maximum.accumulate(np.where(numbers > 0, np.arange(count), 0))
    result: Floats = np.log10((sums / np.maximum(numbers, 1))[filled] + 1e-9)
    return result
