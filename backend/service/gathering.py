"""The images of several data sets as one table, for evaluations: labels, generators, splits, pixels, files, places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.core.errors import NoImages
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk
from backend.service.features import FeatureStore
from backend.service.fit_columns import read_shapes
from backend.settings import StorePath

COLUMNS = ["row", "label", "split", "generator", "group_id", "pixel_sha256", "width", "height", "jpeg_quality"]


@dataclass(frozen=True)
class Source:
    """One data set of an evaluation: its description and its chunks."""

    info: DatasetInfo
    chunks: tuple[FeatureChunk, ...]


@dataclass(frozen=True)
class Places:
    """Where images lie, one entry an image."""

    source: NDArray[np.int64]  # number of the data set
    row: NDArray[np.int64]  # place among the rows of its chunks

    def some(self, chosen: NDArray[np.bool_]) -> Places:
        """The places of the masked images."""
        return Places(self.source[chosen], self.row[chosen])


@dataclass(frozen=True)
class Gathered:
    """The images of all sources in order, one entry an image; no dropped ones."""

    source: NDArray[np.int64]  # number of the data set
    row: NDArray[np.int64]  # place among the rows of its chunks
    y: NDArray[np.int8]  # 1 FAKE, 0 REAL
    split: NDArray[np.str_]  # as the data set names it; "" where it does not
    generators: NDArray[np.str_]  # "" for REAL
    group: NDArray[np.int64]  # within the data set
    pixels: pa.ChunkedArray  # hex SHA-256 of each image's pixels
    shortest: NDArray[np.int64]  # pixels: the shorter side of each image
    longest: NDArray[np.int64]  # and the longer one
    quality: NDArray[np.int64]  # of JPEGs, LOSSLESS for others

    def places(self, chosen: NDArray[np.bool_]) -> Places:
        """Where the masked images lie."""
        return Places(self.source[chosen], self.row[chosen])


def gather(datasets: StorePath, sources: Sequence[Source]) -> Gathered:
    """The rows of the data sets. FAKE images of no known generator are named by their data set.

    Raises IntegrityError.
    """
    store = DatasetStore(datasets)
    tables = [store.index(source.info, COLUMNS) for source in sources]
    together = pa.concat_tables(tables)
    source = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
    y = together["label"].to_numpy().astype(np.int8)
    names = np.asarray(together["generator"].to_pylist(), dtype=object)
    unnamed = np.asarray([unnamed_generator(each.info) for each in sources], dtype=object)
    names = np.where(names == "", unnamed[source], names) if len(names) else names
    shortest, longest, quality = read_shapes(together)
    return Gathered(
        source=source,
        row=together["row"].to_numpy().astype(np.int64),
        y=y,
        split=np.asarray(together["split"].to_pylist(), dtype=np.str_),
        generators=np.where(y == 1, names, "").astype(np.str_),
        group=together["group_id"].to_numpy().astype(np.int64),
        pixels=together["pixel_sha256"],
        shortest=shortest,
        longest=longest,
        quality=quality,
    )


def unnamed_generator(info: DatasetInfo) -> str:
    """What FAKE images are called whose generator the data set does not name."""
    return f"unnamed ({info.name})"


def needed_chunks(sources: Sequence[Source], places: Places) -> list[list[int]]:
    """For each source the numbers of the chunks that hold one of these images, in order.

    Raises NoImages without any.
    """
    if not len(places.row):
        raise NoImages(
            "No image is left to evaluate: all of them stand in the model's training set, or none is a test image.",
            "Name another data set, or the split `all`.",
        )
    return [
        np.unique(np.searchsorted(_starts(source), places.row[places.source == number], side="right") - 1).tolist()
        for number, source in enumerate(sources)
    ]


def blocks(
    store: FeatureStore, sources: Sequence[Source], places: Places, digest: str
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """(numbers of some of the images, their features), chunk by chunk, read ahead, until all have come.

    Raises IntegrityError where features are missing or damaged.
    """
    for number, (source, wanted) in enumerate(zip(sources, needed_chunks(sources, places), strict=True)):
        starts, mine = _starts(source), np.flatnonzero(places.source == number)
        chunk_of = np.searchsorted(starts, places.row[mine], side="right") - 1
        for chunk, block in zip(wanted, store.blocks([source.chunks[n] for n in wanted], digest), strict=True):
            inside = mine[chunk_of == chunk]
            yield inside, block[places.row[inside] - starts[chunk]]


def _starts(source: Source) -> NDArray[np.int64]:
    """The row that each chunk begins with."""
    return np.cumsum([0, *(chunk.rows for chunk in source.chunks)])[:-1]
