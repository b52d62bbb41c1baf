"""The fingerprint of a generator: the mean residual of its images and what goes with it (Marra et al. 2018)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import IntegrityError, TooFewImages
from backend.core.extractors import DEFAULT_SPEC
from backend.core.fingerprints import spectra
from backend.core.fingerprints.correlation import floor, left_out
from backend.core.fingerprints.sizes import Size
from backend.core.fingerprints.sums import Arrays, FingerprintSums

FEWEST, ADVISED = 10, 200
"""Images below which nothing is enrolled, and from which on the noise of the mean hardly counts."""

TRAITS_SPEC: dict[str, Any] = DEFAULT_SPEC
"""The extractor whose features stand beside the correlations."""

QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Distribution:
    """Of correlations."""

    count: int
    mean: float
    std: float
    quantiles: dict[str, float]  # percent -> value

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Distribution:
        """Of at least one value."""
        found = dict(zip(map(str, QUANTILES), np.percentile(values, QUANTILES).tolist(), strict=True))
        return cls(len(values), float(values.mean()), float(values.std(ddof=min(1, len(values) - 1))), found)


@dataclass(frozen=True)
class Fingerprint:
    """What is stored of one generator. `sample` and `traits` are of the images with the smallest digests, in order."""

    generator: str
    denoiser: str
    traits_digest: str  # of the extractor of traits; "" without one
    own: Distribution  # correlations of its own images with the mean of its others
    left_out: dict[str, int]  # reason -> images
    codecs: dict[str, int]  # as the caller counted them, such as "JPEG 75" -> images
    residual: NDArray[np.float32]  # (height, width, 3): mean, grey levels
    power: NDArray[np.float64]  # (height, width): mean of |FFT|² / pixels
    digests: NDArray[np.uint8]  # (count, 32)
    sample: NDArray[np.float16]  # (m, height, width, 3)
    traits: NDArray[np.float32]  # (t, d)

    @property
    def count(self) -> int:
        """Images that it was made of."""
        return len(self.digests)

    @property
    def size(self) -> Size:
        """(height, width), pixels."""
        return self.residual.shape[0], self.residual.shape[1]

    @property
    def floor(self) -> float:
        """Standard deviation of the correlation with white noise of its size."""
        return floor(self.size[0] * self.size[1])

    @property
    def autocorrelation(self) -> NDArray[np.float64]:
        """Of its residuals; see `spectra.autocorrelation`."""
        return spectra.autocorrelation(self.power)

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over what it is made of and how; not over its name."""
        digest = hashlib.sha256(f"1:{self.denoiser}:{self.traits_digest}:{self.size}:".encode())
        for part in (self.digests, self.residual, self.traits):
            digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()

    def left_out_correlations(self) -> NDArray[np.float64]:
        """(m,): of each sampled image with the mean of all others."""
        return left_out(self.sample, self.residual.astype(np.float64) * self.count, self.count)

    def about(self) -> dict[str, Any]:
        """All but the arrays, as plain JSON values."""
        return {
            "generator": self.generator,
            "denoiser": self.denoiser,
            "traits_digest": self.traits_digest,
            "digest": self.digest,
            "height": self.size[0],
            "width": self.size[1],
            "count": self.count,
            "floor": self.floor,
            "left_out": self.left_out,
            "codecs": self.codecs,
            "own": asdict(self.own),
            "radial": spectra.radial(self.power).tolist(),
            "angular": spectra.angular(self.power).tolist(),
        }

    def arrays(self) -> Arrays:
        """What `restore` needs beside `about`."""
        return {name: getattr(self, name) for name in ("residual", "power", "digests", "sample", "traits")}

    @classmethod
    def restore(cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Fingerprint:
        """The stored fingerprint. Raises IntegrityError where the parts do not fit each other."""
        hint = "Delete it and enrol the generator again."
        try:
            found = cls(
                generator=str(about["generator"]),
                denoiser=str(about["denoiser"]),
                traits_digest=str(about["traits_digest"]),
                own=Distribution(**about["own"]),
                left_out=dict(about["left_out"]),
                codecs=dict(about["codecs"]),
                **{name: arrays[name] for name in ("residual", "power", "digests", "sample", "traits")},
            )
            fits = found.digest == about["digest"] and found.power.shape == found.size
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise IntegrityError("A stored fingerprint is damaged.", hint) from error
        if not fits:
            raise IntegrityError(f"The stored fingerprint of {found.generator} is damaged.", hint)
        return found


def enrol(
    generator: str, sums: FingerprintSums, *, duplicates: int = 0, codecs: Mapping[str, int] | None = None
) -> Fingerprint:
    """The fingerprint of a generator from the sums over its images.

    duplicates: images that the caller left out because their pixels came before. Raises TooFewImages.
    """
    reasons = {
        "duplicates": sums.duplicates + duplicates,
        "constant": sums.constant,
        "other_size": sums.other_size,
    }
    if sums.count < FEWEST:
        raise TooFewImages(
            f"Images of {sums.size[1]} x {sums.size[0]} pixels that can be used: {sums.count}; left out: "
            f"{reasons['duplicates']} duplicates, {reasons['constant']} of one colour, "
            f"{reasons['other_size']} of another size.",
            f"Send at least {FEWEST} different images of one size, better {ADVISED}.",
        )
    total = sums.residual
    return Fingerprint(
        generator=generator,
        denoiser=sums.denoiser,
        traits_digest=sums.traits_digest,
        own=Distribution.of(left_out(sums.sample, total, sums.count)),
        left_out=reasons,
        codecs=dict(codecs or {}),
        residual=(total / sums.count).astype(np.float32),
        power=sums.power / sums.count,
        digests=sums.digests,
        sample=sums.sample,
        traits=sums.traits,
    )
