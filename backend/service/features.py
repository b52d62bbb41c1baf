"""Data set + extractor -> matrix, in chunks of about 512 images, each cached in the store by a key of its content."""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import Cancelled, IntegrityError
from backend.core.extractors import Extractor
from backend.core.images import MOST_PIXELS, decode
from backend.service.backbones import make_extractor
from backend.service.datasets import FeatureChunk, read_chunk
from backend.service.signals import never
from backend.service.storage import is_local, list_folders, list_tree, read_ahead, read_bytes, remove, write_bytes
from backend.settings import StorePath, store_path

SUFFIXES = (".npy", ".safetensors")
"""Of the cache's files: features of a chunk, and its sums for fingerprints."""

_LARGEST = 65_000.0  # float16 ends at 65,504
_HEADER_BYTES = 128
_BATCH_BYTES = 96 * 2**20


def compute_chunk(
    chunk: FeatureChunk,
    spec: dict[str, Any],
    backbones: StorePath,
    cache_root: StorePath,
    *,
    batch: int = 64,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Put the features of one chunk into the cache, unless they are there. For a worker process; may run twice.

    At most `batch` images, and about 96 MiB of pixels, are decoded at a time. `cancelled` is asked before each batch.
    Raises Cancelled, IntegrityError where the data set is damaged, and what the extractor raises.
    """
    extractor = loaded_extractor(spec, backbones)
    store = FeatureStore(cache_root)
    if store.is_there(chunk, extractor.digest):
        return
    features = np.empty((chunk.rows, extractor.dimensions), dtype=np.float16)
    filled = 0
    files = read_chunk(chunk)
    if len(files) != chunk.rows:
        raise IntegrityError(
            f"{chunk.shard} holds {len(files)} images in row group {chunk.row_group}, not {chunk.rows}.",
            "Import it again.",
        )
    for images in decoded_batches(files, batch, extractor.reduce_above):
        if cancelled():
            raise Cancelled("The job was told to stop.")
        rows = extractor.extract(images)
        if not np.isfinite(rows).all():
            raise IntegrityError(
                f"The extractor gave values that are no numbers for {chunk.shard}, row group {chunk.row_group}.",
                "Choose another extractor, and report this.",
            )
        features[filled : filled + len(rows)] = np.clip(rows, -_LARGEST, _LARGEST)
        filled += len(rows)
    store.put(chunk, extractor.digest, features)


class FeatureStore:
    """The cache below `root`: <extractor digest>/<chunk digest>.npy, float16. A damaged entry counts as absent."""

    def __init__(self, root: StorePath) -> None:
        self.root = root

    def path(self, chunk: FeatureChunk, digest: str) -> StorePath:
        """Where the features of a chunk belong, for the extractor of that digest."""
        return self.root / digest[:16] / f"{chunk.digest}.npy"

    def is_there(self, chunk: FeatureChunk, digest: str) -> bool:
        """Whether the chunk's features are in the cache, whole and of the right shape."""
        return _open(self.path(chunk, digest), chunk.rows) is not None

    def missing(self, chunks: Iterable[FeatureChunk], digest: str) -> list[FeatureChunk]:
        """Those of the chunks whose features must be computed, in order, each content once."""
        if is_local(self.root):
            absent = {chunk.digest: chunk for chunk in chunks if not self.is_there(chunk, digest)}
        else:  # objects appear whole: sizes tell enough, and one listing tells them all
            listed = list_tree(self.root / digest[:16])
            sizes = {name: entry.size for name, entry in listed.items()}
            absent = {c.digest: c for c in chunks if _width(sizes.get(f"{c.digest}.npy", 0), c.rows) is None}
        return list(absent.values())

    def put(self, chunk: FeatureChunk, digest: str, features: NDArray[np.float16]) -> None:
        """Store the features of a chunk: wholly or not at all, whoever else writes the same."""
        content = io.BytesIO()
        np.save(content, features)  # straight into a file, NumPy does not say that the disk is full
        write_bytes(self.path(chunk, digest), content.getvalue())

    def load(
        self, chunks: Sequence[FeatureChunk], digest: str, chosen: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """The features of all rows of the chunks in order, or of the `chosen` ones: float32, (rows, dimensions).

        The matrix is filled chunk by chunk, a few at a time; there is no second copy. Raises IntegrityError where
        features are missing or damaged.
        """
        total = sum(chunk.rows for chunk in chunks)
        if chosen is not None and chosen.shape != (total,):
            raise IntegrityError(
                f"{chosen.shape[0]} rows were to be chosen among {total}.", "Import the data set again."
            )
        if not chunks:
            return np.empty((0, 0), dtype=np.float32)
        taken = np.ones(total, dtype=bool) if chosen is None else chosen
        masks = np.split(taken, np.cumsum([chunk.rows for chunk in chunks])[:-1])
        ends = np.cumsum([mask.sum() for mask in masks])
        width = self._read(chunks[0], digest).shape[1]
        matrix = np.empty((int(ends[-1]), width), dtype=np.float32)

        def fill(number: int) -> None:
            block, mask = self._read(chunks[number], digest), masks[number]
            if block.shape[1] != width:
                where = self.path(chunks[number], digest)
                raise IntegrityError(f"Cached features disagree in width: {where}.", "Delete it.")
            matrix[ends[number] - mask.sum() : ends[number]] = block if mask.all() else block[mask]

        for _ in read_ahead(fill, [number for number, mask in enumerate(masks) if mask.any()]):
            pass
        return matrix

    def blocks(self, chunks: Iterable[FeatureChunk], digest: str) -> Iterator[NDArray[np.float32]]:
        """The features chunk by chunk, float32, read ahead. Raises IntegrityError where some are missing or damaged."""
        yield from read_ahead(lambda chunk: self.block(chunk, digest), chunks)

    def block(self, chunk: FeatureChunk, digest: str) -> NDArray[np.float32]:
        """The features of one chunk, float32. Raises IntegrityError where they are missing or damaged."""
        return self._read(chunk, digest).astype(np.float32)

    def delete(self, chunks: Iterable[str]) -> None:
        """Remove the features of the chunks of these digests for every extractor, and their sums of fingerprints."""
        names = [digest + suffix for digest in chunks for suffix in SUFFIXES]
        remove(self.root / folder / name for folder in list_folders(self.root) for name in names)

    def _read(self, chunk: FeatureChunk, digest: str) -> NDArray[np.float16]:
        block = _open(self.path(chunk, digest), chunk.rows)
        if block is None:
            raise IntegrityError(f"Cached features are missing or damaged: {self.path(chunk, digest)}.", "Fit again.")
        return block


def loaded_extractor(spec: Mapping[str, Any], backbones: StorePath) -> Extractor:
    """What `make_extractor` gives, loaded once in each process."""
    return _extractor(json.dumps(spec, sort_keys=True), str(backbones))


@functools.lru_cache(maxsize=2)
def _extractor(spec: str, backbones: str) -> Extractor:
    return make_extractor(json.loads(spec), store_path(backbones))


def decoded_batches(files: list[bytes], batch: int, reduce_above: int | None) -> Iterator[list[NDArray[np.uint8]]]:
    """The pixels of the files in order: at most `batch` images, and about 96 MiB, at a time."""
    images: list[NDArray[np.uint8]] = []
    size = 0
    for data in files:
        pixels = decode(data, max_pixels=MOST_PIXELS, reduce_above=reduce_above).pixels
        images.append(pixels)
        size += pixels.nbytes
        if len(images) >= batch or size >= _BATCH_BYTES:
            yield images
            images, size = [], 0
    if images:
        yield images


def _open(path: StorePath, rows: int) -> NDArray[np.float16] | None:
    """The array in a file, memory-mapped where it is local; None where there is none of that many rows, whole."""
    try:
        if isinstance(path, Path):
            with path.open("rb") as file:
                width = _width(os.fstat(file.fileno()).st_size, rows)
                # Compared, not parsed: numpy's parser fails in many ways on damaged bytes.
                if width is None or file.read(_HEADER_BYTES) != _header(rows, width):
                    return None
                return np.memmap(file, dtype=np.float16, mode="r", offset=_HEADER_BYTES, shape=(rows, width))
        data = read_bytes(path)
    except FileNotFoundError:
        return None
    width = _width(len(data), rows)
    if width is None or data[:_HEADER_BYTES] != _header(rows, width):
        return None
    return np.frombuffer(data, dtype=np.float16, offset=_HEADER_BYTES).reshape(rows, width)


def _width(size: int, rows: int) -> int | None:
    """Columns of a float16 matrix of that many rows in a file of `size` bytes; None where it can be none."""
    width, rest = divmod(size - _HEADER_BYTES, 2 * max(rows, 1))
    return None if rest or width < 1 else width


def _header(rows: int, width: int) -> bytes:
    """What `numpy.save` writes before the numbers of a float16 matrix."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f2", "fortran_order": False, "shape": (rows, width)})
    return buffer.getvalue()
