"""Whether an image was compressed far harder than those that a detector was trained on.

Compression removes the fine traces that a detector lives on. How far the quality may fall was measured
(`benchmarks/codec.py`, docs/domain.md); that an image is of a higher quality, or of another format, was not found to
matter as much, and is no reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOSSLESS = 100
"""The quality that images of other formats than JPEG count as."""

BELOW = 30
"""An image whose quality is lower than that of all training images by more than this is outside."""


@dataclass(frozen=True)
class CodecCheck:
    """How hard the training images were compressed."""

    lowest: int  # 1..100, as libjpeg would name it; LOSSLESS where no training image is a JPEG
    highest: int

    def outside(self, qualities: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether images of these qualities (n,) are outside (n,); LOSSLESS for those that are no JPEGs."""
        return np.asarray(qualities < self.lowest - BELOW)

    def reason(self, quality: int | None) -> str | None:
        """Why an image of this JPEG quality is outside; None where it is not, or is no JPEG."""
        if quality is None or quality >= self.lowest - BELOW:
            return None
        seen = f"{self.lowest}" if self.lowest == self.highest else f"{self.lowest} to {self.highest}"
        return f"The image is a JPEG of quality {quality}; the model was trained on images of quality {seen}."

    def describe(self) -> dict[str, Any]:
        """What a model card tells of the check, and makes it of."""
        return {"jpeg_quality": [self.lowest, self.highest], "outside_below": self.lowest - BELOW}

    @classmethod
    def from_card(cls, about: Mapping[str, Any] | None) -> CodecCheck | None:
        """The check of a card's entry; None for models of earlier versions. Raises KeyError, ValueError, TypeError."""
        if about is None:
            return None
        lowest, highest = about["jpeg_quality"]
        return cls(int(lowest), int(highest))


def codec_of(qualities: NDArray[np.int64]) -> CodecCheck:
    """The check for training images of these qualities (n,), LOSSLESS for those that are no JPEGs."""
    return CodecCheck(int(qualities.min()), int(qualities.max()))
