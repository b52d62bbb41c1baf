"""What the scores of stored fingerprints say of images with a planted pattern, and the file that a fingerprint is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from backend.core.errors import IntegrityError
from backend.core.extractors import check_spec, create, irreplaceable_files, is_at_hand
from backend.core.extractors.fingerprint import SCORES, FingerprintExtractor, file_name
from backend.core.extractors.stored import digest_of_file
from backend.core.fingerprints.correlation import correlations
from backend.core.fingerprints.denoisers import residuals
from backend.core.fingerprints.fingerprint import enrol
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.core.fingerprints.sums import FingerprintSums

Pixels = NDArray[np.uint8]
SIDE = 24


def make(pattern: int | None, count: int, seed: int, side: int = SIDE) -> list[Pixels]:
    """Noise around grey, with the pattern of that number: a tile that repeats every 8 pixels, or every 6."""
    random = np.random.default_rng([seed, 0 if pattern is None else pattern])
    images = 128 + random.normal(0, 12, (count, side, side, 3))
    if pattern is not None:
        period = 8 if pattern == 1 else 6
        tile = np.random.default_rng(pattern).normal(0, 4, (period, period, 3))
        images += np.tile(tile, (7, 7, 1))[:side, :side]
    return list(images.round().clip(0, 255).astype(np.uint8))


def frozen(pattern: int, images: list[Pixels], denoiser: str = "gaussian") -> FrozenFingerprint:
    sums = FingerprintSums.of(images, (images[0].shape[0], images[0].shape[1]), denoiser)
    return FrozenFingerprint.of(enrol(f"g{pattern}", sums))


def extractor_of(folder: Path, *fingerprints: FrozenFingerprint) -> FingerprintExtractor:
    digests = []
    for one in fingerprints:
        digests.append(digest_of_file(one.to_bytes()))
        (folder / file_name(digests[-1])).write_bytes(one.to_bytes())
    made = create({"name": "fingerprint", "fingerprints": digests}, backbones=folder)
    assert isinstance(made, FingerprintExtractor)
    return made


def score(extractor: FingerprintExtractor, images: list[Pixels], name: str) -> NDArray[np.float32]:
    """(n, fingerprints) of one of SCORES."""
    return extractor.extract(images).reshape(len(images), -1, len(SCORES))[..., SCORES.index(name)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> FingerprintExtractor:
    """Of two generators, 60 images each."""
    folder = tmp_path_factory.mktemp("two")
    return extractor_of(folder, *(frozen(pattern, make(pattern, 60, 1)) for pattern in (1, 2)))


@pytest.mark.parametrize("name", SCORES)
def test_images_fit_the_fingerprint_of_their_generator_best(two: FingerprintExtractor, name: str) -> None:
    own = 1 if name in ("radial", "angular") else -1  # distances are smaller, correlations larger
    means = np.stack([score(two, make(pattern, 40, 2), name).mean(axis=0) for pattern in (1, 2)])
    assert own * means[0, 0] < own * means[1, 0]
    assert own * means[1, 1] < own * means[0, 1]


def test_the_correlation_is_that_of_an_attribution_whatever_the_size(two: FingerprintExtractor) -> None:
    large, small = make(1, 1, 3, 40)[0], make(1, 1, 3, 16)[0]
    residual = two.fingerprints[0].residual
    wanted = [
        correlations(residuals(large[None, 8:32, 8:32], "gaussian"), residual)[0],  # the middle, cut on multiples of 8
        correlations(residuals(small[None], "gaussian"), residual[:16, :16])[0],
    ]
    np.testing.assert_allclose(score(two, [large, small], "correlation")[:, 0], wanted, atol=1e-5)


def test_a_fingerprint_does_not_know_its_own_images(tmp_path: Path) -> None:
    images, others = make(None, 12, 1), make(None, 200, 2)  # no pattern: all that correlates is the image itself
    extractor = extractor_of(tmp_path, frozen(1, images))
    own, foreign = score(extractor, images, "correlation"), score(extractor, others, "correlation")
    assert abs(own.mean()) < 3 * foreign.std() / np.sqrt(len(own))
    without = extractor_of(tmp_path, frozen(1, images[1:]))
    np.testing.assert_allclose(extractor.extract(images[:1]), without.extract(images[:1]), atol=1e-4)
    changed = images[0].copy()
    changed[0, 0, 0] ^= 1
    assert score(extractor, [changed], "correlation")[0, 0] > 0.1  # not the same image any more


def test_several_denoisers_and_sizes_go_side_by_side(tmp_path: Path) -> None:
    made = extractor_of(
        tmp_path,
        frozen(1, make(1, 12, 1)),
        frozen(1, make(1, 12, 1, 32), "wavelet"),
        frozen(2, make(2, 12, 1, 32)),
    )
    tiny = make(1, 1, 2, 8)
    found = made.extract(tiny).reshape(-1, len(SCORES))
    assert (found[1] == 0).all()  # the wavelet's window is 16 pixels
    assert (found[0] != 0).tolist() == [True, False, True, True]  # no move of more than 3 pixels fits
    assert [one["denoiser"] for one in made.describe()] == ["gaussian", "wavelet", "gaussian"]
    assert {one["count"] for one in made.describe()} == {12}


def test_its_files_are_told_and_a_damaged_one_is_refused(two: FingerprintExtractor, tmp_path: Path) -> None:
    spec = check_spec({"name": "concat", "parts": [{"name": "npr"}, two.spec]})
    names = irreplaceable_files(spec)
    assert names == [file_name(digest) for digest in two.spec["fingerprints"]]
    assert not is_at_hand(spec, tmp_path)
    for name in names:
        (tmp_path / name).write_bytes(b"something else")
    assert is_at_hand(spec, tmp_path)
    with pytest.raises(IntegrityError, match="damaged"):
        create(spec, backbones=tmp_path)


def test_a_file_that_is_no_fingerprint_is_refused(two: FingerprintExtractor) -> None:
    one = two.fingerprints[0]
    again = FrozenFingerprint.from_bytes(one.to_bytes())
    assert (again.generator, again.denoiser, again.count, again.size) == ("g1", "gaussian", 60, (SIDE, SIDE))
    assert again.to_bytes() == one.to_bytes()
    broken = [
        replace(one, denoiser="bm3d"),
        replace(one, power=one.power[1:]),
        replace(one, power=-one.power),
        replace(one, residual=one.residual * np.float32(np.inf)),
        replace(one, residual=one.residual[:4], power=one.power[:4]),
        replace(one, residual=one.residual.astype(np.float64)),
        replace(one, digests=one.digests[:1]),
        replace(one, digests=one.digests[:, :31]),
    ]
    without = {name: array for name, array in load(one.to_bytes()).items() if name != "about"}
    files = [each.to_bytes() for each in broken] + [save(without), one.to_bytes()[:-1], b"", b"{}"]
    for data in files:
        with pytest.raises(IntegrityError):
            FrozenFingerprint.from_bytes(data)
