"""A small demonstration set made on the spot: crops of photographs, and what four small generators make of them.

The photographs are those that the wheels of scikit-learn and scikit-image carry. Every photograph is first reduced in
size, which removes the traces of the camera and of earlier JPEG compression alike; then cut into squares. Each FAKE is
one generator's version of one REAL square, so that both classes show the same things in the same numbers, and all
squares are written by the same encoder: neither content, size nor file format tells the classes apart.

All squares of one photograph, REAL and FAKE, are one group: a split never has a photograph on both sides. The
generators are fitted on squares of all photographs, as a real one would be trained on images that nobody can list.
It is a set to see the whole thing work with, not to measure detectors by.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.demo_generators import fit_generators
from backend.core.errors import Unavailable

SIDE = 64
"""Pixels a side of every image."""

SQUARES_PER_PHOTOGRAPH = 40
JPEG_QUALITY = 92

PHOTOGRAPHS = {
    "sklearn.datasets.images": ("china.jpg", "flower.jpg"),
    "skimage.data": (
        "astronaut.png",
        "brick.png",
        "camera.png",
        "chelsea.png",
        "coffee.png",
        "coins.png",
        "grass.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "moon.png",
        "motorcycle_left.png",
        "retina.jpg",
        "rocket.jpg",
    ),
}
"""Package -> photographs in its wheel."""

IMAGES = 2 * SQUARES_PER_PHOTOGRAPH * sum(len(names) for names in PHOTOGRAPHS.values())
"""Number of images in the set, half of them REAL."""

_SHORT_SIDE = (
    320  # of a reduced photograph: at most 0.75 of the smallest sources but two, enough to hide their JPEG grid
)
_MOST_KEPT = 0.8
_LEAST_CONTRAST = 6.0


@dataclass(frozen=True)
class DemoImage:
    """One file of the set."""

    path: str  # "REAL/..." or "FAKE/<generator>/..."
    data: bytes  # a JPEG of SIDE x SIDE
    label: str
    generator: str  # "" for a REAL
    group: str  # the photograph


def make_demo(seed: int = 0) -> Iterator[DemoImage]:
    """The set's images, photograph by photograph, each REAL followed by its FAKE; the same ones for the same seed.

    Takes some seconds on one core. Raises Unavailable when a photograph is missing from the installed packages.
    """
    random = np.random.default_rng(seed)
    squares = {
        Path(name).stem: _cut(_load(package, name), random) for package, names in PHOTOGRAPHS.items() for name in names
    }
    generators = fit_generators(np.concatenate(list(squares.values())), seed)
    names = list(generators)
    number = 0
    for photograph, reals in squares.items():
        for position, real in enumerate(reals):
            # each generator gets its share of every photograph
            generator = names[number % len(names)]
            fake = generators[generator](real, random)
            file = f"{photograph}-{position:02d}.jpg"
            yield DemoImage(f"REAL/{file}", _encode(real), "REAL", "", photograph)
            yield DemoImage(f"FAKE/{generator}/{file}", _encode(fake), "FAKE", generator, photograph)
            number += 1


def write_demo_zip(path: Path, seed: int = 0) -> int:
    """Number of images written to `path`: a zip with REAL/, FAKE/<generator>/ and the groups in metadata.csv."""
    groups = io.StringIO(newline="")
    table = csv.writer(groups)
    table.writerow(["file_name", "group"])
    images = 0
    with zipfile.ZipFile(path, "w") as archive:
        for image in make_demo(seed):
            archive.writestr(zipfile.ZipInfo(image.path), image.data)
            table.writerow([image.path, image.group])
            images += 1
        archive.writestr(zipfile.ZipInfo("metadata.csv"), groups.getvalue())
    return images


def _load(package: str, name: str) -> NDArray[np.uint8]:
    """The photograph as RGB, reduced so that its short side has about _SHORT_SIDE pixels."""
    try:
        data = _find(package, name).read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The installed {package.partition('.')[0]} carries no photograph {name}.",
            "Install the versions that the project names.",
        ) from error
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        rgb = image.convert("RGB")
    factor = min(_SHORT_SIDE / min(rgb.size), _MOST_KEPT)
    reduced = rgb.resize((round(rgb.width * factor), round(rgb.height * factor)), Image.Resampling.LANCZOS)
    return np.asarray(reduced, dtype=np.uint8)


def _find(package: str, name: str) -> Path:
    """The file of an installed package, which is not imported: that would take a second. Raises FileNotFoundError."""
    top, *inside = package.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{top} is not installed.")
    return Path(spec.submodule_search_locations[0], *inside, name)


def _cut(photograph: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """SQUARES_PER_PHOTOGRAPH different squares, n x SIDE x SIDE x 3, none of them flat."""
    height, width = photograph.shape[:2]
    steps = [(y, x) for y in range(0, height - SIDE + 1, 8) for x in range(0, width - SIDE + 1, 8)]
    squares: list[NDArray[np.uint8]] = []
    for choice in random.permutation(len(steps)):
        y, x = steps[choice]
        square = photograph[y : y + SIDE, x : x + SIDE]
        if square.std() >= _LEAST_CONTRAST:
            squares.append(square)
        if len(squares) == SQUARES_PER_PHOTOGRAPH:
            break
    return np.stack(squares)


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
