"""What a chunk of images leaves behind for the profile: sums and a few numbers an image; it merges and pickles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import LabelMismatch

LABEL_CODES = {"REAL": 0, "FAKE": 1, "": -1}
LABEL_NAMES = {code: name for name, code in LABEL_CODES.items()}

IMAGE_NUMBERS = np.dtype(
    [
        ("row", np.int64),
        ("label", np.int8),  # 1 FAKE, 0 REAL, -1 unknown
        ("width", np.int32),  # pixels
        ("height", np.int32),
        ("bytes", np.int64),  # of the file, 0 where unknown
        ("jpeg_quality", np.int16),  # 1..100, -1 for other formats
        ("brightness", np.float32),  # mean luma, 0..1
        ("contrast", np.float32),  # standard deviation of luma, 0..0.5
        ("saturation", np.float32),  # mean HSV saturation, 0..1
        ("sharpness", np.float32),  # variance of the Laplacian of luma on the scale 0..255
        ("colour_spread", np.float32),  # mean of largest minus smallest channel, 0..1
    ]
)
"""One record an image: 47 bytes, so 120,000 images take 6 MB."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class RowInfo:
    """What the data set knows of one image besides its pixels. Raises LabelMismatch on an unknown label."""

    row: int  # its number in the data set, from 0
    label: str = ""  # "REAL", "FAKE" or "" where unknown
    split: str = ""  # "train", "validation", "test" or "" where not given
    generator: str = ""
    bytes: int = 0  # size of the file, 0 where unknown
    path: str = ""  # only `profile_images` reads it; `finish` takes paths from the index

    def __post_init__(self) -> None:
        if self.label not in LABEL_CODES:
            raise LabelMismatch(f"Unknown label {self.label!r}.", 'Use "REAL", "FAKE" or "" where it is not known.')


@dataclass(frozen=True)
class Partial:
    """Accumulated statistics of some images. Empty by default; about 50 kB for a chunk of 512 images."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (split, label, generator) -> images
    formats: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (format, mode, label) -> images
    levels: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)
    # (split, label) -> (3, 256): how often each channel of the pixels takes each level
    spectra: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    # label -> (64, 33): sum over images of their log10 power spectra
    blocks: tuple[NDArray[Any], ...] = ()  # records of IMAGE_NUMBERS

    def images(self) -> NDArray[Any]:
        """All records (n,) of IMAGE_NUMBERS in the order of the data set's rows, however the chunks came in."""
        if not self.blocks:
            return np.empty(0, dtype=IMAGE_NUMBERS)
        together = np.concatenate(self.blocks)
        return together[np.argsort(together["row"], kind="stable")]


def merge(a: Partial, b: Partial) -> Partial:
    """The statistics of both; associative, and neither is changed."""
    return Partial(
        counts=a.counts + b.counts,
        formats=a.formats + b.formats,
        levels=_add(a.levels, b.levels),
        spectra=_add(a.spectra, b.spectra),
        blocks=a.blocks + b.blocks,
    )


def _add(a: dict[Key, NDArray[Any]], b: dict[Key, NDArray[Any]]) -> dict[Key, NDArray[Any]]:
    total = dict(a)
    for key, values in b.items():
        total[key] = total[key] + values if key in total else values
    return total
