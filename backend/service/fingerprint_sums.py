"""The parts of an enrolment that run on workers: which images, their sums chunk by chunk, the fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.errors import Cancelled, NoImages
from backend.core.fingerprints.denoisers import check_denoiser
from backend.core.fingerprints.fingerprint import TRAITS_SPEC, enrol
from backend.core.fingerprints.sizes import MOST_SIDE, Size
from backend.core.fingerprints.sums import FingerprintSums, commonest_size
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk, read_chunk
from backend.service.features import decoded_batches, loaded_extractor
from backend.service.fingerprints import SUFFIX, read_arrays, write_arrays
from backend.service.shards import LABEL_NAMES
from backend.service.signals import never
from backend.service.storage import exists
from backend.settings import StorePath

_COLUMNS = ["row", "label", "generator", "pixel_sha256", "height", "width", "format", "jpeg_quality"]
_BATCH = 64
_AGAIN = "Enrol the generator again."


@dataclass(frozen=True)
class EnrolTask:
    """Everything that workers need, as paths and plain values."""

    datasets: StorePath
    info: DatasetInfo
    chunks: tuple[FeatureChunk, ...]
    cache: StorePath  # of features, and of the sums beside them
    backbones: StorePath
    generator: str  # the name that it is enrolled under
    label: str  # REAL or FAKE: which images
    source_generator: str | None  # only those FAKE images that the data set says are of this one
    denoiser: str
    target: StorePath  # file of the fingerprint's arrays


@dataclass(frozen=True)
class Chosen:
    """The images of an enrolment: one bit a row for each chunk that has any."""

    size: Size
    key: str  # names their sums in the cache
    traits_digest: str
    masks: dict[int, bytes]  # number of a chunk -> bits of its rows
    duplicates: int  # left out since their pixels came before
    other_size: int  # left out since most images have another size
    codecs: dict[str, int]  # "JPEG 75" or "PNG" -> images


def choose_images(task: EnrolTask) -> Chosen:
    """The different images of the commonest size. Runs on a worker, since it reads a row for every image.

    Raises NoImages where the data set has none of that label and generator, TooSmall for the denoiser.
    """
    index = DatasetStore(task.datasets).index(task.info, _COLUMNS)
    wanted = pc.equal(index["label"], LABEL_NAMES.index(task.label))
    if task.source_generator is not None:
        wanted = pc.and_(wanted, pc.equal(index["generator"], task.source_generator))
    index = index.filter(wanted)
    if not index.num_rows:
        names = ", ".join(sorted(name for name in task.info.generators if name)) or "none that it names"
        of = f" of {task.source_generator!r}" if task.source_generator is not None else ""
        raise NoImages(f"The data set has no {task.label} images{of}.", f"Its generators: {names}.")
    _, first = np.unique(np.asarray(index["pixel_sha256"].to_pylist()), return_index=True)
    once = index.take(np.sort(first))
    sides = np.stack([once["height"].to_numpy(), once["width"].to_numpy()], axis=1)
    shapes, counts = np.unique(sides, axis=0, return_counts=True)
    size = commonest_size({(int(h), int(w)): int(n) for (h, w), n in zip(shapes, counts, strict=True)})
    check_denoiser(task.denoiser, *size)
    fits = (np.minimum(sides, MOST_SIDE) == size).all(axis=1)
    kept = once.filter(fits)
    traits = loaded_extractor(TRAITS_SPEC, task.backbones).digest
    named = f"sums 1:{task.info.digest}:{task.label}:{task.source_generator}:{task.denoiser}:{size}:{traits}"
    return Chosen(
        size=size,
        key=hashlib.sha256(named.encode()).hexdigest()[:16],
        traits_digest=traits,
        masks=_masks(task.chunks, kept["row"].to_numpy()),
        duplicates=index.num_rows - once.num_rows,
        other_size=int((~fits).sum()),
        codecs=_count_codecs(kept["format"].to_pylist(), kept["jpeg_quality"].to_pylist()),
    )


@dataclass(frozen=True)
class SumTask:
    """One chunk to sum over."""

    chunk: FeatureChunk
    mask: bytes
    size: Size
    denoiser: str
    backbones: StorePath
    path: StorePath  # of the sums


def sum_chunk(task: SumTask, *, cancelled: Callable[[], bool] = never) -> None:
    """Puts the sums over one chunk's chosen images into the cache, unless they are there. May run twice.

    About 96 MiB of pixels are decoded at a time; `cancelled` is asked before each batch. Raises Cancelled.
    """
    if exists(task.path):
        return
    traits = loaded_extractor(TRAITS_SPEC, task.backbones)
    bits = np.unpackbits(np.frombuffer(task.mask, np.uint8), count=task.chunk.rows).astype(bool)
    files = [data for data, is_chosen in zip(read_chunk(task.chunk), bits, strict=True) if is_chosen]
    parts = []
    for images in decoded_batches(files, _BATCH, None):
        if cancelled():
            raise Cancelled("The job was told to stop.")
        parts.append(FingerprintSums.of(images, task.size, task.denoiser, traits))
    write_arrays(task.path, reduce(FingerprintSums.merge, parts).arrays())


def finish_fingerprint(item: tuple[EnrolTask, Chosen]) -> dict[str, Any]:
    """What is to be said of the fingerprint, whose arrays now stand at `target`. Raises TooFewImages, IntegrityError.

    Sums are merged in row order, so that nothing depends on the workers' speed.
    """
    task, chosen = item
    sums = reduce(FingerprintSums.merge, (_read(task, chosen, number) for number in sorted(chosen.masks)))
    sums = replace(sums, other_size=sums.other_size + chosen.other_size)
    found = enrol(task.generator, sums, duplicates=chosen.duplicates, codecs=chosen.codecs)
    write_arrays(task.target, found.arrays())
    return found.about()


def sum_task(task: EnrolTask, chosen: Chosen, number: int) -> SumTask:
    """The sums over the chunk of that number; they lie with its features, so that they go with them."""
    chunk = task.chunks[number]
    path = task.cache / chosen.key / f"{chunk.digest}{SUFFIX}"
    return SumTask(chunk, chosen.masks[number], chosen.size, task.denoiser, task.backbones, path)


def _read(task: EnrolTask, chosen: Chosen, number: int) -> FingerprintSums:
    arrays = read_arrays(sum_task(task, chosen, number).path, _AGAIN)
    return FingerprintSums.from_arrays(arrays, task.denoiser, chosen.traits_digest)


def _masks(chunks: tuple[FeatureChunk, ...], rows: NDArray[np.int64]) -> dict[int, bytes]:
    bits = np.zeros(sum(chunk.rows for chunk in chunks), bool)
    bits[rows] = True
    parts = np.split(bits, np.cumsum([chunk.rows for chunk in chunks])[:-1])
    return {number: np.packbits(part).tobytes() for number, part in enumerate(parts) if part.any()}


def _count_codecs(formats: list[str], qualities: list[int | None]) -> dict[str, int]:
    pairs = zip(formats, qualities, strict=True)
    counts = Counter(name if quality is None else f"{name} {quality}" for name, quality in pairs)
    return dict(counts.most_common())
