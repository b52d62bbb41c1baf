"""Noise residuals: what is left of an image when a denoiser's estimate of its content is taken away.

`DENOISERS` is the table of them. A fingerprint and whatever is compared with it need the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError, TooSmall

Pixels = NDArray[np.uint8]
Residuals = NDArray[np.float32]

_SPLINE = np.array([1, 4, 6, 4, 1], np.float32) / 16  # the B3 spline of the à trous wavelet
_LEVELS = 3
_WINDOW = 5  # pixels a side over which a wavelet plane's variance is measured


@dataclass(frozen=True)
class Denoiser:
    """One kind of residual."""

    name: str
    summary: str  # one sentence for users
    smallest_side: int  # pixels: below this its window does not fit
    residual: Callable[[Residuals], Residuals]  # (n, height, width, 3) -> the same, both in grey levels


def gaussian(x: Residuals) -> Residuals:
    """x minus its mean under a Gaussian of 1 pixel: a plain high-pass filter."""
    from scipy.ndimage import gaussian_filter  # here, for serving processes and workers import this module

    result: Residuals = x - gaussian_filter(x, (0, 1.0, 1.0, 0), mode="mirror", truncate=3.0)
    return result


def median(x: Residuals) -> Residuals:
    """x minus the median of each pixel's 3 x 3 neighbourhood. The network of exchanges is Paeth's (1990)."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    height, width = x.shape[1:3]
    p = [wide[:, a : a + height, b : b + width] for a in range(3) for b in range(3)]
    for a, b in _EXCHANGES:
        p[a], p[b] = np.minimum(p[a], p[b]), np.maximum(p[a], p[b])
    return x - p[4]


_EXCHANGES = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3)),
    *((5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)
"""After them the middle one of nine values is the fifth."""


def wavelet(x: Residuals) -> Residuals:
    """What a locally adaptive Wiener filter takes from three planes of the à trous wavelet (Mihçak 1999, Starck 1994).

    The residual is the sum over planes w of w · s² / max(s², v): s² the noise, by the median of the finest plane's
    absolute values (Donoho and Johnstone 1994), and v the mean of w² over 5 x 5 pixels. Where a plane holds content its
    variance is large, and it stays in the image.
    """
    from scipy.ndimage import correlate1d, uniform_filter  # here, for serving processes and workers import this module

    smooth, residual, noise = x, np.zeros_like(x), np.zeros(1, np.float32)
    for level in range(_LEVELS):
        step = 2**level
        taps = np.zeros(4 * step + 1, np.float32)
        taps[::step] = _SPLINE
        coarse = correlate1d(correlate1d(smooth, taps, axis=1, mode="reflect"), taps, axis=2, mode="reflect")
        plane = smooth - coarse
        if level == 0:
            noise = _noise(plane)
        variance = uniform_filter(plane**2, (1, _WINDOW, _WINDOW, 1), mode="mirror")
        residual += plane * (noise / np.maximum(np.maximum(variance, noise), 1e-6))
        smooth = coarse
    return residual


def nlm(x: Residuals) -> Residuals:
    """x minus its non-local means (Buades 2005) by scikit-image: patches of 3 pixels within 4, bandwidth the noise."""
    from scipy.ndimage import gaussian_filter  # here, for serving processes and workers import this module
    from skimage.restoration import denoise_nl_means

    plane = x - gaussian_filter(x, (0, 1.0, 1.0, 0), mode="mirror", truncate=3.0)
    sigmas = np.maximum(np.sqrt(_noise(plane)).mean(axis=(1, 2, 3)), 1.0)
    smooth = [
        denoise_nl_means(
            image, patch_size=3, patch_distance=4, h=float(sigma), channel_axis=-1, fast_mode=True, preserve_range=True
        )
        for image, sigma in zip(x, sigmas, strict=True)
    ]
    return x - np.stack(smooth).astype(np.float32)


def npr(x: Residuals) -> Residuals:
    """x minus its nearest-neighbour up-sampled half (Tan et al. 2024, NPR); an odd last row or column keeps 0."""
    residual = np.zeros_like(x)
    height, width = (side // 2 * 2 for side in x.shape[1:3])
    for row in range(2):
        for column in range(2):
            part = x[:, row:height:2, column:width:2] - x[:, 0:height:2, 0:width:2]
            residual[:, row:height:2, column:width:2] = part
    return residual


DENOISERS: dict[str, Denoiser] = {
    row.name: row
    for row in (
        Denoiser("gaussian", "Minus a Gaussian blur of 1 pixel: the plainest high-pass, and the fastest.", 8, gaussian),
        Denoiser("median", "Minus the median of 3 x 3 pixels: edges leave less than with a blur.", 8, median),
        Denoiser("wavelet", "Three wavelet planes, with less weight where the image has content.", 16, wavelet),
        Denoiser("nlm", "Minus non-local means: content that repeats is taken away best, slowly.", 16, nlm),
        Denoiser("npr", "Minus the nearest-neighbour up-sampled half: what up-samplers leave in 2 x 2 blocks.", 8, npr),
    )
}

DEFAULT_DENOISER = "gaussian"


def check_denoiser(name: str, height: int, width: int) -> Denoiser:
    """The row of that name. Raises ConfigError for an unknown one, TooSmall where its window does not fit the image."""
    if name not in DENOISERS:
        raise ConfigError(f"There is no denoiser {name!r}.", f"Known: {', '.join(DENOISERS)}.")
    row = DENOISERS[name]
    if min(height, width) < row.smallest_side:
        raise TooSmall(
            f"The image is {width} x {height} pixels; the denoiser {name} needs {row.smallest_side} a side.",
            "Send a larger image, or choose another denoiser.",
        )
    return row


def residuals(pixels: Pixels, denoiser: str) -> Residuals:
    """(n, height, width, 3) in grey levels, for n RGB images of one size. Raises ConfigError, TooSmall."""
    row = check_denoiser(denoiser, pixels.shape[1], pixels.shape[2])
    return row.residual(pixels.astype(np.float32))


def _noise(plane: Residuals) -> Residuals:
    """Variance of the noise in a plane of details, (n, 1, 1, 3): by the median of absolute values (Donoho 1994)."""
    deviation = np.median(np.abs(plane), axis=(1, 2), keepdims=True) / 0.6745
    return np.square(deviation).astype(np.float32)
