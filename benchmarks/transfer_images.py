"""Images and features of benchmarks/transfer.py, and the changes that training images go through."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.corruptions import Corruption, corrupt
from backend.core.extractors import create
from backend.core.images import decode
from benchmarks.image_sets import read_cifake, read_generators
from benchmarks.record import ROOT

OWN = "stable-diffusion-1.4"
"""The generator of CIFAKE's FAKE images."""

FITTED, HELD_OUT = 4000, 2000
"""Images of each of CIFAKE's classes, all from its training images."""

BATCH = 50
Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]
Spec = Mapping[str, Any]


def read_images(seed: int) -> dict[str, dict[str, Pixels]]:
    """`fit` and `asked` -> REAL or a generator -> images [n, 32, 32, 3].

    The eight generators are the same in both. No FAKE image of CIFAKE that is asked has the pixels of one in `fit`.
    """
    cifake = read_cifake({"fit": FITTED, "asked": HELD_OUT}, seed)
    others = {name: _decoded(files) for name, files in read_generators().items()}
    images: dict[str, dict[str, Pixels]] = {}
    for part, files in cifake.items():
        images[part] = {"REAL": _decoded(files["REAL"]), OWN: _decoded(files["FAKE"]), **others}
    known = {image.tobytes() for image in images["fit"][OWN]}
    asked = images["asked"]
    asked[OWN] = asked[OWN][[image.tobytes() not in known for image in asked[OWN]]]
    return images


def _decoded(files: Sequence[bytes]) -> Pixels:
    return np.stack([decode(data).pixels for data in files])


def compressed(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """[H, W, 3] as a JPEG of quality 50 to 95."""
    return corrupt(pixels, Corruption("jpeg", random.uniform(50, 95)))


def blurred(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """[H, W, 3] blurred with a standard deviation of 0 to 1.5 pixels."""
    return corrupt(pixels, Corruption("blur", random.uniform(0, 1.5)))


def rescaled(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """[H, W, 3], square, reduced to 0.5 to 0.9 of its sides and enlarged again."""
    small = corrupt(pixels, Corruption("resize", random.uniform(0.5, 0.9)))
    return corrupt(small, Corruption("resize", len(pixels) / len(small)))


def mixed(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """[H, W, 3] rescaled, blurred and compressed in this order, each with a chance of one half."""
    for change in (rescaled, blurred, compressed):
        if random.random() < 0.5:
            pixels = change(pixels, random)
    return pixels


Change = Callable[[Pixels, np.random.Generator], Pixels]


class Features:
    """Computes features by one thread, each once, and keeps them in a folder. It makes graphs that are missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for graph in (ROOT / "models" / "backbones").glob("*.onnx"):
            shutil.copy(graph, folder)

    def of(self, images: Mapping[str, Pixels], spec: Spec, change: Change | None, seed: int) -> dict[str, Rows]:
        """Name -> (n, dimensions) of n images [n, H, W, 3], each of them changed first where a change is given."""
        rows: dict[str, Rows] = {}
        extractor = None
        for name, pixels in images.items():
            key = json.dumps([spec, change.__name__ if change else "", seed], sort_keys=True).encode()
            path = self._folder / f"{hashlib.sha256(key + pixels.tobytes()).hexdigest()}.npy"
            if not path.exists():
                random = np.random.default_rng(seed)
                changed = list(pixels) if change is None else [change(image, random) for image in pixels]
                extractor = extractor or create(spec, backbones=self._folder, threads=1)
                blocks = [extractor.extract(changed[i : i + BATCH]) for i in range(0, len(changed), BATCH)]
                kept = np.clip(np.concatenate(blocks), -65_000, 65_000).astype(np.float16)  # as the product stores them
                np.save(path, kept)
            rows[name] = np.load(path).astype(np.float32)
        return rows
