"""Peaks that up-samplers leave in the spectrum of cross differences (Bammey 2023, Synthbuster)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors.options import digest_of, fill
from backend.core.extractors.spectrum import SIDE, centre

VERSION = 1
PERIOD = 8
"""Up-samplers work by powers of two, JPEG in blocks of eight: harmonics lie at multiples of 1/8 of a cycle."""

COLOURS = ("red", "green", "blue")
_HALF = PERIOD // 2 + 1  # of a real image's spectrum the other columns are the same


class SynthbusterExtractor:
    """log10 of |FFT| of |a + d - b - c| over 2 x 2 pixels, at harmonics of period 8. Follows the protocol `Extractor`.

    Three colours, eight frequencies down and five across: 120 numbers; that at frequency 0 is the mean difference.
    """

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Raises ConfigError."""
        self.spec = fill(spec, {})
        self.reduce_above: int | None = None
        self.feature_names = [
            f"synthbuster.{colour}[{row},{column}]"
            for colour in COLOURS
            for row in range(PERIOD)
            for column in range(_HALF)
        ]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        return np.array([self._one(image) for image in images], dtype=np.float32).reshape(-1, self.dimensions)

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = centre(image, SIDE).astype(np.float32) / 255
        cross = np.abs(pixels[:-1, :-1] + pixels[1:, 1:] - pixels[:-1, 1:] - pixels[1:, :-1])
        height, width = cross.shape[:2]
        # the sums over pixels of one phase, by row and column modulo 8, hold all that these frequencies need
        tall, wide = -height % PERIOD, -width % PERIOD
        phases = np.pad(cross, ((0, tall), (0, wide), (0, 0))).reshape(
            (height + tall) // PERIOD, PERIOD, (width + wide) // PERIOD, PERIOD, 3
        )
        spectrum = np.abs(np.fft.rfft2(phases.sum(axis=(0, 2)), axes=(0, 1))) / (height * width)
        result: NDArray[np.float32] = np.log10(spectrum.transpose(2, 0, 1).ravel() + 1e-5).astype(np.float32)
        return result
