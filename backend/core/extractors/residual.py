"""Statistics of noise residuals: what is left of an image after the part that its neighbours predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors.options import digest_of, fill
from backend.core.extractors.spectrum import COLOURS, SIDE, TO_YCC, centre

VERSION = 1
FILTERS: dict[str, NDArray[np.floating[Any]]] = {
    "first_x": np.array([[-1, 1]], np.float32),
    "first_y": np.array([[-1], [1]], np.float32),
    "second_x": np.array([[1, -2, 1]], np.float32) / 2,
    "second_y": np.array([[1], [-2], [1]], np.float32) / 2,
    "square3": np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4,
    "square5": np.array(
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]], np.float32
    )
    / 12,
}
"""High-pass filters of the Spatial Rich Model (Fridrich and Kodovský 2012, table 1)."""

STATISTICS = ("std", "absolute", "kurtosis", "zeros", "lag_x", "lag_y", "lag_xy")
"""Standard deviation, mean absolute value, log of kurtosis, share below half a grey level, and correlation with itself
moved by one pixel across, down and diagonally."""


class ResidualExtractor:
    """Moments and neighbour correlations of high-pass residuals, by colour. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Raises ConfigError."""
        self.spec = fill(spec, {})
        self.reduce_above: int | None = None
        self.feature_names = [f"residual.{f}.{c}.{s}" for f in FILTERS for c in COLOURS for s in STATISTICS]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        return np.array([self._one(image) for image in images], dtype=np.float32).reshape(-1, self.dimensions)

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        from scipy.ndimage import convolve  # here, for serving processes and workers import this module

        channels = (centre(image, SIDE).astype(np.float32) / 255) @ TO_YCC.T
        rows = [
            _statistics(convolve(channels, kernel[..., None].astype(np.float32), mode="mirror"))
            for kernel in FILTERS.values()
        ]
        return np.concatenate(rows)


def _statistics(residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """STATISTICS of each channel, channel by channel, (21,), of a residual [height, width, 3]."""
    variance = np.square(residual).mean(axis=(0, 1)) + 1e-8
    fourth = np.square(np.square(residual)).mean(axis=(0, 1)) + 1e-14
    table = [
        np.sqrt(variance),
        np.abs(residual).mean(axis=(0, 1)),
        np.log(fourth / variance**2),
        (np.abs(residual) < 0.5 / 255).mean(axis=(0, 1)),
        (residual[:, 1:] * residual[:, :-1]).mean(axis=(0, 1)) / variance,
        (residual[1:] * residual[:-1]).mean(axis=(0, 1)) / variance,
        (residual[1:, 1:] * residual[:-1, :-1]).mean(axis=(0, 1)) / variance,
    ]
    return np.stack(table, axis=1).ravel().astype(np.float32)
