"""What the extractors synthbuster and dct find in images whose traces are known, and that heads can use them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import idctn

from backend.core.extractors import Extractor, create
from backend.core.heads import HeadConfig, fit_head
from backend.core.metrics import auroc

Pixels = NDArray[np.uint8]
SIDE = 32


def make(name: str) -> Extractor:
    return create({"name": name}, backbones=Path())


def noise(count: int, seed: int) -> list[Pixels]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8))


def upsampled(image: Pixels) -> Pixels:
    """Halved and brought back."""
    half = Image.fromarray(image).resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX)
    return np.asarray(half.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def test_an_upsampler_leaves_a_peak_at_a_period_of_two_pixels() -> None:
    extractor = make("synthbuster")
    plain, doubled = (extractor.extract(images).mean(axis=0) for images in (noise(8, 0), map_up(noise(8, 0))))
    gained = dict(zip(extractor.feature_names, doubled - plain, strict=True))
    assert gained["synthbuster.green[4,4]"] > 0.2 + gained["synthbuster.green[3,1]"]


def map_up(images: list[Pixels]) -> list[Pixels]:
    return [upsampled(image) for image in images]


def test_harmonics_are_those_of_the_whole_transform() -> None:
    image = noise(1, 1)[0][:25, :25]  # cross differences of 24 x 24 pixels: whole periods
    pixels = image.astype(np.float64) / 255
    cross = np.abs(pixels[:-1, :-1] + pixels[1:, 1:] - pixels[:-1, 1:] - pixels[1:, :-1])
    whole = np.abs(np.fft.fft2(cross, axes=(0, 1)))[::3, ::3] / cross[..., 0].size
    found = make("synthbuster").extract([image])[0].reshape(3, 8, 5)
    np.testing.assert_allclose(found[1], np.log10(whole[:, :5, 1] + 1e-5), atol=1e-3)


def test_the_scale_of_a_planted_laplacian_is_found() -> None:
    blocks = np.zeros((16, 8, 16, 8))
    blocks[:, 2, :, 3] = np.random.default_rng(0).laplace(0, 60, (16, 16))
    grey = 128 + idctn(blocks, axes=(1, 3), norm="ortho").reshape(128, 128)
    image = np.repeat(grey.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    extractor = make("dct")
    found = dict(zip(extractor.feature_names, extractor.extract([image])[0], strict=True))
    assert 10 ** found["dct.luma[2,3]"] * 255 == pytest.approx(60, rel=0.15)
    assert found["dct.luma[2,3]"] > found["dct.luma[3,2]"] + 1


@pytest.mark.parametrize("name", ["synthbuster", "dct"])
def test_a_head_tells_images_by_them(name: str) -> None:
    extractor = make(name)
    images = [noise(60, seed) + map_up(noise(60, seed + 1)) for seed in (2, 4)]
    y = np.repeat(np.array([0, 1], np.int8), 60)
    fitted, asked = (extractor.extract(found) for found in images)
    head = fit_head(fitted, y, HeadConfig(name="logreg", C=0.1))
    assert (auroc(y, head.scores(asked)) or 0) > 0.95
