"""Radial and angular power spectrum: where up-samplers and decoders leave rings and peaks (Durall 2020, Corvi 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors.options import Option, digest_of, fill

VERSION = 1
OPTIONS = {
    "rings": Option("int", 24, "Rings of frequency from 0 to the corner.", minimum=4, maximum=64),
    "sectors": Option("int", 16, "Directions, 0 to 180 degrees.", minimum=4, maximum=36),
}
COLOURS = ("luma", "blue", "red")
"""Channels: luminance and the two colour differences of ITU-R BT.601."""

TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], dtype=np.float32)
SIDE = 1024
"""Larger images are measured on their central SIDE x SIDE pixels: a resize would wipe out what is measured."""


class SpectrumExtractor:
    """log10 of the mean power in rings (by colour) and sectors (luminance). Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Raises ConfigError."""
        self.spec = fill(spec, OPTIONS)
        self.reduce_above: int | None = None
        rings, sectors = self.spec["rings"], self.spec["sectors"]
        self.feature_names = [f"spectrum.{c}.ring[{i}]" for c in COLOURS for i in range(rings)]
        self.feature_names += [f"spectrum.luma.sector[{i}]" for i in range(sectors)]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        return np.array([self._one(image) for image in images], dtype=np.float32).reshape(-1, self.dimensions)

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        channels = (centre(image, SIDE).astype(np.float32) / 255) @ TO_YCC.T
        channels -= channels.mean(axis=(0, 1))
        height, width = channels.shape[:2]
        window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1]).astype(np.float32)
        power = np.abs(np.fft.rfft2(channels * window[..., None], axes=(0, 1))) ** 2 / float((window**2).sum())
        ring, sector = _bins(height, width, self.spec["rings"], self.spec["sectors"])
        means = [_mean_by(ring, power[..., c], self.spec["rings"]) for c in range(len(COLOURS))]
        means.append(_mean_by(sector, power[..., 0], self.spec["sectors"]))
        return np.log10(np.concatenate(means) + 1e-7).astype(np.float32)


def centre(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The central part of at most side x side pixels, cut at even coordinates."""
    top, left = (max(0, (length - side) // 2) // 2 * 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]


@lru_cache(maxsize=64)
def _bins(height: int, width: int, rings: int, sectors: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ring and sector of every coefficient of rfft2, flat; -1 outside of the upper half's own frequencies."""
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    radius = np.hypot(y, x) / np.hypot(0.5, 0.5)
    ring = np.minimum((radius * rings).astype(np.int64), rings - 1)
    angle = np.mod(np.arctan2(y, x), np.pi) / np.pi
    sector = np.minimum((angle * sectors).astype(np.int64), sectors - 1)
    sector = np.where(radius > 0.1, sector, -1)
    return ring.ravel(), sector.ravel()


def _mean_by(bins: NDArray[np.int64], values: NDArray[np.floating[Any]], count: int) -> NDArray[np.float64]:
    """Mean of the values in each bin; an empty bin takes its neighbour's mean before it, the first bin 0."""
    inside = bins >= 0
    numbers = np.bincount(bins[inside], minlength=count)
    sums = np.bincount(bins[inside], values.ravel()[inside], minlength=count)
    filled = np.maximum.accumulate(np.where(numbers > 0, np.arange(count), 0))
    return (sums / np.maximum(numbers, 1))[filled]
