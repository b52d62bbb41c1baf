"""What happens to images on their way: compression, scaling, cropping, blur, noise, exposure, mirroring."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from backend.core.errors import ConfigError
from backend.core.extractors.spectrum import centre
from backend.core.images import MIN_SIDE

Pixels = NDArray[np.uint8]

MOST_PIXELS = 2048 * 2048
"""Of an image that is changed, see `bound`."""


@dataclass(frozen=True)
class Corruption:
    """One change of an image: a row of CORRUPTIONS and its strength, in that row's unit."""

    name: str
    strength: float

    @property
    def label(self) -> str:
        """Such as "jpeg 75"."""
        return f"{self.name} {self.strength:g}"


@dataclass(frozen=True)
class CorruptionRow:
    """One kind of change. `strengths` are those of the robustness battery, mild ones first."""

    name: str
    unit: str  # what the strength is
    apply: Callable[[Image.Image, float, np.random.Generator], Image.Image]
    strengths: tuple[float, ...]
    lowest: float
    highest: float


def bound(pixels: Pixels, *, average: bool) -> Pixels:
    """The image, of at most MOST_PIXELS: a larger one averaged over blocks with `average`, else its central part.

    Copies of an image, one of them of twice its sides, must not need gigabytes. A network resizes what it is given, so
    an average serves it; extractors that measure pixels look at the centre of large images anyway.
    """
    height, width = pixels.shape[:2]
    if height * width <= MOST_PIXELS:
        return pixels
    if average:
        return np.asarray(Image.fromarray(pixels).reduce(math.ceil(math.sqrt(height * width / MOST_PIXELS))))
    return centre(pixels, math.isqrt(MOST_PIXELS))


def corrupt(pixels: Pixels, corruption: Corruption, seed: int = 0) -> Pixels:
    """The changed image, uint8 [height, width, 3], of [height, width, 3]; the same for the same seed.

    No side gets shorter than `images.MIN_SIDE`. Raises ConfigError for an unknown name or a strength out of range.
    """
    row = CORRUPTIONS.get(corruption.name)
    if row is None:
        raise ConfigError(f"There is no corruption {corruption.name!r}.", f"Known: {', '.join(CORRUPTIONS)}.")
    if not row.lowest <= corruption.strength <= row.highest:
        raise ConfigError(
            f"{corruption.name} has no strength {corruption.strength:g}.",
            f"Its {row.unit} lies between {row.lowest:g} and {row.highest:g}.",
        )
    changed = row.apply(Image.fromarray(pixels), corruption.strength, np.random.default_rng(seed))
    return np.asarray(changed)


def _jpeg(image: Image.Image, quality: float, _random: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=round(quality))
    with Image.open(buffer, formats=("JPEG",)) as compressed:
        return compressed.convert("RGB")


def _resize(image: Image.Image, factor: float, _random: np.random.Generator) -> Image.Image:
    width, height = (max(MIN_SIDE, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _crop(image: Image.Image, share: float, _random: np.random.Generator) -> Image.Image:
    width, height = (min(side, max(MIN_SIDE, round(side * share))) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _blur(image: Image.Image, sigma: float, _random: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma))


def _noise(image: Image.Image, deviation: float, random: np.random.Generator) -> Image.Image:
    values = np.asarray(image) + random.normal(0.0, deviation, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _brightness(image: Image.Image, factor: float, _random: np.random.Generator) -> Image.Image:
    return image.point(lambda value: min(255, round(value * factor)))


def _flip(image: Image.Image, _strength: float, _random: np.random.Generator) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


CORRUPTIONS: dict[str, CorruptionRow] = {
    row.name: row
    for row in (
        CorruptionRow("jpeg", "quality", _jpeg, (90, 75, 60, 50, 40, 30), 1, 100),
        CorruptionRow("resize", "factor", _resize, (2, 0.75, 0.5), 0.1, 4),
        CorruptionRow("crop", "share of each side that stays", _crop, (0.95, 0.9, 0.75), 0.1, 1),
        CorruptionRow("blur", "standard deviation in pixels", _blur, (0.5, 1, 2), 0, 20),
        CorruptionRow("noise", "standard deviation in grey levels", _noise, (2, 5, 10), 0, 128),
        CorruptionRow("brightness", "factor", _brightness, (1.25, 0.75, 0.5), 0, 4),
        CorruptionRow("flip", "left and right changed", _flip, (1,), 1, 1),
    )
}
