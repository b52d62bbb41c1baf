"""The columns of a data set's index that a fit reads, and the splits that it makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.codec import LOSSLESS
from backend.core.config import FitConfig
from backend.core.extractors import finetuned_networks
from backend.core.splits import assign_splits
from backend.service.datasets import test_rows_also_in_train

FIT_COLUMNS = [
    "row",
    "path",
    "label",
    "split",
    "generator",
    "group_id",
    "pixel_sha256",
    "width",
    "height",
    "jpeg_quality",
]
"""What `read_columns` reads of an index."""

FEW_IMAGES, LEAST_SHARE = 2_000, 0.25
"""See `validation_share`."""


@dataclass(frozen=True)
class Columns:
    """The columns of a data set's index that a fit reads, one entry an image; no dropped ones."""

    row: NDArray[np.int64]  # place among the rows of the chunks
    y: NDArray[np.int8]
    split: NDArray[np.str_]
    group: NDArray[np.int64]
    generator: NDArray[np.str_]  # "" where it is not known
    path: list[str]
    twin_in_train: NDArray[np.bool_]
    shortest: NDArray[np.int64]  # pixels: the shorter side of each image
    longest: NDArray[np.int64]  # and the longer one
    quality: NDArray[np.int64]  # of JPEGs, LOSSLESS for others


def read_columns(index: pa.Table, config: FitConfig) -> Columns:
    """Labels, groups and the splits that a fit with `config` uses."""
    y = index["label"].to_numpy().astype(np.int8)
    group = index["group_id"].to_numpy().astype(np.int64)
    generator: NDArray[np.str_] = np.asarray(index["generator"].to_pylist(), dtype=np.str_)
    split: NDArray[np.str_] = assign_splits(
        np.asarray(index["split"].to_pylist(), dtype=np.str_),
        y,
        group,
        validation_fraction=validation_share(config, len(y)),
        test_fraction=config.test_fraction,
        seed=config.seed,
        generators=generator,
    )
    shortest, longest, quality = read_shapes(index)
    return Columns(
        row=index["row"].to_numpy().astype(np.int64),
        y=y,
        split=split,
        group=group,
        generator=generator,
        path=index["path"].to_pylist(),
        twin_in_train=test_rows_also_in_train(index, split),
        shortest=shortest,
        longest=longest,
        quality=quality,
    )


def read_shapes(index: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(shorter sides and longer sides in pixels, JPEG qualities) of images, (n,) each, as `Detector.unsure` takes them.

    index: the columns width, height and jpeg_quality. The quality of other formats than JPEG is LOSSLESS.
    """
    sides = np.stack([index[name].to_numpy().astype(np.int64) for name in ("width", "height")])
    quality = pc.fill_null(index["jpeg_quality"], LOSSLESS).to_numpy().astype(np.int64)
    return sides.min(axis=0), sides.max(axis=0), quality


def validation_share(config: FitConfig, images: int) -> float:
    """The share of the training images kept for validation, where the data set names none.

    A network that has seen its training images leaves only the validation images to calibrate on: below
    FEW_IMAGES images a quarter is kept at least.
    """
    least = LEAST_SHARE if sees_images(config) and images < FEW_IMAGES else 0.0
    return max(config.validation_fraction, least)


def sees_images(config: FitConfig) -> bool:
    """Whether the network is trained on training images, so that they cannot tell how good it is."""
    return config.finetune is not None or bool(finetuned_networks(config.extractor))
