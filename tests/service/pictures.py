"""Small pictures and archives for the tests of data sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, format: str = "PNG", side: int = 16) -> bytes:
    """A random image file, the same for the same seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format)
    return out.getvalue()


def pictures(names: list[str]) -> dict[str, bytes]:
    """A different image for every name."""
    return {name: picture(number) for number, name in enumerate(names)}


def write_zip(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of these members in this order."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def write_tree(root: Path, members: Mapping[str, bytes]) -> Path:
    """The same as files below `root`."""
    for name, data in members.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return root


LAYOUT = [
    "train/REAL/a.png",
    "train/REAL/b.png",
    "Test/real/c.png",
    "validation/Real/deep/er/d.png",
    "train/FAKE/e.png",
    "train/fake/glow/f.png",
    "val/FAKE/glow/g.png",
    "test/Fake/dc gan/h.png",
]
"""Names in every layout that is read."""

PLACES = {
    "train/REAL/a.png": ("REAL", "train", ""),
    "train/REAL/b.png": ("REAL", "train", ""),
    "Test/real/c.png": ("REAL", "test", ""),
    "validation/Real/deep/er/d.png": ("REAL", "validation", ""),
    "train/FAKE/e.png": ("FAKE", "train", ""),
    "train/fake/glow/f.png": ("FAKE", "train", "glow"),
    "val/FAKE/glow/g.png": ("FAKE", "validation", "glow"),
    "test/Fake/dc gan/h.png": ("FAKE", "test", "dc gan"),
}
"""What their folders say: label, split, generator."""
