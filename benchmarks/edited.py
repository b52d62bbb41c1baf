"""What the shipped detector makes of photographs edited in part: at 32 pixels and at their own size, faces apart.

    DEEPFAKE_DATA=... python -m benchmarks.edited

CIFAKE's test images and photos.zip are edited; nothing is fitted or chosen. `docs/edited-images.md` has the table.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.detector import Detector
from backend.core.edited import bound_for, call_copies, measure_edited
from backend.core.edits import Region, edit
from backend.core.images import decode
from backend.core.intervals import clopper_pearson
from backend.service.model_files import CARD
from benchmarks.image_sets import QUALITY, SIDE, read_cifake, read_photographs, reduced, save
from benchmarks.record import data_folder, write_result
from benchmarks.stability import MODEL, load_detector

EACH, DONORS, ROUNDS = 1_000, 200, 4
"""Photographs of CIFAKE, fakes that parts are taken from, and times that each photograph of photos.zip is edited."""

FACES = {
    "people_2.jpg": (0.312, 0.398, 0.075, 0.062),
    "people_4.jpg": (0.405, 0.468, 0.115, 0.085),
    "people_6.jpg": (0.385, 0.50, 0.07, 0.055),
    "people_7.jpg": (0.17, 0.47, 0.13, 0.095),
    "people_10.jpg": (0.33, 0.452, 0.07, 0.055),
    "astronaut.png": (0.235, 0.44, 0.10, 0.078),
}
"""The faces at hand, found by eye: row and column of the centre, half height and half width, as shares of the sides."""

CROPS = 10
"""Squares of 32 pixels that are cut around each face."""

SETS = {
    "cifake": "CIFAKE, 32 px",
    "small": "photos.zip at 32 px",
    "native": "photos.zip, own size",
    "faces small": "faces at 32 px",
    "faces native": "faces, own size",
}
"""What is edited, in the order of the table."""

Pixels = NDArray[np.uint8]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Face:
    """A picture and the face in it."""

    name: str  # of the photograph
    pixels: Pixels
    region: Region


def read_faces(detector: Detector) -> list[Face]:
    """The photographs of FACES, reduced where they are very large."""
    found = []
    with zipfile.ZipFile(data_folder() / "photos.zip") as archive:
        ours = set(archive.namelist())
        for name, (row, column, half_height, half_width) in FACES.items():
            path = f"REAL/{name}"
            data = archive.read(path) if path in ours else (files("skimage.data") / name).read_bytes()
            pixels = bound_for(detector, decode(data).pixels)
            height, width = pixels.shape[:2]
            place = Region(row * height, column * width, half_height * height, half_width * width)
            found.append(Face(name, pixels, place))
    return found


def crop_faces(faces: Sequence[Face], seed: int) -> list[Face]:
    """CROPS squares of 32 pixels around each face, which fills about half of their height, saved like CIFAKE's."""
    random, found = np.random.default_rng(seed), []
    for face in faces:
        image, place = Image.fromarray(face.pixels), face.region
        for _ in range(CROPS):
            side = place.half_height * random.uniform(3.2, 4.8)
            top, left = (
                float(np.clip(middle + place.half_height * random.uniform(-0.3, 0.3) - side / 2, 0, length - side))
                for middle, length in ((place.row, image.height), (place.column, image.width))
            )
            box = (left, top, left + side, top + side)
            small = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
            scale = SIDE / side
            inside = Region(
                scale * (place.row - top),
                scale * (place.column - left),
                scale * place.half_height,
                scale * place.half_width,
            )
            found.append(Face(face.name, decode(save(small)).pixels, inside))
    return found


def measure_faces(detector: Detector, faces: Sequence[Face], seed: int) -> Figures:
    """As `measure_edited` of the faces alone: each swapped for one of another photograph, and each retouched."""
    called, random = [], np.random.default_rng(seed)
    for face in faces:
        others = [other for other in faces if other.name != face.name]
        other = others[int(random.integers(len(others)))]
        swapped = edit(face.pixels, "splice", random, donor=other.pixels, region=face.region, source=other.region)
        retouched = edit(face.pixels, "retouch", random, region=face.region)
        called.append(call_copies(detector, [face.pixels, swapped, retouched], QUALITY))
    hits = np.array(called)
    return {
        "images": len(faces),
        "photographs": len({face.name for face in faces}),
        "fpr": float(hits[:, 0].mean()),
        "kinds": [
            {
                "kind": kind,
                "recall": float(hits[:, column].mean()),
                "interval": list(clopper_pearson(int(hits[:, column].sum()), len(hits)) or ()),
            }
            for column, kind in enumerate(("face swap", "face retouch"), start=1)
        ],
    }


def measure(detector: Detector, seed: int) -> dict[str, Figures]:
    """The figures of every set."""

    def tell(_stage: str, done: int, total: int) -> None:
        if done % 100 == 0:
            print(f"{done}/{total}", flush=True)

    def judge(photographs: list[bytes], fakes: list[bytes], source: str) -> Figures:
        decoded, donors = ([bound_for(detector, decode(data).pixels) for data in part] for part in (photographs, fakes))
        qualities: list[int | None] = [QUALITY] * len(decoded)
        return measure_edited(
            detector, decoded, qualities=qualities, fakes=donors, source=source, seed=seed, progress=tell
        )

    drawn = read_cifake({"test": EACH}, seed)["test"]
    photographs = read_photographs()
    small = {label: [reduced(data) for data in found] for label, found in photographs.items()}
    faces = read_faces(detector)
    return {
        "cifake": judge(drawn["REAL"], drawn["FAKE"][:DONORS], "test"),
        "small": judge(ROUNDS * small["REAL"], small["FAKE"], "photos.zip"),
        "native": judge(photographs["REAL"], photographs["FAKE"], "photos.zip"),
        "faces small": measure_faces(detector, crop_faces(faces, seed), seed),
        "faces native": measure_faces(detector, [face for face in faces for _ in range(CROPS)], seed),
    }


def table(result: dict[str, Any]) -> str:
    """A Markdown table: a row a kind of edit, a column a set."""
    sets = [result["sets"][name] for name in SETS]
    kinds = list(dict.fromkeys(row["kind"] for figures in sets for row in figures["kinds"]))
    found = [{row["kind"]: row for row in figures["kinds"]} for figures in sets]

    def line(name: str, cells: list[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    def cell(row: dict[str, Any] | None) -> str:
        if row is None:
            return ""
        low, high = (100 * limit for limit in row["interval"])
        return f"{100 * row['recall']:.1f} % ({low:.0f} to {high:.0f})"

    return "\n".join(
        [
            line("called FAKE", list(SETS.values())),
            line("---", ["---"] * len(SETS)),
            line("images", [f"{figures['images']:,}" for figures in sets]),
            line("not edited", [f"{100 * figures['fpr']:.1f} %" for figures in sets]),
            *(line(kind, [cell(rows.get(kind)) for rows in found]) for kind in kinds),
        ]
    )


def ship(figures: Figures) -> None:
    """Puts what was found on CIFAKE into the shipped detector's card."""
    path = MODEL / CARD
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "edited": figures}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measures, prints the table, writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", action="store_true", help="put CIFAKE's figures into the shipped card")
    given = parser.parse_args()
    result = {"sets": measure(load_detector(), given.seed)}
    if given.ship:
        ship(result["sets"]["cifake"])
    print(table(result))
    print(write_result("edited", result, given.seed))


if __name__ == "__main__":
    main()
