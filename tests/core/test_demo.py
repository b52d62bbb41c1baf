"""The demonstration set: what is in it, and that only the generators' traces tell the classes apart."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from backend.core.demo import IMAGES, SIDE, DemoImage, make_demo, write_demo_zip
from backend.core.images import decode


@pytest.fixture(scope="module")
def images() -> list[DemoImage]:
    return list(make_demo())


def test_classes_generators_and_photographs_are_balanced(images: list[DemoImage]) -> None:
    assert len(images) == IMAGES >= 600
    assert Counter(image.label for image in images) == {"REAL": IMAGES // 2, "FAKE": IMAGES // 2}
    generators = Counter(image.generator for image in images if image.label == "FAKE")
    assert len(generators) >= 3
    assert len(set(generators.values())) == 1
    by_group = Counter((image.group, image.label) for image in images)
    assert len({group for group, _ in by_group}) >= 12
    assert len(set(by_group.values())) == 1
    assert all(image.generator == "" for image in images if image.label == "REAL")
    assert len({image.path for image in images}) == len({image.data for image in images}) == IMAGES


def test_size_and_encoding_do_not_tell_the_classes_apart(images: list[DemoImage]) -> None:
    seen = {}
    for label in ("REAL", "FAKE"):
        decoded = [decode(image.data) for image in images if image.label == label]
        seen[label] = {(d.format, d.mode, d.width, d.height, d.jpeg_quality) for d in decoded}
    assert seen["REAL"] == seen["FAKE"]
    assert {item[2:4] for item in seen["REAL"]} == {(SIDE, SIDE)}


def test_fakes_show_what_their_original_shows(images: list[DemoImage]) -> None:
    """Each generator but the texture, which has new phases, keeps the picture; all keep its mean colour."""
    pixels = {image.path: decode(image.data).pixels.astype(float) for image in images}
    for image in images:
        if image.label == "FAKE":
            real = pixels[f"REAL/{image.path.rpartition('/')[2]}"]
            fake = pixels[image.path]
            assert abs(real.mean() - fake.mean()) < 25, image.path
    near = [
        np.corrcoef(pixels[image.path].ravel(), pixels[f"REAL/{image.path.rpartition('/')[2]}"].ravel())[0, 1]
        for image in images
        if image.label == "FAKE" and image.generator != "spectral-texture"
    ]
    assert np.median(near) > 0.9


def test_mean_colour_is_no_shortcut_but_the_spectrum_is_a_signal(images: list[DemoImage]) -> None:
    """On photographs held out, colour alone is near chance, a few high-frequency numbers are well above."""
    pixels = np.stack([decode(image.data).pixels for image in images]).astype(float)
    y = np.array([image.label == "FAKE" for image in images])
    groups = np.array([image.group for image in images])
    held_out = np.isin(groups, sorted(set(groups))[::4])
    grey = pixels.mean(axis=3)
    power = np.log(np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2 + 1)
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE)] * 2))
    bands = np.stack([power[:, (radius >= a) & (radius < a + 0.08)].mean(axis=1) for a in np.arange(0, 0.7, 0.08)], 1)

    def accuracy(X: np.ndarray) -> float:
        scaler = StandardScaler().fit(X[~held_out])
        model = LogisticRegression(max_iter=1000).fit(scaler.transform(X[~held_out]), y[~held_out])
        return float(model.score(scaler.transform(X[held_out]), y[held_out]))

    assert accuracy(pixels.mean(axis=(1, 2))) < 0.6
    assert accuracy(bands) > 0.7


def test_zip_is_the_same_for_the_same_seed_and_holds_the_groups(tmp_path: Path, images: list[DemoImage]) -> None:
    assert write_demo_zip(tmp_path / "demo.zip") == IMAGES
    with zipfile.ZipFile(tmp_path / "demo.zip") as archive:
        assert archive.testzip() is None
        assert {image.path: image.data for image in images} == {
            name: archive.read(name) for name in archive.namelist() if name != "metadata.csv"
        }
        lines = archive.read("metadata.csv").decode().splitlines()
    assert lines[0] == "file_name,group"
    assert lines[1:] == [f"{image.path},{image.group}" for image in images]


def test_another_seed_gives_other_images(images: list[DemoImage]) -> None:
    assert next(make_demo(1)).data != images[0].data
