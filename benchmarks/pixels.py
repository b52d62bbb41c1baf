"""CIFAKE's images as pixels, cut as the product cuts them: for benchmarks that vary what comes before a fit."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.detector import Rows
from backend.core.extractors import create
from backend.core.images import decode
from backend.core.splits import thin
from backend.service.app import open_service
from backend.service.datasets import read_chunk
from backend.service.fit_columns import FIT_COLUMNS, read_columns
from backend.settings import load_settings
from benchmarks.record import ROOT, data_folder, run_job

BLOCK = 500
SIDE = 32
Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Images:
    """Images of one split: pixels [n, 32, 32, 3], y 1 for FAKE, groups that stay together."""

    pixels: Pixels
    y: NDArray[np.int8]
    groups: NDArray[np.int64]

    def some(self, count: int, seed: int) -> Images:
        """About `count` of them, half of each class, groups whole; the same for the same seed."""
        kept = thin(self.groups, self.y, count, seed)
        return Images(self.pixels[kept], self.y[kept], self.groups[kept])


def load_images() -> dict[str, Images]:
    """The training and validation images of all of CIFAKE, as the default fit cuts them. Test images stay unread."""
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        service = open_service(load_settings(data_dir=Path(folder) / "data", models_dir=Path(folder) / "models"))
        try:
            source = {"kind": "cifake", "path": str(data_folder() / "cifake.zip")}
            run_job(service, "import", {"name": "CIFAKE", "source": source})
            info = service.datasets.get("CIFAKE")
            columns = read_columns(service.datasets.index(info, FIT_COLUMNS), FitConfig())
            kept = {split: np.flatnonzero(columns.split == split) for split in ("train", "validation")}
            place = np.full(info.images, -1)
            for rows in kept.values():
                place[columns.row[rows]] = rows
            pixels = np.empty((len(columns.y), SIDE, SIDE, 3), np.uint8)
            start = 0
            for chunk in service.datasets.chunks(info.id):
                wanted = place[start : start + chunk.rows]
                if (wanted >= 0).any():
                    files = read_chunk(chunk)
                    for offset in np.flatnonzero(wanted >= 0):
                        pixels[wanted[offset]] = decode(files[offset]).pixels
                start += chunk.rows
        finally:
            service.close()
    return {split: Images(pixels[rows], columns.y[rows], columns.group[rows]) for split, rows in kept.items()}


def unchanged(pixels: Pixels) -> Pixels:
    """The pixels as they are."""
    return pixels


def mirrored(pixels: Pixels) -> Pixels:
    """[n, H, W, 3] with left and right changed over."""
    return np.ascontiguousarray(pixels[:, :, ::-1])


def shifted(pixels: Pixels) -> Pixels:
    """[n, H, W, 3] moved by one pixel down and right; the first row and column are repeated."""
    return np.pad(pixels, ((0, 0), (1, 0), (1, 0), (0, 0)), mode="edge")[:, :-1, :-1]


class Features:
    """Computes features on all cores; a graph that is missing is exported into a folder of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="deepfake-benchmark-")
        self.backbones = Path(self._folder.name)
        for graph in (ROOT / "models" / "backbones").glob("*.onnx"):
            shutil.copy(graph, self.backbones)
        self._pool = get_context("spawn").Pool()

    def __enter__(self) -> Features:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.terminate()
        self._folder.cleanup()

    def of(
        self, images: Images, spec: Mapping[str, Any], changes: Sequence[Change] = (unchanged,)
    ) -> tuple[Rows, float]:
        """(features of the images, averaged over `changes`; milliseconds an image and core that they took)."""
        text = json.dumps(spec, sort_keys=True)
        self._pool.apply(_make_graphs, (text, str(self.backbones)))  # once, before every process needs them
        blocks = [images.pixels[start : start + BLOCK] for start in range(0, len(images.y), BLOCK)]
        work = functools.partial(_extract, text, str(self.backbones), tuple(changes))
        parts, seconds = zip(*self._pool.imap(work, blocks), strict=True)
        return Rows(np.concatenate(parts), images.y, images.groups), 1000 * sum(seconds) / len(images.y)


@functools.lru_cache(maxsize=1)
def _extractor(spec: str, backbones: str) -> Any:
    return create(json.loads(spec), backbones=Path(backbones))


def _make_graphs(spec: str, backbones: str) -> None:
    _extractor(spec, backbones)


def _extract(spec: str, backbones: str, changes: Sequence[Change], block: Pixels) -> tuple[NDArray[np.float32], float]:
    extractor = _extractor(spec, backbones)
    started = time.thread_time()
    mean = sum(extractor.extract(list(change(block))) for change in changes) / len(changes)
    rounded = np.clip(mean, -65_000, 65_000).astype(np.float16)  # as the product stores them
    return rounded.astype(np.float32), time.thread_time() - started
