"""Images of mixed sizes as arrays of one size, so that a batch runs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 8_000_000
"""Most pixels in one batch (about 100 MB as float32), unless a single image has more."""


def by_shape(
    images: Sequence[NDArray[np.uint8]], size: int, most_pixels: int = MAX_PIXELS
) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """(rows, pixels): the places of at most `size` images of one shape in `images`, and their stack [N, H, W, 3].

    A stack of several images has at most `most_pixels` pixels.
    """
    rows_of: dict[tuple[int, ...], list[int]] = {}
    for row, image in enumerate(images):
        rows_of.setdefault(image.shape, []).append(row)
    for shape, rows in rows_of.items():
        step = max(1, min(size, most_pixels // (shape[0] * shape[1])))
        for start in range(0, len(rows), step):
            chunk = rows[start : start + step]
            yield chunk, np.stack([images[row] for row in chunk])
