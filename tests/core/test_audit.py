"""The audit of a training set: each leak that is put in is found, and none where there is none."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.core.audit.balance import contents_of, describe_balance
from backend.core.audit.classify import separate
from backend.core.audit.judge import judge
from backend.core.audit.report import audit
from backend.core.audit.traits import FileHeader, join, measure_traits, read_header
from backend.core.audit.twins import near_pairs
from backend.core.eda import RowInfo, finish, stats_of
from backend.core.images import DecodedImage, decode, pixel_digest
from tests.pictures import crop, encode

PHOTOS = Path(os.environ.get("DEEPFAKE_DATA", "no-such-folder")) / "photos.zip"


def audited(
    files: Sequence[tuple[str, bytes]], groups: Sequence[int] | None = None, *, reduce_above: int | None = None
) -> dict[str, Any]:
    """The audit of files whose names say split, class and generator: `train/FAKE/gan/1.png`."""
    images = [decode(data, reduce_above=reduce_above) for _, data in files]
    rows = []
    for number, (name, data) in enumerate(files):
        folders = name.split("/")[:-1]
        place = next(i for i, folder in enumerate(folders) if folder in ("REAL", "FAKE"))
        generator = folders[place + 1] if len(folders) > place + 1 else ""
        rows.append(RowInfo(number, folders[place], folders[0] if place else "", generator, len(data), name))
    traits: list[NDArray[Any]] = []

    def measure(images: list[DecodedImage], rows: list[RowInfo], spectra: NDArray[np.float32]) -> None:
        numbers = [row.row for row in rows]
        traits.append(measure_traits(images, [read_header(files[n][1]) for n in numbers], numbers, spectra))

    partial = stats_of(images, rows, measure)
    index = pa.table(
        {
            "row": list(range(len(files))),
            "path": [row.path for row in rows],
            "label": [row.label for row in rows],
            "split": [row.split for row in rows],
            "generator": [row.generator for row in rows],
            "group_id": pa.array(range(len(files)) if groups is None else groups, pa.int64()),
            "pixel_sha256": [pixel_digest(image.pixels) for image in images],
        }
    )
    found = audit(partial.images(), join(traits), index, finish(partial, index))
    json.dumps(found, allow_nan=False)
    return found


def codes(found: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in found["findings"]}


def test_equal_classes_give_no_leak() -> None:
    files = [(f"{'REAL' if n % 2 else 'FAKE'}/{n}.jpg", encode(crop(n, 16), "JPEG")) for n in range(40)]
    found = audited(files)
    assert found["file"]["by_trait"]["size"]["auroc"] == 0.5
    assert not [code for code in codes(found) if code.startswith(("file", "duplicates", "near", "content"))]


def test_a_size_and_an_encoder_of_its_own_are_found_and_named() -> None:
    real = [(f"REAL/{n}.jpg", encode(crop(n, 16), "JPEG", quality=90, subsampling=0)) for n in range(40)]
    fake = [(f"FAKE/gan/{n}.jpg", encode(crop(n, 20), "JPEG", quality=75, subsampling=2)) for n in range(40, 80)]
    found = audited([*real, *fake])
    said = codes(found)
    assert {said[f"file.{trait}"] for trait in ("size", "jpeg", "sampling")} == {"critical"}
    assert "file.format" not in said
    assert said["generators.one"] == "warning"
    size = next(finding for finding in found["findings"] if finding["code"] == "file.size")
    assert size["title"] == "Size alone tells the classes apart"
    assert size["figures"]["auroc"] == 1.0
    assert 0.9 < size["figures"]["low"] < 1.0
    assert [finding["severity"] for finding in found["findings"]] == sorted(
        said.values(), key=["critical", "warning", "info"].index
    )


def test_numbers_that_only_tell_the_groups_apart_are_no_leak() -> None:
    """Ten images of each of forty scenes, each scene with a number of its own: across scenes it tells nothing."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    y = (groups % 2).astype(np.int8)
    scenes = random.normal(size=(40, 1))[groups]
    by_scene, by_image = separate(scenes, y, groups), separate(scenes, y, np.arange(400))
    assert by_scene is not None
    assert by_image is not None
    assert by_image.auroc > 0.95
    assert by_scene.auroc < 0.75


def test_a_class_without_enough_groups_is_not_judged() -> None:
    found = audited([(f"REAL/{n}.png", encode(crop(n, 16))) for n in range(6)])
    assert found["file"]["together"] is None
    assert found["look"]["by_number"]["brightness"] is None
    assert codes(found) == {"one_class": "warning"}


def test_a_header_is_read_without_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    data = encode(crop(0, 32), "JPEG", quality=75, subsampling=2, progressive=True, exif=exif)
    header = read_header(data[:-200])
    assert (header.format, header.luma_table, header.sampling) == ("JPEG", 1858, 420)
    assert (header.progressive, header.exif, header.icc) == (True, True, False)
    assert read_header(encode(crop(0, 32))) == FileHeader(format="PNG")
    for junk in (b"", b"no image", data[:40]):
        assert read_header(junk) == FileHeader()


def test_bands_are_the_means_of_rings_from_coarse_to_fine() -> None:
    down, across = np.fft.fftfreq(64)[:, None] * 64, np.arange(33)[None, :]
    radius = np.stack([np.hypot(down, across), -np.hypot(down, across)]).astype(np.float32)
    images = [decode(encode(crop(n, 16))) for n in range(2)]
    bands = measure_traits(images, [FileHeader()] * 2, [0, 1], radius)["bands"]
    assert np.all(bands[0] > 4 * np.arange(8) + 0.5)
    assert np.all(bands[0] < 4 * np.arange(8) + 4.5)
    np.testing.assert_array_equal(bands[1], -bands[0])


def test_a_picture_that_was_saved_again_or_scaled_is_a_near_duplicate_and_another_is_not() -> None:
    pictures = [Image.fromarray(crop(n, 64)) for n in range(12)]
    again = decode(encode(pictures[3], "JPEG", quality=60)).pixels
    scaled = np.asarray(pictures[7].resize((96, 96)))
    pixels = [*(np.asarray(picture) for picture in pictures), again, scaled]
    images = [decode(encode(x)) for x in pixels]
    spectra = np.zeros((14, 64, 33), np.float32)
    thumbnails = measure_traits(images, [FileHeader()] * 14, range(14), spectra)["thumbnail"]
    assert near_pairs(thumbnails, np.ones(14)).tolist() == [[3, 12], [7, 13]]
    stretched = np.ones(14)
    stretched[13] = 1.5
    assert near_pairs(thumbnails, stretched).tolist() == [[3, 12]]
    assert len(near_pairs(np.full((5, 8, 8, 3), 200, np.uint8), np.ones(5))) == 0, "flat pictures all look alike"


def test_thousands_of_one_picture_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.core.audit.twins.MOST_PAIRS", 1000)
    one = np.asarray(Image.fromarray(crop(1, 64)).resize((8, 8)))
    assert 0 < len(near_pairs(np.repeat(one[None], 500, axis=0), np.ones(500))) <= 1000


def test_duplicates_across_splits_and_classes_are_told() -> None:
    twice, both = encode(crop(1, 16)), encode(crop(2, 16))
    files = [
        ("train/REAL/a.png", twice),
        ("test/REAL/b.png", twice),
        ("train/REAL/c.png", both),
        ("train/FAKE/d.png", both),
        ("train/REAL/e.png", encode(crop(3, 64))),
        ("test/FAKE/f.jpg", encode(crop(3, 64), "JPEG", quality=80)),
    ]
    found = audited(files, groups=[0, 0, 1, 1, 2, 3])
    said = {finding["code"]: finding for finding in found["findings"]}
    assert said["duplicates.crossing"]["figures"] == {"images": 1, "test_images": 2}
    assert said["duplicates.conflicting"]["figures"] == {"groups": 1}
    assert said["near_duplicates.crossing"]["figures"] == {"images": 1}
    assert said["near_duplicates.classes"]["figures"] == {"pairs": 1}
    assert found["near_duplicates"]["first"][0]["paths"] == ["train/REAL/e.png", "test/FAKE/f.jpg"]


def test_a_class_with_more_grey_images_is_told() -> None:
    grey = Image.fromarray(crop(0, 16)).convert("L").convert("RGB")
    colour = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    files = [(f"REAL/{n}.png", encode(colour.rotate(n))) for n in range(30)]
    files += [(f"FAKE/{n}.png", encode((grey if n < 15 else colour).rotate(n + 30))) for n in range(30)]
    finding = next(one for one in audited(files)["findings"] if one["code"] == "near_grey")
    assert (finding["severity"], finding["figures"]["label"], finding["figures"]["times"]) == ("warning", "FAKE", None)
    assert "REAL 0.0%, FAKE 50.0%" in finding["detail"]


def test_contents_come_from_cifakes_names_or_from_folders_of_both_classes() -> None:
    y = np.array([0, 0, 1, 1], np.int8)
    assert contents_of(["a/0001 (2).jpg", "0002.jpg", "0003 (10).jpg", "0004 (4).jpg"], y) == [
        *("automobile", "airplane", "truck", "cat"),
    ]
    paths = ["train/REAL/cats/1.jpg", "REAL/dogs/2.jpg", "FAKE/gan/cats/3.jpg", "FAKE/gan/4.jpg"]
    assert contents_of(paths, y) == ["cats", "", "cats", ""]
    balance = describe_balance(y, ["", "", "gan", "gan"], paths)
    assert balance["contents"]["cats"] == {"REAL": 1, "FAKE": 1}
    assert (balance["generators"], balance["content_distance"]) == ({"gan": 2}, 0.0)


def test_uneven_classes_generators_and_contents_are_told() -> None:
    nothing = {"by_trait": dict.fromkeys(("size", "format", "jpeg", "sampling", "metadata", "bytes_per_pixel"))}
    measures: dict[str, Any] = {
        "file": {**nothing, "together": None},
        "look": {"together": None, "by_number": {}},
        "near_duplicates": {"test_images_like_train": 0, "across_groups": 0, "across_classes": 0},
        "balance": {
            "classes": {"REAL": 10, "FAKE": 90},
            "generators": {"gan": 87, "new": 3},
            "contents": {},
            "content_distance": 0.6,
        },
    }
    duplicates = {"groups": 1, "images": 2, "crossing_train_test": 0, "conflicting_labels": 0}
    profile = {"near_grey": {"by_class": {}}, "duplicates": duplicates}
    said = {finding.code: finding for finding in judge(measures, profile, 0)}
    assert set(said) == {"unbalanced", "generators.few", "content", "duplicates"}
    assert said["generators.few"].figures["generators"] == ["new"]


@pytest.mark.skipif(not PHOTOS.exists(), reason="DEEPFAKE_DATA names no folder with photos.zip")
def test_on_the_photographs_size_alone_tells_the_classes_apart() -> None:
    with zipfile.ZipFile(PHOTOS) as archive:
        files = [(name, archive.read(name)) for name in sorted(archive.namelist()) if name.endswith(".jpg")]
    found = audited(files, reduce_above=64)
    worst = found["findings"][0]
    assert (worst["code"], worst["severity"]) == ("file.size", "critical")
    assert found["file"]["by_trait"]["jpeg"]["auroc"] == 0.5, "both classes have quality 75"
