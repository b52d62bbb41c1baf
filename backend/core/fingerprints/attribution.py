"""Which enrolled generator an image, or a batch said to come from one source, was made by, or none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError, InvalidInput
from backend.core.extractors import Extractor
from backend.core.fingerprints.correlation import normalised
from backend.core.fingerprints.denoisers import check_denoiser, residuals
from backend.core.fingerprints.gallery import Gallery
from backend.core.fingerprints.sizes import Size, common_size, crop
from backend.core.images import pixel_digest

Floats = NDArray[np.float64]

FALSE_ATTRIBUTION = 0.05
"""Share of batches from foreign sources that may be attributed to an enrolled one."""


@dataclass(frozen=True)
class Match:
    """How one enrolled generator fits the batch."""

    generator: str
    correlation: float  # normalised, mean over the images, -1..1
    z: float  # in standard deviations of what batches of this size from other enrolled sources have
    score: float  # log likelihood minus that of the best other explanation, nats
    crops: int  # images of which a part was compared, or that were compared with a part of the fingerprint
    pixels_share: float  # of the fingerprint's pixels that were compared, mean over the images
    lost: float  # share of the signal-to-noise ratio of whole images that this costs, 0..1


@dataclass(frozen=True)
class Attribution:
    """The answer for one batch."""

    source: str | None  # None: none of the enrolled
    images: int  # that were compared
    constant: int  # of one colour, left out
    duplicates: int  # left out
    method: str  # "correlation", or "combined" where the images' traits were used too
    score: float  # of the best match
    threshold: float  # from which on a match is an attribution
    false_attribution: float
    matches: tuple[Match, ...]  # the best first

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """What the images of one batch show, one row an image."""

    correlation: Floats  # (n, G)
    traits: Floats | None  # (n, G) discriminants; None where they cannot be used
    shares: Floats  # (n, G): part of the fingerprint's pixels that was compared
    cropped: NDArray[np.bool_]  # (n, G): whether only a part of the image or of the fingerprint was compared


def attribute(
    gallery: Gallery,
    images: Sequence[NDArray[np.uint8]],
    *,
    traits: Extractor | None = None,
    false_attribution: float = FALSE_ATTRIBUTION,
) -> Attribution:
    """Of k RGB images of one source. An image of another size than a fingerprint is cropped, or the fingerprint is.

    With the extractor of the enrolled traits both kinds of evidence are weighed together; without it, or where an image
    is smaller than the fingerprints, the correlations alone. Raises InvalidInput where no image is left, TooSmall,
    ConfigError for a share outside 0.001 to 0.5.
    """
    if not 0.001 <= false_attribution <= 0.5:
        raise ConfigError(f"false_attribution is {false_attribution}.", "It must be between 0.001 and 0.5.")
    pixels, constant, duplicates = _usable(images)
    evidence = examine(gallery, pixels, traits)
    k = _images_worth(evidence.shares.mean(axis=1))
    correlation = evidence.correlation.mean(axis=0)
    judge, rows = gallery.by_correlation, evidence.correlation
    if gallery.combined is not None and evidence.traits is not None:
        judge, rows = gallery.combined, np.concatenate([evidence.correlation, evidence.traits], axis=1)
    scores = judge.model.scores(rows.mean(axis=0, keepdims=True), k)[0]
    z = gallery.by_correlation.model.z(correlation[None], k)[0]
    threshold = judge.threshold(k, false_attribution)
    matches = tuple(
        Match(
            generator=gallery.fingerprints[i].generator,
            correlation=float(correlation[i]),
            z=float(z[i]),
            score=float(scores[i]),
            crops=int(evidence.cropped[:, i].sum()),
            pixels_share=float(evidence.shares[:, i].mean()),
            lost=1 - sqrt(_images_worth(evidence.shares[:, i]) / len(pixels)),
        )
        for i in np.argsort(-scores)
    )
    return Attribution(
        source=matches[0].generator if matches[0].score > threshold else None,
        images=len(pixels),
        constant=constant,
        duplicates=duplicates,
        method="correlation" if judge is gallery.by_correlation else "combined",
        score=matches[0].score,
        threshold=threshold,
        false_attribution=false_attribution,
        matches=matches,
    )


def examine(gallery: Gallery, images: Sequence[NDArray[np.uint8]], traits: Extractor | None) -> Evidence:
    """The evidence in images of any sizes. Raises TooSmall where the denoiser's window does not fit one."""
    fingerprints = gallery.fingerprints
    denoiser = fingerprints[0].denoiser
    found = np.empty((len(images), len(fingerprints)))
    shares, cropped = np.empty_like(found), np.empty(found.shape, bool)
    for row, image in enumerate(images):
        check_denoiser(denoiser, *image.shape[:2])
        compared: dict[Size, NDArray[np.float32]] = {}
        for column, one in enumerate(fingerprints):
            size = common_size(image, one.size)
            if size not in compared:
                compared[size] = normalised(residuals(crop(image, size)[None], denoiser))[0]
            whole = size == one.size
            fingerprint = gallery.units[column] if whole else normalised(crop(one.residual, size)[None])[0]
            found[row, column] = compared[size] @ fingerprint
            shares[row, column] = size[0] * size[1] / (one.size[0] * one.size[1])
            cropped[row, column] = size != one.size or size != image.shape[:2]
    discriminants = gallery.discriminants
    usable = traits is not None and traits.digest == fingerprints[0].traits_digest and bool((shares == 1).all())
    if traits is None or discriminants is None or not usable:
        return Evidence(found, None, shares, cropped)
    rows = traits.extract([crop(image, fingerprints[0].size) for image in images])
    return Evidence(found, discriminants.apply(rows), shares, cropped)


def _images_worth(shares: Floats) -> float:
    """How many whole images tell as much as these parts (n,) of images: the variance of a mean goes by 1 / share."""
    return float(len(shares) ** 2 / (1 / shares).sum())


def _usable(images: Sequence[NDArray[np.uint8]]) -> tuple[list[NDArray[np.uint8]], int, int]:
    """Images without those of one colour and those that came before, and how many of each were left out."""
    if not images:
        raise InvalidInput("There are no images.", "Send at least one.")
    several = [image for image in images if (image != image[0, 0]).any()]
    by_digest = {pixel_digest(image): image for image in several}
    if not by_digest:
        raise InvalidInput("Every image is of one colour: it leaves no residual.", "Send images with content.")
    return list(by_digest.values()), len(images) - len(several), len(several) - len(by_digest)
