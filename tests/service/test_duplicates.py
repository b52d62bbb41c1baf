"""Pixel-identical images and given groups are joined, and reported where they cross train and test."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from backend.service.datasets import DatasetStore, test_rows_also_in_train
from backend.service.duplicates import resolve_groups
from backend.service.sources import ImportLimits
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import picture, pictures


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def test_duplicates_and_groups_are_joined_and_reported(tmp_path: Path, store: DatasetStore) -> None:
    png = picture(1)
    bmp = io.BytesIO()
    Image.open(io.BytesIO(png)).save(bmp, "BMP")  # other bytes, same pixels
    members = {
        "train/REAL/a.png": picture(0),
        "train/FAKE/b.png": png,
        "test/FAKE/c.bmp": bmp.getvalue(),
        "test/FAKE/d.png": picture(2),
        "test/REAL/e.png": picture(3),
        "train/REAL/f.png": picture(4),
        "test/REAL/g.png": png,
        "metadata.csv": b"file_name,group\ntest/FAKE/c.bmp,p\ntest/FAKE/d.png,p\n"
        b"train/REAL/f.png,q\ntest/REAL/e.png,q\n",
    }
    info = import_into(store, zip_of(tmp_path / "a.zip", members))
    index = store.index("a-1")
    assert index["group"].to_pylist() == ["", "", "p", "p", "q", "q", ""]
    assert index["group_id"].to_pylist() == [0, 1, 1, 1, 2, 2, 1]
    assert test_rows_also_in_train(index).tolist() == [False, False, True, False, False, False, True]
    assert info.duplicates == {
        "groups": 1,
        "images": 3,
        "crossing_train_test": 2,
        "groups_crossing_train_test": 4,
        "both_classes": 3,
    }
    assigned = np.array(["test", "train", "train", "test", "test", "test", "train"])
    assert not test_rows_also_in_train(index, assigned).any()


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_the_closure_of_equal_pixels_and_equal_names(seed: int) -> None:
    """Against a slow search that follows links one by one."""
    dice, rows = random.Random(seed), 60
    pixels = [str(dice.randrange(45)) for _ in range(rows)]
    names = [dice.choice(["", "", str(dice.randrange(25))]) for _ in range(rows)]
    group_of: dict[int, int] = {}
    for start in range(rows):
        if start in group_of:
            continue
        number, waiting = len(set(group_of.values())), [start]
        while waiting:
            row = waiting.pop()
            if row not in group_of:
                group_of[row] = number
                waiting += [
                    n for n in range(rows) if pixels[n] == pixels[row] or (names[row] and names[n] == names[row])
                ]
    found = resolve_groups(pa.chunked_array([pixels[:20], pixels[20:]]), pa.chunked_array([names]))
    assert found.tolist() == [group_of[row] for row in range(rows)]


def test_the_digest_tells_what_a_data_set_holds(tmp_path: Path, store: DatasetStore) -> None:
    base = pictures(["train/REAL/a.png", "train/FAKE/glow/b.png", "test/FAKE/glow/c.png"])
    renamed = {name.replace(".png", "-x.png"): data for name, data in base.items()}
    relabelled = {name.replace("REAL", "FAKE"): data for name, data in base.items()}
    resplit = {name.replace("test", "val"): data for name, data in base.items()}
    regenerated = {name.replace("glow", "gan"): data for name, data in base.items()}
    grouped = base | {"metadata.csv": b"file_name,group\ntrain/REAL/a.png,p\n"}
    other = {**base, "train/REAL/a.png": picture(99)}
    digests = []
    for number, members in enumerate((base, renamed, relabelled, resplit, regenerated, grouped, other)):
        digests.append(import_into(store, zip_of(tmp_path / f"{number}.zip", members), f"d-{number}").digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 6


def test_the_duplicates_of_cifake_are_those_known(tmp_path: Path, store: DatasetStore) -> None:
    """All images that have a twin and a thousand that have none: the very pairs of the list, 378 of them cross."""
    folder = os.environ.get("DEEPFAKE_DATA")
    if not folder or not (Path(folder) / "cifake.zip").exists():
        pytest.skip("DEEPFAKE_DATA names no folder with cifake.zip")
    known = json.loads((Path(folder) / "cifake_duplicates.json").read_text())
    twins = {name for pair in known["groups"] for name in pair}
    with zipfile.ZipFile(Path(folder) / "cifake.zip") as archive:
        names = [name for n, name in enumerate(archive.namelist()) if name in twins or n % 120 == 0]
        members = {name: archive.read(name) for name in names}
    info = import_into(store, zip_of(tmp_path / "a.zip", members), limits=ImportLimits())
    assert info.images > len(twins) + 900
    assert (info.duplicates["groups"], info.duplicates["images"]) == (1336, 2672)
    assert info.duplicates["crossing_train_test"] == 378
    index = store.index("a-1")
    paths = np.array(index["path"].to_pylist())
    assert set(paths[test_rows_also_in_train(index)]) == set(known["test_images_also_in_train"])
    found: dict[int, list[str]] = {}
    for path, group in zip(paths, index["group_id"].to_pylist(), strict=True):
        found.setdefault(group, []).append(str(path))
    assert {frozenset(group) for group in found.values() if len(group) > 1} == {frozenset(g) for g in known["groups"]}
