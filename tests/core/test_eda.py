"""The profile of a data set: each figure against a plain computation, merging in any order, and CIFAKE's table."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from distributed.protocol.serialize import deserialize_bytes, serialize_bytes
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2hsv

from backend.core.eda import BATCH_PIXELS, Partial, RowInfo, finish, merge, profile_images, stats_of
from backend.core.eda_distributions import STATISTICS
from backend.core.eda_duplicates import find_duplicates
from backend.core.eda_measure import BAND_PIXELS, count_levels, measure
from backend.core.eda_outliers import robust_z
from backend.core.eda_spectrum import describe_spectrum, log_power, radial_frequencies
from backend.core.errors import LabelMismatch, NoImages
from backend.core.images import DecodedImage, decode, pixel_digest

CIFAKE = Path(os.environ.get("DEEPFAKE_DATA", "no-such-folder")) / "cifake.zip"


def image(pixels: NDArray[Any], format: str = "PNG", mode: str = "RGB", quality: int | None = None) -> DecodedImage:
    values = pixels.astype(np.uint8)
    return DecodedImage(values, format, mode, values.shape[1], values.shape[0], 1, quality)


def noise(n: int, height: int = 32, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Soft coloured noise (n, height, width, 3), each image with its own brightness and colours."""
    random = np.random.default_rng(seed)
    soft = gaussian_filter(random.normal(size=(n, height, width, 3)), (0, 1, 1, 0))
    means = random.uniform(60, 190, size=(n, 1, 1, 3))
    return np.clip(soft * 60 + means, 0, 255).astype(np.uint8)


def index_of(images: list[DecodedImage], rows: list[RowInfo], *, coded: bool = False) -> pa.Table:
    codes = {"REAL": 0, "FAKE": 1, "": -1}
    return pa.table(
        {
            "row": pa.array([row.row for row in rows], pa.int64()),
            "path": [row.path for row in rows],
            "label": [codes[row.label] if coded else row.label for row in rows],
            "split": [row.split for row in rows],
            "generator": [row.generator for row in rows],
            "pixel_sha256": [pixel_digest(image.pixels) for image in images],
        }
    )


def mixed_set() -> tuple[list[DecodedImage], list[RowInfo]]:
    """Sixty images of three sizes, two classes, two splits and two generators, interleaved."""
    sizes = [(32, 32), (48, 80), (100, 70)]
    images, rows = [], []
    for i in range(60):
        height, width = sizes[i % 3]
        label = "FAKE" if i % 2 else "REAL"
        pixels = noise(1, height, width, seed=i)[0]
        images.append(image(pixels, "JPEG" if i % 4 else "PNG", quality=75 if i % 4 else None))
        generator = ["", "gan", "diffusion"][i % 3] if label == "FAKE" else ""
        rows.append(RowInfo(i, label, "train" if i < 40 else "test", generator, 1000 + i, f"{label}/{i}.jpg"))
    return images, rows


def test_scalars_equal_a_plain_computation() -> None:
    pixels = noise(3, 20, 27)
    found = measure(pixels)
    for i in range(3):
        x = pixels[i].astype(np.float64)
        luma = x @ [0.299, 0.587, 0.114]
        laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
        assert found.brightness[i] == pytest.approx(luma.mean() / 255, rel=1e-5)
        assert found.contrast[i] == pytest.approx(luma.std() / 255, rel=1e-5)
        assert found.saturation[i] == pytest.approx(rgb2hsv(pixels[i])[..., 1].mean(), rel=1e-5)
        assert found.sharpness[i] == pytest.approx(laplacian.var(), rel=1e-4)
        assert found.colour_spread[i] == pytest.approx((x.max(axis=2) - x.min(axis=2)).mean() / 255, rel=1e-5)


def test_flat_and_black_images_have_no_contrast_saturation_or_sharpness() -> None:
    for value in (0, 77, 255):
        found = measure(np.full((1, 16, 16, 3), value, dtype=np.uint8))
        assert found.brightness[0] == pytest.approx(value / 255, abs=1e-6)
        assert found.saturation[0] == found.colour_spread[0] == 0.0
        assert found.contrast[0] == pytest.approx(0.0, abs=1e-3)
        assert found.sharpness[0] == pytest.approx(0.0, abs=1e-2)


def test_a_large_image_measured_in_bands_equals_its_measure_at_once() -> None:
    pixels = noise(1, 1100, 700)
    assert pixels[0, ..., 0].size > 2 * BAND_PIXELS
    luma = pixels[0].astype(np.float64) @ [0.299, 0.587, 0.114]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    found = measure(pixels)
    assert found.sharpness[0] == pytest.approx(laplacian.var(), rel=1e-5)
    assert found.brightness[0] == pytest.approx(luma.mean() / 255, rel=1e-6)
    assert count_levels(pixels).sum() == pixels.size
    assert count_levels(pixels)[1, 100] == (pixels[..., 1] == 100).sum()


def test_an_image_gives_the_same_alone_and_in_a_batch() -> None:
    pixels = noise(7)
    together = measure(pixels)
    spectra = log_power(pixels)
    for i in range(7):
        alone = measure(pixels[i : i + 1])
        for name in ("brightness", "contrast", "saturation", "sharpness", "colour_spread"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i], rel=1e-6)
        np.testing.assert_allclose(log_power(pixels[i : i + 1])[0], spectra[i], atol=1e-4)


def test_white_noise_has_the_power_of_its_variance_at_every_frequency_and_size() -> None:
    random = np.random.default_rng(0)
    for n, height, width in ((400, 32, 32), (400, 20, 90), (1, 640, 800)):
        grey = np.clip(random.normal(128, 20, size=(n, height, width, 1)), 0, 255).astype(np.uint8)
        half = log_power(np.repeat(grey, 3, axis=3))
        assert half.shape == (n, 64, 33)
        # The mean of log10 of an exponential variable is log10 of its mean less 0.2507; of many tiles' mean, not less.
        less = 0.2507 if n > 1 else 0.0
        radial = np.array(describe_spectrum(half.sum(axis=0, dtype=np.float64), n)["radial"])
        assert radial[4:].mean() == pytest.approx(np.log10((20 / 255) ** 2) - less, abs=0.03)
        assert radial[4:].std() < 0.08


@pytest.mark.parametrize(("height", "width"), [(32, 32), (40, 200), (256, 256), (700, 900)])
@pytest.mark.parametrize(("fy", "fx"), [(0, 16), (16, 0), (12, 20)])
def test_a_wave_shows_at_its_frequency_whatever_the_size(height: int, width: int, fy: int, fx: int) -> None:
    y, x = np.mgrid[0:height, 0:width]
    wave = 128 + 60 * np.cos(2 * np.pi * (fy * y + fx * x) / 64 + 0.3)
    half = log_power(np.repeat(wave[None, ..., None], 3, axis=3).astype(np.uint8))
    found = describe_spectrum(half.sum(axis=0, dtype=np.float64), 1)
    picture = np.array(found["picture"])
    peaks = {tuple(place) for place in np.argwhere(picture == picture.max())}
    assert (32 + fy, 32 + fx) in peaks
    assert (32 - fy, 32 - fx) in peaks
    np.testing.assert_allclose(picture[1:, 1:], picture[1:, 1:][::-1, ::-1], atol=2e-4)  # of a real image


def test_the_radial_profile_is_the_mean_over_rings() -> None:
    frequency = np.fft.fftfreq(64)
    radius = np.hypot(frequency[:, None], np.arange(33)[None, :] / 64)
    found = describe_spectrum(3.0 * radius, images=3)
    np.testing.assert_allclose(found["radial"], radial_frequencies(), atol=4e-3)
    assert found["picture"][32][:3] == [0.5, 0.4844, 0.4688]
    assert found["picture"][32][32] == pytest.approx((4 + 4 * np.sqrt(2)) / 8 / 64, abs=1e-4)


def test_merging_is_associative_and_chunks_do_not_matter() -> None:
    images, rows = mixed_set()
    index = index_of(images, rows)
    whole = finish(stats_of(images, rows), index)
    parts = [stats_of(images[i : i + 7], rows[i : i + 7]) for i in range(0, 60, 7)]
    left = Partial()
    for part in parts:
        left = merge(left, part)
    right = Partial()
    for part in parts[::-1]:  # results come in as workers end, in any order
        right = merge(part, right) if len(right.blocks) % 2 else merge(right, part)
    for found in (finish(left, index), finish(right, index)):
        assert_close(found, whole)


def assert_close(found: Any, expected: Any) -> None:
    """Equal JSON, but for the last digits of sums in another order."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_close(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5, abs=2e-4)
    else:
        assert found == expected


def test_merge_changes_neither_side_and_parts_travel_between_processes_in_few_bytes() -> None:
    pixels = noise(512)
    part = stats_of([image(x) for x in pixels], [RowInfo(i, "REAL", "train") for i in range(512)])
    before = serialize_bytes(part)
    assert len(before) < 100_000
    merge(part, part)
    merge(Partial(), part)
    assert serialize_bytes(part) == before
    again = deserialize_bytes(before)
    assert again.images().tobytes() == part.images().tobytes()


def test_the_profile_is_plain_json_with_the_figures_of_its_images() -> None:
    images, rows = mixed_set()
    found = finish(stats_of(images, rows), index_of(images, rows))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["images"] == 60
    assert found["counts"]["by_class"] == {"REAL": 30, "FAKE": 30}
    assert found["counts"]["by_split"] == {"test": {"FAKE": 10, "REAL": 10}, "train": {"FAKE": 20, "REAL": 20}}
    assert found["counts"]["by_generator"] == {
        "": {"FAKE": 10, "REAL": 30},
        "diffusion": {"FAKE": 10},
        "gan": {"FAKE": 10},
    }
    assert found["formats"] == {"JPEG": {"FAKE": 30, "REAL": 15}, "PNG": {"REAL": 15}}
    assert found["modes"] == {"RGB": {"FAKE": 30, "REAL": 30}}
    assert found["jpeg_quality"] == {"75": {"REAL": 15, "FAKE": 30}}
    assert found["sizes"]["distinct"] == 3
    assert found["sizes"]["common"][0]["by_class"] == {"REAL": 10, "FAKE": 10}
    assert {(row["width"], row["height"]) for row in found["sizes"]["common"]} == {(32, 32), (80, 48), (70, 100)}


def test_channels_are_over_all_pixels_by_split_and_class() -> None:
    images, rows = mixed_set()
    channels = finish(stats_of(images, rows), index_of(images, rows))["channels"]
    chosen = [x.pixels for x, row in zip(images, rows, strict=True) if (row.split, row.label) == ("train", "FAKE")]
    pixels = np.concatenate([x.reshape(-1, 3) for x in chosen]) / 255.0
    found = channels["by_split_and_class"]["train"]["FAKE"]
    assert found["mean"] == pytest.approx(pixels.mean(axis=0).tolist())
    assert found["std"] == pytest.approx(pixels.std(axis=0).tolist())
    assert found["images"] == 20
    assert np.sum(found["histogram"], axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    everything = np.concatenate([x.pixels.reshape(-1, 3) for x in images]) / 255.0
    assert channels["all"]["std"] == pytest.approx(everything.std(axis=0).tolist())
    assert channels["by_split"]["train"]["images"] == 40
    assert channels["by_class"]["REAL"]["images"] == 30
    assert channels["imagenet"] == {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def test_every_distribution_holds_every_image_once() -> None:
    images, rows = mixed_set()
    distributions = finish(stats_of(images, rows), index_of(images, rows))["distributions"]
    assert set(distributions) == set(STATISTICS)
    for found in distributions.values():
        assert len(found["edges"]) > 1
        assert (np.diff(found["edges"]) > 0).all()
        for label in ("REAL", "FAKE"):
            mine = found["by_class"][label]
            assert sum(mine["counts"]) == 30
            assert len(mine["counts"]) == len(found["edges"]) - 1
            assert (np.diff(list(mine["quantiles"].values())) >= 0).all()
    real_bytes = [row.bytes for row in rows if row.label == "REAL"]
    assert distributions["bytes"]["by_class"]["REAL"]["quantiles"]["p50"] == np.median(real_bytes)
    assert distributions["aspect"]["by_class"]["FAKE"]["quantiles"]["max"] == pytest.approx(80 / 48)


def test_near_grey_is_counted_by_its_definition() -> None:
    grey = np.repeat(noise(10)[..., :1], 3, axis=3).astype(int)
    tinted = grey + np.array([0, 0, 4])  # a spread of 4 of 255: still near-grey
    strong = grey + np.array([0, 0, 6])
    images = [image(np.clip(x, 0, 255)) for x in (*grey, *tinted, *strong)]
    labels = ["REAL"] * 10 + ["FAKE"] * 20
    found = profile_images(images, [RowInfo(i, label) for i, label in enumerate(labels)])["near_grey"]
    assert found["by_class"] == {"REAL": {"images": 10, "share": 1.0}, "FAKE": {"images": 10, "share": 0.5}}
    assert found["images"] == 20


def test_outliers_are_named_with_their_reason() -> None:
    pixels = noise(200)
    pixels = np.clip(pixels.astype(int) - pixels.mean(axis=(1, 2, 3), keepdims=True) + 120, 0, 255)
    images = [image(x) for x in pixels]
    rows = [RowInfo(i, "REAL", bytes=900 + i % 7, path=f"{i}.png") for i in range(200)]
    images[17] = image(pixels[17] * 0.05)
    images[40] = image(noise(1, 32, 160)[0])
    rows[90] = RowInfo(90, "FAKE", bytes=90_000, path="90.png")
    found = finish(stats_of(images, rows), index_of(images, rows, coded=True))["outliers"]
    by_row = {one["row"]: one for one in found["images"]}
    assert any(reason.startswith("very dark: brightness 0.0") for reason in by_row[17]["reasons"])
    assert any(reason.startswith("very wide: aspect 5, median 1") for reason in by_row[40]["reasons"])
    assert by_row[90]["reasons"][0].startswith("large file: bytes 9e+04")
    assert (by_row[90]["path"], by_row[90]["label"]) == ("90.png", "FAKE")
    assert len(found["images"]) == found["count"] < 20
    scores = [one["score"] for one in found["images"]]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > found["threshold"]


def test_at_most_fifty_outliers_are_listed_and_all_counted() -> None:
    images = [image(x) for x in noise(400)]
    rows = [RowInfo(i, "REAL", bytes=900 + i % 50 if i % 4 else 10_000_000 + i) for i in range(400)]
    found = finish(stats_of(images, rows), index_of(images, rows))["outliers"]
    assert found["count"] >= 100
    assert len(found["images"]) == 50


def test_robust_z_by_hand_and_where_most_values_are_equal() -> None:
    assert robust_z(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == pytest.approx(
        np.array([-2.0, -1.0, 0.0, 1.0, 97.0]) / 1.482602
    )
    assert robust_z(np.full(5, 3.0)).tolist() == [0.0] * 5
    mostly = robust_z(np.array([1.0] * 99 + [2.0]))
    assert mostly[0] == 0.0
    assert mostly[-1] == pytest.approx(1 / (1.253314 * 0.01))


def duplicates_index(hashes: list[str | None], splits: list[str], labels: list[int]) -> pa.Table:
    n = len(hashes)
    names = [f"{i}.png" for i in range(n)]
    columns = {"row": np.arange(n), "path": names, "label": labels, "split": splits, "pixel_sha256": hashes}
    return pa.table(columns)


def test_duplicates_are_grouped_and_those_that_cross_come_first() -> None:
    index = duplicates_index(
        ["a", "b", "a", "c", "c", "c", None, None, "d"],
        ["train", "train", "train", "test", "train", "test", "train", "test", "test"],
        [0, 0, 1, 1, 1, 1, 0, 1, 0],
    )
    found = find_duplicates(index)
    assert {key: found[key] for key in ("groups", "images", "crossing_train_test", "conflicting_labels")} == {
        "groups": 2,
        "images": 5,
        "crossing_train_test": 2,
        "conflicting_labels": 1,
    }
    assert [group["pixel_sha256"] for group in found["first"]] == ["c", "a"]
    assert found["first"][0]["members"][0] == {"row": 3, "path": "3.png", "label": "FAKE", "split": "test"}


def test_long_lists_of_duplicates_are_cut() -> None:
    hashes: list[str | None] = [f"h{i // 2}" for i in range(200)] + ["same"] * 500
    found = find_duplicates(duplicates_index(hashes, ["train"] * 700, [1] * 700))
    assert (found["groups"], found["images"], found["crossing_train_test"]) == (101, 700, 0)
    assert len(found["first"]) == 50
    only = find_duplicates(duplicates_index(["same"] * 500, ["train"] * 500, [1] * 500))["first"]
    assert (only[0]["count"], len(only[0]["members"])) == (500, 10)


def test_a_data_set_without_duplicates() -> None:
    found = find_duplicates(duplicates_index(["a", None, "b"], ["", "", ""], [0, 1, -1]))
    assert found == {"groups": 0, "images": 0, "crossing_train_test": 0, "conflicting_labels": 0, "first": []}


def test_a_handful_of_unlabelled_images_is_profiled() -> None:
    images = [image(x) for x in noise(3)] + [image(noise(3)[0]), image(noise(1, 90, 60)[0])]
    found = profile_images(images)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["counts"] == {"by_class": {"": 5}, "by_split": {"": {"": 5}}, "by_generator": {"": {"": 5}}}
    assert found["duplicates"]["groups"] == 1
    assert found["outliers"]["images"] == []
    assert "bytes" not in found["distributions"]
    assert found["spectrum"]["by_class"][""]["images"] == 5


def test_one_image_is_enough_and_none_is_not() -> None:
    assert profile_images([image(noise(1)[0])])["images"] == 1
    with pytest.raises(NoImages):
        profile_images([])


def test_rows_that_do_not_fit_are_named() -> None:
    images = [image(x) for x in noise(2)]
    for rows in ([RowInfo(0)], [RowInfo(0), RowInfo(1), RowInfo(2)]):
        with pytest.raises(LabelMismatch):
            stats_of(images, rows)
    with pytest.raises(LabelMismatch, match="'real'"):
        RowInfo(0, "real")


def test_images_may_come_one_by_one_and_are_let_go() -> None:
    alive: list[int] = []

    class Counted(np.ndarray[Any, np.dtype[np.uint8]]):
        def __del__(self) -> None:
            if self.base is None:
                alive.pop()

    def stream() -> Iterator[DecodedImage]:
        for i in range(40):
            held = np.ndarray.__new__(Counted, (256, 256, 3), dtype=np.uint8)
            held[...] = i
            alive.append(i)
            assert len(alive) <= 2 * BATCH_PIXELS // (256 * 256) + 2
            yield DecodedImage(held, "PNG", "RGB", 256, 256, 1, None)
            del held

    assert len(stats_of(stream(), [RowInfo(i) for i in range(40)]).images()) == 40


@pytest.mark.skipif(not CIFAKE.exists(), reason="DEEPFAKE_DATA names no folder with cifake.zip")
def test_on_cifake_the_published_table_comes_out() -> None:
    """All test images, and every seventh of training: the whole of it, measured once, agrees to the third decimal."""
    partial = Partial()
    with zipfile.ZipFile(CIFAKE) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        train = [name for name in names if name.startswith("train/")][::7]
        test = [name for name in names if name.startswith("test/")]
        chosen = train + test
        hashes = []
        for start in range(0, len(chosen), 512):
            images = [decode(archive.read(name)) for name in chosen[start : start + 512]]
            hashes += [pixel_digest(one.pixels) for one in images]
            rows = [
                RowInfo(start + i, name.split("/")[1], name.split("/")[0])
                for i, name in enumerate(chosen[start : start + 512])
            ]
            partial = merge(partial, stats_of(images, rows))
    index = duplicates_index(hashes, [name.split("/")[0] for name in chosen], [int("FAKE" in name) for name in chosen])
    found = finish(partial, index)
    table = found["channels"]["by_split"]
    assert np.round(table["test"]["mean"], 3).tolist() == [0.473, 0.464, 0.419]
    assert np.round(table["test"]["std"], 3).tolist() == [0.238, 0.237, 0.266]
    assert table["train"]["mean"] == pytest.approx([0.472, 0.463, 0.418], abs=0.003)
    assert table["train"]["std"] == pytest.approx([0.238, 0.237, 0.266], abs=0.002)
    grey = found["near_grey"]["by_class"]
    assert grey["FAKE"]["share"] == pytest.approx(0.15, abs=0.01)
    assert grey["REAL"]["share"] == pytest.approx(0.025, abs=0.005)
    assert found["jpeg_quality"] == {"75": found["counts"]["by_class"]}
    assert found["duplicates"]["conflicting_labels"] == 0
    assert found["duplicates"]["crossing_train_test"] > 10
