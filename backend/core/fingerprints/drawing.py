"""Fingerprints as pictures: what they show is far too weak to be seen, so it is amplified."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.fingerprints.fingerprint import Fingerprint

SIDE = 256
"""Pixels that a smaller picture is enlarged to, each of its own a square."""

_PEAK = 99.5  # percentile of the strengths that is drawn at full strength


def draw_residual(fingerprint: Fingerprint) -> bytes:
    """A PNG of the mean residual, amplified, around middle grey; colours as in the images."""
    values = fingerprint.residual - fingerprint.residual.mean(axis=(0, 1))
    return _png(_around_grey(values))


def draw_spectrum(fingerprint: Fingerprint) -> bytes:
    """A PNG of the log of the mean power spectrum, frequency 0 in the middle: white is the most."""
    power = np.log10(np.fft.fftshift(fingerprint.power) + 1e-6)
    low, high = np.percentile(power, [100 - _PEAK, _PEAK])
    return _png(np.clip((power - low) / max(high - low, 1e-9), 0, 1))


def draw_autocorrelation(fingerprint: Fingerprint) -> bytes:
    """A PNG of the autocorrelation around middle grey, no move in the middle; its other peaks are an up-sampler's."""
    values = fingerprint.autocorrelation
    values[values.shape[0] // 2, values.shape[1] // 2] = 0.0  # always 1: it would hide all others
    return _png(_around_grey(values))


PICTURES: dict[str, Callable[[Fingerprint], bytes]] = {
    "residual": draw_residual,
    "spectrum": draw_spectrum,
    "autocorrelation": draw_autocorrelation,
}


def _around_grey(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values as brightness 0..1, 0 in the middle."""
    peak = float(np.percentile(np.abs(values), _PEAK)) or 1.0
    brightness: NDArray[np.float64] = np.clip(0.5 + values.astype(np.float64) / (2 * peak), 0, 1)
    return brightness


def _png(brightness: NDArray[np.float64]) -> bytes:
    image = Image.fromarray(np.rint(255 * brightness).astype(np.uint8))
    times = max(1, SIDE // max(image.size))
    buffer = io.BytesIO()
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()
