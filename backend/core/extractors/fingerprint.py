"""How an image fits stored fingerprints of generators (Marra et al. 2018, Corvi et al. 2023): a few scores for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError
from backend.core.extractors.batches import by_shape
from backend.core.extractors.options import Option, digest_of, fill
from backend.core.extractors.stored import is_digest, read_stored
from backend.core.fingerprints import spectra
from backend.core.fingerprints.correlation import normalised
from backend.core.fingerprints.denoisers import DENOISERS, residuals
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.core.fingerprints.sizes import Size, common_size, crop, working_size
from backend.core.images import pixel_digest

FINGERPRINT = "fingerprint"
VERSION = 1
"""Raise when the way to the scores changes them, the denoisers included."""

MOST = 32
"""Fingerprints of one extractor: each takes up to 10 MB of every worker."""

SCORES = ("correlation", "autocorrelation", "radial", "angular")
"""For each fingerprint: the normalised correlation of the image's residual with the mean residual; the correlation of
both autocorrelations; the distance between both power spectra by ring and by sector, log10, root mean square."""

NEAR = 3
"""Pixels: over moves as short as that, autocorrelations show the denoiser, which all residuals have in common."""

OPTIONS = {
    "fingerprints": Option(
        "list",
        [],
        f"Which fingerprints, at most {MOST}: generators, ids or digests of those enrolled, "
        "or digests in a model's card.",
    ),
}

_LONGEST_NAME = 200
_BATCH, _BATCH_PIXELS = 64, 16 * 256 * 256


class FingerprintExtractor:
    """SCORES of an image against each fingerprint, side by side. Follows the protocol `Extractor`.

    Images are cropped, never resized: image and fingerprint are compared on the middle that both have, of at most 512
    pixels a side. Where the denoiser's window does not fit an image (8 or 16 pixels a side), its scores are 0. An image
    that a fingerprint was made of is compared with the mean of the *others*, so that no fingerprint knows its own
    images: figures on them are those of new images.
    """

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:  # noqa: ARG002
        """Reads the files that `spec` names from the folder `backbones`.

        Raises ConfigError, BackboneUnavailable where one is not there, IntegrityError where it is damaged.
        """
        self.spec = fill(spec, OPTIONS)
        self.fingerprints = [_read(backbones / file_name(digest), digest) for digest in check_names(self.spec)]
        self.reduce_above: int | None = None
        self.feature_names = [
            f"{FINGERPRINT}.{digest[:16]}.{score}" for digest in self.spec["fingerprints"] for score in SCORES
        ]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec)
        self._kinds: dict[tuple[str, Size], list[int]] = {}
        for place, one in enumerate(self.fingerprints):
            self._kinds.setdefault((one.denoiser, one.size), []).append(place)

    def describe(self) -> list[dict[str, Any]]:
        """What each fingerprint is, with its digest, as plain JSON values."""
        digests = self.spec["fingerprints"]
        return [{"digest": d, **one.describe()} for d, one in zip(digests, self.fingerprints, strict=True)]

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        scores = np.zeros((len(images), len(self.fingerprints), len(SCORES)), np.float32)
        for (denoiser, size), places in self._kinds.items():
            cut = [crop(image, common_size(image, size)) for image in images]
            known = [self._members(image, size, places) for image in images]
            for rows, pixels in by_shape(cut, _BATCH, _BATCH_PIXELS):
                if min(pixels.shape[1:3]) < DENOISERS[denoiser].smallest_side:
                    continue
                noise = residuals(pixels, denoiser)
                power = spectra.power(noise)
                asked = _Traces.of(noise, power)
                fingerprints = self._traces(places, (pixels.shape[1], pixels.shape[2]))
                scores[np.ix_(rows, places)] = asked.scores(fingerprints)
                for i, row in enumerate(rows):
                    for place in known[row]:
                        others = self.fingerprints[place].without(noise[i], power[i])
                        traces = _Traces.of(*(part[None] for part in others))
                        scores[row, place] = asked.some(i).scores(traces)[0, 0]
        return scores.reshape(len(images), self.dimensions)

    def _members(self, image: NDArray[np.uint8], size: Size, places: Sequence[int]) -> list[int]:
        """Those of the fingerprints in `places` that the image was enrolled for."""
        if working_size(*image.shape[:2]) != size:
            return []
        digest = pixel_digest(image)
        return [place for place in places if digest in self.fingerprints[place].members]

    def _traces(self, places: Sequence[int], size: Size) -> _Traces:
        """Of the fingerprints in `places`, all of one size, as far as images of `size` have them."""
        whole = size == self.fingerprints[places[0]].size
        return self._whole[places[0]] if whole else self._cut(places, size)

    def _cut(self, places: Sequence[int], size: Size) -> _Traces:
        means = np.stack([crop(self.fingerprints[place].residual, size) for place in places])
        return _Traces.of(means, np.stack([self.fingerprints[place].power for place in places]))

    @cached_property
    def _whole(self) -> dict[int, _Traces]:
        """First place of a kind -> traces of its fingerprints, whole."""
        return {places[0]: self._cut(places, size) for (_, size), places in self._kinds.items()}


@dataclass(frozen=True)
class _Traces:
    """What is compared of n images, or of the images of n fingerprints."""

    residual: NDArray[np.float32]  # (n, height · width · 3), rows of length 1
    autocorrelation: NDArray[np.float64]  # (n, 2 m + 1, 2 k + 1)
    radial: NDArray[np.float64]  # (n, rings), log10
    angular: NDArray[np.float64]  # (n, sectors), log10

    @classmethod
    def of(cls, residual: NDArray[np.floating[Any]], power: NDArray[np.float64]) -> _Traces:
        """From residuals (n, height, width, 3) and their power spectra, (n, height, width) or of a larger size."""
        measures = (spectra.autocorrelation, spectra.radial, spectra.angular)
        found = [np.stack([measure(one) for one in power]) for measure in measures]
        return cls(normalised(residual), *found)

    def some(self, row: int) -> _Traces:
        """Those of one row."""
        return _Traces(*(getattr(self, name)[row : row + 1] for name in self.__dataclass_fields__))

    def scores(self, fingerprints: _Traces) -> NDArray[np.float64]:
        """(n, fingerprints, SCORES)."""
        lags = self.autocorrelation.shape[1:]
        mine, theirs = _units(self.autocorrelation, lags), _units(fingerprints.autocorrelation, lags)
        pairs = (
            np.stack([fingerprints.residual @ row for row in self.residual]),  # one by one: the same in every batch
            np.stack([theirs @ row for row in mine]),
            _distances(self.radial, fingerprints.radial),
            _distances(self.angular, fingerprints.angular),
        )
        return np.stack(pairs, axis=-1)


def _units(autocorrelations: NDArray[np.float64], lags: tuple[int, ...]) -> NDArray[np.float64]:
    """(n, moves) of mean 0 and length 1: of the middle part of that shape, without moves of NEAR pixels and less."""
    top, left = ((have - wanted) // 2 for have, wanted in zip(autocorrelations.shape[1:], lags, strict=True))
    down, across = (np.abs(np.arange(length) - length // 2) for length in lags)
    far = np.maximum(down[:, None], across[None, :]) > NEAR
    moves = autocorrelations[:, top : top + lags[0], left : left + lags[1]][:, far]
    moves = moves - moves.sum(axis=1, keepdims=True) / max(1, moves.shape[1])
    result: NDArray[np.float64] = moves / np.maximum(np.linalg.norm(moves, axis=1, keepdims=True), 1e-12)
    return result


def _distances(rows: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m): root mean square difference of n and m profiles."""
    result: NDArray[np.float64] = np.sqrt(np.square(rows[:, None] - others[None]).mean(axis=-1))
    return result


def check_names(spec: Mapping[str, Any]) -> list[str]:
    """The fingerprints of a filled spec, digests or not yet. Raises ConfigError where they can be none."""
    names: list[str] = spec["fingerprints"]
    if len(names) > MOST:
        raise ConfigError(f"fingerprint.fingerprints has {len(names)} items.", f"Name at most {MOST}.")
    if bad := [name for name in names if not 0 < len(name) <= _LONGEST_NAME]:
        raise ConfigError(
            f"fingerprint.fingerprints has an item {bad[0][:80]!r}.", "Name a generator, an id or a digest."
        )
    return names


def file_name(digest: str) -> str:
    """Of the fingerprint in the folder of backbones. Raises ConfigError where the name is no digest."""
    if not is_digest(digest):
        raise ConfigError(
            f"fingerprint.fingerprints has an item {digest[:80]!r}.",
            "Give the 64 hexadecimal digits that a model's card shows.",
        )
    return f"{FINGERPRINT}-{digest}.safetensors"


def _read(path: Path, digest: str) -> FrozenFingerprint:
    missing = "Import a model that was exported with it, or name a generator that is enrolled."
    damaged = "Restore the file, import a model that was exported with it, or enrol the generator again."
    return FrozenFingerprint.from_bytes(read_stored(path, digest, FINGERPRINT, if_missing=missing, if_damaged=damaged))
