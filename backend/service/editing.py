"""Edited copies of held-out photographs: what a fit measures at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.corruptions import MOST_PIXELS as MOST_OF_ONE
from backend.core.detector import Detector, Progress
from backend.core.edited import FEWEST_IMAGES, bound_for, measure_edited, not_measured
from backend.core.edits import EDITS
from backend.core.images import MOST_PIXELS, decode
from backend.service.datasets import FeatureChunk, read_chunk
from backend.service.fit_columns import Columns
from backend.settings import count_cores

MOST_IMAGES, MOST_FAKES, MOST_CHUNKS = 200, 50, 8
"""Most photographs that are edited, fakes whose parts are pasted, and chunks that either are read from."""

SHARE_OF_COPIES = 0.1
"""There are at most so many edited copies for each image of the data set, so that they take a small part of a fit."""

PIXELS_IN_ALL = 40_000_000
"""So many pixels are edited at most, unless FEWEST_IMAGES have more: photographs of several million take a second."""


def measure_held_out_edits(
    detector: Detector, columns: Columns, chunks: Sequence[FeatureChunk], config: FitConfig, progress: Progress
) -> dict[str, Any]:
    """What `measure_edited` says of REAL test images (validation images where those stay unread), for the card."""
    if not config.measure_limits:
        return not_measured("The fit was told not to measure it.")
    split = "test" if config.evaluate_test else "validation"
    random = np.random.default_rng(config.seed)
    wanted = np.clip(int(SHARE_OF_COPIES * len(columns.y) / len(EDITS)), FEWEST_IMAGES, MOST_IMAGES)
    held_out = columns.split == split
    files = _draw(columns, chunks, held_out & (columns.y == 0), int(wanted), random)
    photographs = [_read(detector, data) for data in files]
    donors = _draw(columns, chunks, held_out & (columns.y == 1), min(MOST_FAKES, int(wanted)), random)
    return measure_edited(
        detector,
        [pixels for pixels, _ in photographs],
        qualities=[quality for _, quality in photographs],
        fakes=[_read(detector, data)[0] for data in donors],
        source=split,
        seed=config.seed,
        threads=count_cores(),
        progress=progress,
    )


def _read(detector: Detector, data: bytes) -> tuple[NDArray[np.uint8], int | None]:
    """(pixels [height, width, 3], JPEG quality) of an image file; only one is in memory at its full size."""
    image = decode(data, max_pixels=MOST_PIXELS)
    return bound_for(detector, image.pixels), image.jpeg_quality


def _draw(
    columns: Columns,
    chunks: Sequence[FeatureChunk],
    mask: NDArray[np.bool_],
    count: int,
    random: np.random.Generator,
) -> list[bytes]:
    """The files of at most `count` of the masked images, drawn from MOST_CHUNKS chunks, within PIXELS_IN_ALL."""
    starts = np.cumsum([0, *(chunk.rows for chunk in chunks)])
    owner = np.searchsorted(starts, columns.row, side="right") - 1
    read = random.permutation(np.unique(owner[mask]))[:MOST_CHUNKS]
    drawn = random.permutation(np.flatnonzero(mask & np.isin(owner, read)))[:count]
    sizes = np.minimum(columns.shortest[drawn] * columns.longest[drawn], MOST_OF_ONE)
    drawn = np.sort(drawn[: max(FEWEST_IMAGES, int((np.cumsum(sizes) <= PIXELS_IN_ALL).sum()))])
    found: list[bytes] = []
    for number in np.unique(owner[drawn]):
        files = read_chunk(chunks[number])
        found += [files[row] for row in columns.row[drawn[owner[drawn] == number]] - starts[number]]
    return found
