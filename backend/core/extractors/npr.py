"""Neighbouring-pixel relationships: what an up-sampler leaves inside 2 x 2 blocks (Tan et al. 2024, NPR)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors.options import digest_of, fill
from backend.core.extractors.spectrum import SIDE, centre

VERSION = 1
STATISTICS = ("mean", "absolute", "std", "zeros")
COLOURS = ("red", "green", "blue")
PLACES = ("01", "10", "11")  # row and column in the 2 x 2 block; 00 is the block's own reference and always 0


class NprExtractor:
    """Statistics of each pixel minus its 2 x 2 block's first, by place and colour. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Raises ConfigError."""
        self.spec = fill(spec, {})
        self.reduce_above: int | None = None
        pairs = [f"{p}.{c}" for p in PLACES for c in COLOURS]
        self.feature_names = [f"npr.{pair}.{s}" for s in STATISTICS for pair in pairs]
        self.feature_names += [f"npr.cross.{c}.{s}" for s in ("absolute", "std") for c in COLOURS]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        return np.array([self._one(image) for image in images], dtype=np.float32).reshape(-1, self.dimensions)

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = centre(image, SIDE)
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        blocks = pixels[:height, :width].astype(np.float32).reshape(height // 2, 2, width // 2, 2, 3)
        a, b, c, d = (blocks[:, y, :, x].reshape(-1, 3) for y in (0, 1) for x in (0, 1))
        steps = np.concatenate([b - a, c - a, d - a], axis=1) / 255  # pixel minus nearest-neighbour up-sampled half
        cross = (a + d - b - c) / 255  # cross difference (Bammey 2023, Synthbuster)
        return np.concatenate(
            [
                steps.mean(axis=0),
                np.abs(steps).mean(axis=0),
                steps.std(axis=0),
                (np.abs(steps) < 1 / 510).mean(axis=0),
                np.abs(cross).mean(axis=0),
                cross.std(axis=0),
            ]
        )
