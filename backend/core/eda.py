"""Images -> the profile of a data set. Chunks are measured anywhere and merged: `stats_of`, `merge`, `finish`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.core.eda_distributions import (
    describe_distributions,
    describe_formats,
    describe_jpeg_quality,
    describe_near_grey,
    describe_sizes,
    present_labels,
)
from backend.core.eda_duplicates import find_duplicates
from backend.core.eda_measure import count_levels, measure
from backend.core.eda_outliers import find_outliers
from backend.core.eda_partial import IMAGE_NUMBERS, LABEL_CODES, LABEL_NAMES, Partial, RowInfo, merge
from backend.core.eda_spectrum import describe_spectrum, log_power, radial_frequencies
from backend.core.errors import LabelMismatch, NoImages
from backend.core.images import DecodedImage, pixel_digest

__all__ = ["Partial", "RowInfo", "finish", "merge", "profile_images", "stats_of"]

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""Constants that networks trained on ImageNet normalise with, for comparison."""

BATCH_PIXELS = 1 << 18
"""Pixels of neighbours that are measured together."""

_SHOWN_LEVELS = 32

See = Callable[[list[DecodedImage], list[RowInfo], NDArray[np.float32]], None]
"""What else is done with neighbours of one size: images, their rows, and their spectra as `log_power` gives them."""


def stats_of(images: Iterable[DecodedImage], rows: Iterable[RowInfo], see: See = lambda *_: None) -> Partial:
    """The statistics of some images, one row of information each.

    `images` may be a generator: neighbours of one size are measured together, up to a quarter of a million pixels,
    shown to `see`, and then let go. Raises LabelMismatch where there are more images than rows or the reverse.
    """
    partial = Partial()
    for batch in _batches(images, rows):
        partial = merge(partial, _stats_of_batch([image for image, _ in batch], [row for _, row in batch], see))
    return replace(partial, blocks=(partial.images(),))


def finish(partial: Partial, index: pa.Table) -> dict[str, Any]:
    """The profile as JSON of plain numbers. Labels are "REAL", "FAKE" and "" (unknown); only those present appear.

    index: one row an image, columns row, path, label, split, pixel_sha256 (others are ignored).

    - images: how many
    - counts: `{by_class: {label: n}, by_split: {split: {label: n}}, by_generator: {generator: {label: n}}}`
    - channels: `{names, imagenet: {mean, std}, all, by_class: {label: …}, by_split: {split: …},
      by_split_and_class: {split: {label: …}}}`, each … `{images, mean[3], std[3], histogram[3][32]}`; mean and
      standard deviation on the scale 0..1 over all pixels of all images (not averaged per image), so a large image
      weighs more; histogram is the share of pixels in 32 equal ranges of 8 levels
    - sizes, formats `{format: {label: n}}`, modes, jpeg_quality: see eda_distributions
    - distributions: brightness, contrast, saturation, sharpness, width, height, aspect, bytes
    - near_grey: share of images that are almost without colour
    - spectrum: `{unit, frequencies[32], by_class: {label: {images, radial[32], picture[64][64]}}}`, log10 of power
    - outliers, duplicates: see eda_outliers, eda_duplicates

    Raises NoImages where nothing was measured.
    """
    images = partial.images()
    if len(images) == 0:
        raise NoImages("There are no images to profile.", "Send at least one image.")
    outliers = find_outliers(images)
    paths = _paths(index, [found["row"] for found in outliers["images"]])
    for found in outliers["images"]:
        found["path"] = paths.get(found["row"], "")
    per_label = {name: int((images["label"] == code).sum()) for code, name in present_labels(images)}
    return {
        "images": len(images),
        "counts": {
            "by_class": per_label,
            "by_split": _count(partial.counts, 0),
            "by_generator": _count(partial.counts, 2),
        },
        "channels": _describe_channels(partial),
        "sizes": describe_sizes(images),
        "formats": describe_formats(partial.formats, 0),
        "modes": describe_formats(partial.formats, 1),
        "jpeg_quality": describe_jpeg_quality(images),
        "distributions": describe_distributions(images),
        "near_grey": describe_near_grey(images),
        "spectrum": {
            "unit": "cycles per pixel; log10 of power",
            "frequencies": radial_frequencies(),
            "by_class": {name: describe_spectrum(partial.spectra[name], n) for name, n in per_label.items()},
        },
        "outliers": outliers,
        "duplicates": find_duplicates(index),
    }


def profile_images(images: Sequence[DecodedImage], rows: Sequence[RowInfo] | None = None) -> dict[str, Any]:
    """The profile of a handful of images that belong to no data set, labelled or not; same keys as `finish`.

    Raises NoImages without any, LabelMismatch where `rows` do not fit.
    """
    if rows is None:
        rows = [RowInfo(row=i) for i in range(len(images))]
    partial = stats_of(images, rows)
    index = pa.table(
        {
            "row": pa.array([row.row for row in rows], pa.int64()),
            "path": pa.array([row.path for row in rows], pa.string()),
            "label": pa.array([row.label for row in rows], pa.string()),
            "split": pa.array([row.split for row in rows], pa.string()),
            "pixel_sha256": pa.array([pixel_digest(image.pixels) for image in images], pa.string()),
        }
    )
    return finish(partial, index)


def _batches(images: Iterable[DecodedImage], rows: Iterable[RowInfo]) -> Iterator[list[tuple[DecodedImage, RowInfo]]]:
    """Runs of images of one size with at most BATCH_PIXELS pixels, or one larger image."""
    batch: list[tuple[DecodedImage, RowInfo]] = []
    for image, row in zip_longest(images, rows):
        if image is None or row is None:
            raise LabelMismatch("There are not as many rows as images.", "Give one row of information an image.")
        first = batch[0][0].pixels.shape if batch else image.pixels.shape
        area = image.width * image.height
        if batch and (image.pixels.shape != first or area * (len(batch) + 1) > BATCH_PIXELS):
            yield batch
            batch = []
        batch.append((image, row))
    if batch:
        yield batch


def _stats_of_batch(images: list[DecodedImage], rows: list[RowInfo], see: See) -> Partial:
    pixels = np.stack([image.pixels for image in images]) if len(images) > 1 else images[0].pixels[np.newaxis]
    measures = measure(pixels)
    spectra = log_power(pixels)
    see(images, rows, spectra)
    records = np.empty(len(rows), dtype=IMAGE_NUMBERS)
    records["row"] = [row.row for row in rows]
    records["label"] = [LABEL_CODES[row.label] for row in rows]
    records["bytes"] = [row.bytes for row in rows]
    records["width"] = [image.width for image in images]
    records["height"] = [image.height for image in images]
    records["jpeg_quality"] = [image.jpeg_quality or -1 for image in images]
    for name in ("brightness", "contrast", "saturation", "sharpness", "colour_spread"):
        records[name] = getattr(measures, name)
    places: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault((row.split, row.label), []).append(i)
    return Partial(
        counts=Counter((row.split, row.label, row.generator) for row in rows),
        formats=Counter((image.format, image.mode, row.label) for image, row in zip(images, rows, strict=True)),
        levels={key: count_levels(pixels[mine] if len(mine) < len(rows) else pixels) for key, mine in places.items()},
        spectra={
            name: spectra[records["label"] == code].sum(axis=0, dtype=np.float64)
            for code, name in present_labels(records)
        },
        blocks=(records,),
    )


def _count(counts: Counter[tuple[str, str, str]], position: int) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for key, count in sorted(counts.items()):
        row = table.setdefault(key[position], {})
        row[key[1]] = row.get(key[1], 0) + count
    return table


def _describe_channels(partial: Partial) -> dict[str, Any]:
    splits = sorted({split for split, _ in partial.levels})
    labels = [name for name in LABEL_NAMES.values() if any(name == label for _, label in partial.levels)]

    def describe(keys: Iterable[tuple[str, str]]) -> dict[str, Any]:
        chosen = set(keys)
        images = sum(n for (split, label, _), n in partial.counts.items() if (split, label) in chosen)
        return _describe_levels(np.sum([partial.levels[key] for key in chosen], axis=0), images)

    keys = list(partial.levels)
    return {
        "names": ["red", "green", "blue"],
        "imagenet": IMAGENET,
        "all": describe(keys),
        "by_class": {name: describe(k for k in keys if k[1] == name) for name in labels},
        "by_split": {split: describe(k for k in keys if k[0] == split) for split in splits},
        "by_split_and_class": {
            split: {name: describe([(split, name)]) for name in labels if (split, name) in partial.levels}
            for split in splits
        },
    }


def _describe_levels(levels: NDArray[np.int64], images: int) -> dict[str, Any]:
    """Mean, standard deviation and histogram of each channel from how often it takes each of 256 levels."""
    share = levels / levels.sum(axis=1, keepdims=True)
    value = np.arange(256) / 255.0
    mean = share @ value
    deviation = np.sqrt((share * (value[None, :] - mean[:, None]) ** 2).sum(axis=1))
    return {
        "images": images,
        "mean": mean.tolist(),
        "std": deviation.tolist(),
        "histogram": np.round(share.reshape(3, _SHOWN_LEVELS, -1).sum(axis=2), 6).tolist(),
    }


def _paths(index: pa.Table, rows: list[int]) -> dict[int, str]:
    numbers = np.asarray(index.column("row"))
    places = np.flatnonzero(np.isin(numbers, rows))
    found = index.column("path").take(pa.array(places)).to_pylist()
    return dict(zip(numbers[places].tolist(), found, strict=True))
