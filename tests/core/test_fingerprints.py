"""Fingerprints of generators that plant a known pattern: what is found, how surely, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import median_filter

from backend.core.errors import ConfigError, IntegrityError, InvalidInput, NotFound, TooFewImages, TooSmall
from backend.core.fingerprints import spectra
from backend.core.fingerprints.attribution import attribute
from backend.core.fingerprints.comparison import compare
from backend.core.fingerprints.correlation import correlations, left_out
from backend.core.fingerprints.denoisers import DENOISERS, residuals
from backend.core.fingerprints.drawing import PICTURES
from backend.core.fingerprints.fingerprint import FEWEST, Fingerprint, enrol
from backend.core.fingerprints.gallery import Gallery
from backend.core.fingerprints.sizes import crop
from backend.core.fingerprints.sums import FingerprintSums, commonest_size, sample_of
from backend.core.fingerprints.traits import Discriminants, without_source

Pixels = NDArray[np.uint8]
SIZE, NOISE, STRENGTH = (24, 24), 12.0, 3.0


def make(pattern: int | None, count: int, seed: int, size: tuple[int, int] = SIZE) -> list[Pixels]:
    """Noise around grey, with the pattern of that number: a tile of 8 x 8 that repeats."""
    random = np.random.default_rng([seed, 0 if pattern is None else pattern])
    images = 128 + random.normal(0, NOISE, (count, *size, 3))
    if pattern is not None:
        tile = np.random.default_rng(pattern).normal(0, STRENGTH, (8, 8, 3))
        images += np.tile(tile, (size[0] // 8, size[1] // 8, 1))
    return list(images.round().clip(0, 255).astype(np.uint8))


class Brightness:
    """An extractor of traits: mean and deviation of each colour."""

    digest = "brightness"
    reduce_above = None
    spec: dict[str, str] = {"name": "brightness"}  # noqa: RUF012
    dimensions = 6
    feature_names = tuple("abcdef")

    def extract(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        return np.array([[*image.mean(axis=(0, 1)), *image.std(axis=(0, 1))] for image in images], np.float32)


def sums(images: Sequence[Pixels], denoiser: str = "gaussian") -> FingerprintSums:
    return FingerprintSums.of(images, SIZE, denoiser, Brightness())


@pytest.fixture(scope="module")
def enrolled() -> list[Fingerprint]:
    """Four generators of 60 images."""
    return [enrol(f"g{number}", sums(make(number, 60, 1))) for number in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def gallery(enrolled: list[Fingerprint]) -> Gallery:
    return Gallery.of(enrolled)


@pytest.mark.parametrize("name", sorted(DENOISERS))
def test_residuals_of_a_batch_are_those_of_its_images_and_nothing_is_left_of_one_colour(name: str) -> None:
    images = np.stack(make(1, 3, 0))
    together = residuals(images, name)
    assert together.shape == images.shape
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[1:2], residuals(images[1:2], name), atol=1e-4)
    np.testing.assert_allclose(residuals(np.full((1, 17, 19, 3), 90, np.uint8), name), 0, atol=1e-3)
    with pytest.raises(TooSmall, match=name):
        residuals(images[:, :7], name)


def test_the_median_is_that_of_scipy() -> None:
    images = np.stack(make(None, 2, 0))
    wanted = images - median_filter(images.astype(np.float32), (1, 3, 3, 1), mode="mirror")
    np.testing.assert_array_equal(residuals(images, "median"), wanted)


def test_an_unknown_denoiser_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        sums(make(1, 2, 0), "bm3d")
    assert "wavelet" in caught.value.hint


def test_sums_of_parts_in_any_order_are_those_of_all() -> None:
    images = make(1, 30, 0)
    whole, parts = sums(images), [sums(images[start : start + 10]) for start in (20, 0, 10)]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    for name, array in whole.arrays().items():
        np.testing.assert_allclose(merged.arrays()[name], array, rtol=1e-4, atol=1e-2)
    again = FingerprintSums.from_arrays(merged.arrays(), merged.denoiser, merged.traits_digest)
    assert enrol("g", again).digest == enrol("g", merged).digest
    with pytest.raises(ValueError, match="in both"):
        merged.merge(parts[0])
    with pytest.raises(ValueError, match="another denoiser"):
        merged.merge(sums(make(2, 2, 0), "median"))


def test_the_sample_is_bounded_and_does_not_depend_on_how_the_images_were_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.core.fingerprints.sums.sample_of", lambda size: 7)
    monkeypatch.setattr("backend.core.fingerprints.sums.MOST_TRAITS", 9)
    images = make(1, 30, 0)
    whole, merged = sums(images), sums(images[:4]).merge(sums(images[4:]))
    assert whole.sample.shape[0] == 7
    assert whole.traits.shape[0] == 9
    np.testing.assert_array_equal(whole.sample, merged.sample)
    np.testing.assert_array_equal(whole.traits, merged.traits)


def test_the_kept_residuals_take_little_memory() -> None:
    assert sample_of((32, 32)) == 512
    assert sample_of((512, 512)) == 16


def test_images_that_say_nothing_are_left_out_and_counted() -> None:
    images = make(1, 12, 0)
    odd = [np.full((*SIZE, 3), 7, np.uint8), images[3], images[3], *make(1, 2, 0, (32, 32))]
    found = enrol("g", sums(images + odd), duplicates=5)
    assert found.count == 12
    assert found.left_out == {"duplicates": 7, "constant": 1, "other_size": 2}
    np.testing.assert_array_equal(found.residual, enrol("g", sums(images)).residual)


def test_too_few_images_are_refused_with_their_counts() -> None:
    few = sums([*make(1, FEWEST - 1, 0), np.zeros((*SIZE, 3), np.uint8)])
    with pytest.raises(TooFewImages, match=r"24 x 24 pixels that can be used: 9; .* 1 of one colour") as caught:
        enrol("g", few)
    assert str(FEWEST) in caught.value.hint


def test_the_size_of_most_images_is_chosen_and_large_ones_count_as_their_middle() -> None:
    assert commonest_size({(32, 32): 3, (64, 48): 5}) == (64, 48)
    assert commonest_size({(700, 900): 2, (3000, 600): 2, (64, 48): 3}) == (512, 512)
    with pytest.raises(TooFewImages):
        commonest_size({})


def test_crops_stay_on_the_grid_of_eight_pixels() -> None:
    image = np.arange(50 * 70).reshape(50, 70, 1)
    assert crop(image, (24, 24))[0, 0, 0] == 8 * 70 + 16


def test_a_residual_is_correlated_with_the_others_and_not_with_itself() -> None:
    rows = residuals(np.stack(make(1, 12, 0)), "gaussian")
    direct = [correlations(rows[i : i + 1], np.delete(rows, i, axis=0).mean(axis=0))[0] for i in range(12)]
    np.testing.assert_allclose(left_out(rows, rows.sum(axis=0, dtype=np.float64), 12), direct, atol=1e-5)
    with pytest.raises(ValueError, match="no others"):
        left_out(rows[:1], rows[0].astype(np.float64), 1)


def test_a_planted_pattern_correlates_as_its_strength_says() -> None:
    """White noise of deviation s and a pattern of deviation p: an image has p / sqrt(p² + s²) in common with it."""
    images = np.stack(make(1, 200, 0)).astype(np.float32) - 128
    pattern = images.mean(axis=0)
    expected = pattern.std() / np.sqrt(pattern.var() + NOISE**2)
    assert correlations(images, pattern).mean() == pytest.approx(expected, rel=0.05)


def test_a_batch_gains_by_the_root_of_its_size(gallery: Gallery) -> None:
    model = replace(gallery.by_correlation.model, between=np.zeros_like(gallery.by_correlation.model.between))
    rows = gallery.by_correlation.model.means[:1]
    np.testing.assert_allclose(model.z(rows, 16.0), 4 * model.z(rows, 1.0))


def test_a_fingerprint_comes_back_as_it_was_stored(enrolled: list[Fingerprint]) -> None:
    about = json.loads(json.dumps(enrolled[0].about()))
    again = Fingerprint.restore(about, enrolled[0].arrays())
    assert again.about() == about
    damaged = enrolled[0].arrays() | {"residual": enrolled[0].residual + 1}
    with pytest.raises(IntegrityError):
        Fingerprint.restore(about, damaged)
    with pytest.raises(IntegrityError):
        Fingerprint.restore({"generator": "g"}, enrolled[0].arrays())


def test_a_tile_shows_in_the_autocorrelation_at_its_period(enrolled: list[Fingerprint]) -> None:
    found = enrolled[0].autocorrelation
    middle = found.shape[0] // 2
    assert found[middle, middle] == pytest.approx(1)
    assert found[middle, middle + 8] > 4 * abs(found[middle, middle + 5])
    np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-9)


def test_the_power_spectrum_keeps_the_energy() -> None:
    rows = residuals(np.stack(make(1, 2, 0)), "gaussian")
    np.testing.assert_allclose(spectra.power(rows).sum(axis=(1, 2)), np.square(rows).sum(axis=(1, 2, 3)) / 3, rtol=1e-4)


@pytest.mark.parametrize("traits", [None, Brightness()], ids=["correlation", "combined"])
def test_a_batch_is_attributed_to_its_generator_and_a_foreign_one_to_none(
    gallery: Gallery, traits: Brightness | None
) -> None:
    for number in (1, 2, 3, 4):
        found = attribute(gallery, make(number, 16, 2), traits=traits)
        assert found.source == f"g{number}"
        assert found.method == ("combined" if traits else "correlation")
        assert [match.score for match in found.matches] == sorted((m.score for m in found.matches), reverse=True)
    strangers = [attribute(gallery, make(number, 16, 2), traits=traits) for number in (None, 9, 10, 11)]
    assert [found.source for found in strangers].count(None) >= 3
    json.dumps(found.to_json())


def test_a_larger_image_is_cropped_and_a_smaller_one_costs_signal(gallery: Gallery) -> None:
    larger = attribute(gallery, make(2, 4, 3, (40, 40)), traits=Brightness()).matches[0]
    assert (larger.generator, larger.crops, larger.pixels_share, larger.lost) == ("g2", 4, 1.0, 0.0)
    smaller = attribute(gallery, make(2, 16, 3, (16, 16)), traits=Brightness())
    assert smaller.method == "correlation"
    assert smaller.matches[0].generator == "g2"
    assert smaller.matches[0].pixels_share == pytest.approx(16 * 16 / 24**2)
    assert smaller.matches[0].lost == pytest.approx(1 - 16 / 24)


def test_one_image_many_times_is_one_image(gallery: Gallery) -> None:
    image = make(1, 1, 4)[0]
    found = attribute(gallery, [image] * 5 + [np.zeros((*SIZE, 3), np.uint8)])
    assert (found.images, found.duplicates, found.constant) == (1, 4, 1)


@pytest.mark.parametrize(
    ("images", "share", "error"),
    [
        ([], 0.05, InvalidInput),
        ([np.zeros((*SIZE, 3), np.uint8)], 0.05, InvalidInput),
        (make(1, 1, 0, (8, 8)), 0.9, ConfigError),
    ],
    ids=["none", "one colour", "share"],
)
def test_what_cannot_be_attributed_is_refused(
    gallery: Gallery, images: list[Pixels], share: float, error: type[Exception]
) -> None:
    with pytest.raises(error):
        attribute(gallery, images, false_attribution=share)


def test_a_gallery_needs_fingerprints_of_one_kind(enrolled: list[Fingerprint]) -> None:
    with pytest.raises(NotFound):
        Gallery.of([])
    with pytest.raises(ConfigError):
        Gallery.of([enrolled[0], enrol("g", sums(make(2, 12, 0), "median"))])


@pytest.mark.parametrize("count", [1, 2])
def test_with_few_sources_the_limit_comes_from_normal_distributions(enrolled: list[Fingerprint], count: int) -> None:
    gallery = Gallery.of(enrolled[:count])
    assert not gallery.calibrated
    assert attribute(gallery, make(1, 16, 2), traits=Brightness()).source == "g1"
    assert attribute(gallery, make(9, 16, 2), traits=Brightness()).source is None


def test_a_stricter_share_asks_for_a_higher_score(gallery: Gallery) -> None:
    limits = [gallery.by_correlation.threshold(16, share) for share in (0.2, 0.05, 0.01)]
    assert limits == sorted(limits)


def test_discriminants_judge_each_image_as_if_it_had_not_been_there() -> None:
    random = np.random.default_rng(0)
    sources = [random.normal(i / 4, 1, (30 + i, 20)).astype(np.float32) for i in range(3)]
    whole, scores = Discriminants.fit(sources)
    rest, _ = Discriminants.fit([np.delete(sources[0], 2, axis=0), *sources[1:]])
    row = sources[0][2:3]
    exact = ((row - whole.mean) @ rest.weights)[0]
    naive = whole.apply(row)[0]
    assert np.abs(scores[0][2] - exact).max() < 0.15 * np.abs(naive - exact).max()


def test_scores_without_a_source_are_those_of_the_rest() -> None:
    random = np.random.default_rng(0)
    means = random.normal(size=(4, 5))
    rows = random.normal(size=(7, 5))
    scores = rows @ (means - means.mean(axis=0)).T
    rest = np.delete(means, 1, axis=0)
    np.testing.assert_allclose(without_source(scores, 1), rows @ (rest - rest.mean(axis=0)).T, atol=1e-9)


def test_one_generator_under_two_names_is_reported(enrolled: list[Fingerprint]) -> None:
    twice = enrol("other name", sums(make(2, 60, 5)))
    same = enrol("same images", sums(make(3, 60, 1)))
    found = compare([*enrolled, twice, same])
    assert {(pair.first, pair.second) for pair in found.indistinguishable} == {
        ("g2", "other name"),
        ("g3", "same images"),
    }
    assert {pair.shared_images for pair in found.indistinguishable} == {0, 60}
    np.testing.assert_allclose(found.correlation, found.correlation.T)
    assert sorted(found.order) == list(range(6))
    assert len(found.linkage) == 5
    json.dumps(found.to_json())
    assert compare(enrolled[:1]).linkage == []


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_pictures_are_squares_that_show_something(name: str, enrolled: list[Fingerprint]) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(PICTURES[name](enrolled[0]))))
    assert min(pixels.shape[:2]) >= 200
    assert pixels.std() > 10
