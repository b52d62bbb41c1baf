"""Sets of small images as default features: CIFAKE's, altered ones, other photographs, other generators' fakes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from backend.core.demo import PHOTOGRAPHS
from backend.core.extractors import DEFAULT_SPEC, Extractor, create
from backend.core.images import decode
from benchmarks.record import ROOT, data_folder

SIDE, QUALITY = 32, 75
"""Pixels a side and JPEG quality of CIFAKE, which everything else is brought to."""

CROPS = 25
"""Squares that are cut from each of the demonstration set's photographs."""

Rows = NDArray[np.float32]


def extractor() -> Extractor:
    """The default one, with a thread a core."""
    return create(DEFAULT_SPEC, backbones=ROOT / "models" / "backbones", threads=2)


def features(images: Sequence[bytes], of: Extractor) -> Rows:
    """(n, dimensions) of n image files, rounded to float16 as a fit's are."""
    rows = np.empty((len(images), of.dimensions), dtype=np.float32)
    for start in range(0, len(images), 64):
        decoded = [decode(data, reduce_above=of.reduce_above).pixels for data in images[start : start + 64]]
        rows[start : start + 64] = of.extract(decoded).astype(np.float16)
    return rows


def read_cifake(counts: dict[str, int], seed: int) -> dict[str, dict[str, list[bytes]]]:
    """Part -> class -> so many files each, drawn at random; no image of `test` is one that is also in train.

    Parts are `test`, drawn from the test images, and any others, drawn apart from each other from train.
    """
    random = np.random.default_rng(seed)
    twins = set(json.loads((data_folder() / "cifake_duplicates.json").read_text())["test_images_also_in_train"])
    drawn: dict[str, dict[str, list[bytes]]] = {part: {} for part in counts}
    with zipfile.ZipFile(data_folder() / "cifake.zip") as archive:
        names = sorted(set(archive.namelist()) - twins)
        for label in ("REAL", "FAKE"):
            pool = {
                split: list(random.permutation([n for n in names if n.startswith(f"{split}/{label}/") and "." in n]))
                for split in ("train", "test")
            }
            for part, count in counts.items():
                source = pool["test" if part == "test" else "train"]
                drawn[part][label] = [archive.read(source.pop()) for _ in range(count)]
    return drawn


def read_generators() -> dict[str, list[bytes]]:
    """Generator -> its images in gen32.zip."""
    found: dict[str, list[bytes]] = {}
    with zipfile.ZipFile(data_folder() / "gen32.zip") as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".jpg")):
            found.setdefault(name.split("/")[1], []).append(archive.read(name))
    return found


def read_photographs() -> dict[str, list[bytes]]:
    """Class -> its files in photos.zip, as they are."""
    with zipfile.ZipFile(data_folder() / "photos.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        return {label: [archive.read(n) for n in names if n.startswith(f"{label}/")] for label in ("REAL", "FAKE")}


def altered(images: Sequence[bytes], seed: int) -> dict[str, list[bytes]]:
    """Change -> the images after it, saved like CIFAKE's."""
    random = np.random.default_rng(seed)

    def noisy(image: Image.Image) -> Image.Image:
        noise = random.normal(0.0, 8.0, (image.height, image.width, 3))
        return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))

    changes: dict[str, Callable[[Image.Image], bytes]] = {
        "blur, sigma 0.8": lambda image: save(image.filter(ImageFilter.GaussianBlur(0.8))),
        "JPEG quality 30": lambda image: save(image, 30),
        "noise, sigma 8": lambda image: save(noisy(image)),
        "middle enlarged 1.6 times": lambda image: save(image.crop((6, 6, 26, 26)).resize((SIDE, SIDE))),
        "sharpened": lambda image: save(image.filter(ImageFilter.UnsharpMask(1, 120, 0))),
    }
    return {name: [change(open_rgb(data)) for data in images] for name, change in changes.items()}


def demo_photographs(seed: int) -> list[bytes]:
    """Squares of the demonstration set's photographs, of 40 to 100 % of the shorter side, as 32-pixel images."""
    random = np.random.default_rng(seed)
    squares = []
    for package, names in PHOTOGRAPHS.items():
        for name in names:
            image = open_rgb((files(package) / name).read_bytes())
            for _ in range(CROPS):
                side = int(min(image.size) * random.uniform(0.4, 1.0))
                left, top = (int(random.integers(0, length - side + 1)) for length in image.size)
                squares.append(save(_reduce(image.crop((left, top, left + side, top + side)))))
    return squares


def reduced(data: bytes) -> bytes:
    """The whole picture as a 32-pixel square."""
    return save(_reduce(open_rgb(data)))


def open_rgb(data: bytes) -> Image.Image:
    """The picture as RGB."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def save(image: Image.Image, quality: int = QUALITY) -> bytes:
    """A JPEG with CIFAKE's settings."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=2)
    return out.getvalue()


def _reduce(image: Image.Image) -> Image.Image:
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
