"""Partial sums over a generator's images: made for a chunk on any worker, cached, merged into those of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import TooFewImages
from backend.core.extractors import Extractor
from backend.core.fingerprints.denoisers import check_denoiser, residuals
from backend.core.fingerprints.sizes import Size, crop, working_size
from backend.core.fingerprints.spectra import power
from backend.core.images import pixel_digest

Arrays = dict[str, NDArray[Any]]

MOST_TRAITS = 2000
"""Images whose traits are kept: more say little about their spread."""

_SAMPLE_BYTES = 8 * 2**20
_FEWEST_SAMPLE, _MOST_SAMPLE = 16, 512
_BATCH_PIXELS = 16 * 256 * 256


def commonest_size(counts: Mapping[Size, int]) -> Size:
    """The working size of most of the images, for counts of images by (height, width); the larger one in a tie.

    Raises TooFewImages where there are none.
    """
    by_size: dict[Size, int] = {}
    for (height, width), count in counts.items():
        size = working_size(height, width)
        by_size[size] = by_size.get(size, 0) + count
    if not by_size:
        raise TooFewImages("There are no images.", "Send images of one generator.")
    return max(by_size, key=lambda size: (by_size[size], size))


def sample_of(size: Size) -> int:
    """How many images' residuals are kept for the distribution of correlations: 16 to 512, about 8 MiB."""
    return int(np.clip(_SAMPLE_BYTES // (size[0] * size[1] * 6), _FEWEST_SAMPLE, _MOST_SAMPLE))


@dataclass(frozen=True)
class FingerprintSums:
    """Sums over images of one working size, each counted once. Rows are in the order of `digests`, which is sorted.

    Residuals and traits are kept of the images with the smallest digests: the same random sample, however the images
    were cut into chunks.
    """

    denoiser: str
    traits_digest: str  # of the extractor of traits; "" without one
    residual: NDArray[np.float64]  # (height, width, 3), grey levels: sum over images
    power: NDArray[np.float64]  # (height, width): sum of |FFT|² / pixels
    digests: NDArray[np.uint8]  # (n, 32): SHA-256 over the pixels of each image, whole
    sample: NDArray[np.float16]  # (m, height, width, 3): residuals of the first m images
    traits: NDArray[np.float32]  # (t, d): features of the first t images
    duplicates: int = 0  # images that were left out, by reason
    constant: int = 0
    other_size: int = 0

    @property
    def count(self) -> int:
        """Images in the sums."""
        return len(self.digests)

    @property
    def size(self) -> Size:
        """(height, width), pixels."""
        return self.residual.shape[0], self.residual.shape[1]

    @classmethod
    def of(
        cls, images: Sequence[NDArray[np.uint8]], size: Size, denoiser: str, traits: Extractor | None = None
    ) -> FingerprintSums:
        """Of RGB images of any sizes; those whose working size is another are left out and counted.

        An image that is one colour has no residual and is left out; one that comes again is left out too.
        Raises ConfigError for an unknown denoiser, TooSmall where its window does not fit `size`.
        """
        check_denoiser(denoiser, *size)
        chosen: dict[bytes, NDArray[np.uint8]] = {}
        left_out = {"duplicates": 0, "constant": 0, "other_size": 0}
        for image in images:
            if working_size(*image.shape[:2]) != size:
                left_out["other_size"] += 1
                continue
            cut, digest = crop(image, size), bytes.fromhex(pixel_digest(image))
            if (cut == cut[0, 0]).all():
                left_out["constant"] += 1
            elif digest in chosen:
                left_out["duplicates"] += 1
            else:
                chosen[digest] = cut
        order = sorted(chosen)
        pixels = [chosen[digest] for digest in order]
        total, spectrum, sample = np.zeros((*size, 3)), np.zeros(size), []
        step = max(1, _BATCH_PIXELS // (size[0] * size[1]))
        for start in range(0, len(pixels), step):
            part = residuals(np.stack(pixels[start : start + step]), denoiser)
            total += part.sum(axis=0, dtype=np.float64)
            spectrum += power(part).sum(axis=0)
            sample.append(part[: max(0, sample_of(size) - start)].astype(np.float16))
        return cls(
            denoiser=denoiser,
            traits_digest=traits.digest if traits else "",
            residual=total,
            power=spectrum,
            digests=np.frombuffer(b"".join(order), np.uint8).reshape(-1, 32).copy(),
            sample=np.concatenate([np.zeros((0, *size, 3), np.float16), *sample]),
            traits=_traits_of(pixels[:MOST_TRAITS], traits),
            **left_out,
        )

    def merge(self, other: FingerprintSums) -> FingerprintSums:
        """The sums over the images of both. Raises ValueError where they do not fit, or an image is in both."""
        if (self.denoiser, self.traits_digest, self.size) != (other.denoiser, other.traits_digest, other.size):
            raise ValueError("sums of another denoiser, extractor or size")
        digests = np.concatenate([self.digests, other.digests])
        order = np.lexsort(digests.T[::-1])
        digests = digests[order]
        if (digests[1:] == digests[:-1]).all(axis=1).any():
            raise ValueError("an image is in both sums")
        return FingerprintSums(
            denoiser=self.denoiser,
            traits_digest=self.traits_digest,
            residual=self.residual + other.residual,
            power=self.power + other.power,
            digests=digests,
            sample=_first(order, self, other, "sample", sample_of(self.size)),
            traits=_first(order, self, other, "traits", MOST_TRAITS),
            duplicates=self.duplicates + other.duplicates,
            constant=self.constant + other.constant,
            other_size=self.other_size + other.other_size,
        )

    def arrays(self) -> Arrays:
        """What `from_arrays` needs, beside the denoiser and the extractor's digest."""
        return {
            "residual": self.residual,
            "power": self.power,
            "digests": self.digests,
            "sample": self.sample,
            "traits": self.traits,
            "left_out": np.array([self.duplicates, self.constant, self.other_size]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], denoiser: str, traits_digest: str) -> FingerprintSums:
        """The stored sums. Raises KeyError or ValueError where arrays do not fit."""
        duplicates, constant, other_size = (int(number) for number in arrays["left_out"])
        parts = {name: arrays[name] for name in ("residual", "power", "digests", "sample", "traits")}
        height, width = parts["power"].shape
        if parts["residual"].shape != (height, width, 3) or parts["sample"].shape[1:] != (height, width, 3):
            raise ValueError("arrays of shapes that do not fit each other")
        return cls(denoiser, traits_digest, **parts, duplicates=duplicates, constant=constant, other_size=other_size)


def _traits_of(pixels: Sequence[NDArray[np.uint8]], traits: Extractor | None) -> NDArray[np.float32]:
    return traits.extract(pixels) if traits else np.zeros((len(pixels), 0), np.float32)


def _first(order: NDArray[np.int64], a: FingerprintSums, b: FingerprintSums, name: str, most: int) -> NDArray[Any]:
    """The rows of `name` of the first `most` images in the order of both."""
    rows, others = getattr(a, name), getattr(b, name)
    wanted = order[:most]
    in_b = wanted >= a.count
    result = np.empty((len(wanted), *rows.shape[1:]), rows.dtype)
    result[~in_b] = rows[wanted[~in_b]]
    result[in_b] = others[wanted[in_b] - a.count]
    return result
