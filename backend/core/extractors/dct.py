"""Statistics of 8 x 8 cosine transforms: how fast each frequency's coefficients fall off (Giudice et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors.options import digest_of, fill
from backend.core.extractors.spectrum import COLOURS, SIDE, TO_YCC, centre

VERSION = 1
BLOCK = 8


class DctExtractor:
    """log10 of the Laplacian scale of the 63 AC coefficients, by colour. Follows the protocol `Extractor`.

    The coefficients of one frequency over an image's blocks follow a Laplacian; its scale is the mean absolute
    deviation from their median. With a single block the coefficient's own absolute value takes its place.
    """

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Raises ConfigError."""
        self.spec = fill(spec, {})
        self.reduce_above: int | None = None
        self.feature_names = [
            f"dct.{colour}[{place // BLOCK},{place % BLOCK}]" for colour in COLOURS for place in range(1, BLOCK**2)
        ]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes; what is beyond whole blocks is left out."""
        return np.array([self._one(image) for image in images], dtype=np.float32).reshape(-1, self.dimensions)

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        from scipy.fft import dctn  # here, for serving processes and workers import this module

        channels = (centre(image, SIDE).astype(np.float32) / 255) @ TO_YCC.T
        rows, columns = (side // BLOCK for side in channels.shape[:2])
        whole = channels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 3)
        blocks = dctn(whole, axes=(1, 3), norm="ortho").transpose(4, 0, 2, 1, 3).reshape(3, rows * columns, BLOCK**2)
        middle = np.median(blocks, axis=1, keepdims=True) if rows * columns > 1 else 0.0
        scale = np.abs(blocks - middle).mean(axis=1)
        result: NDArray[np.float32] = np.log10(scale[:, 1:].ravel() + 1e-4).astype(np.float32)
        return result
