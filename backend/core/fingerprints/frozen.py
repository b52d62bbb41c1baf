"""A fingerprint as a detector keeps it: what scores need of it, in one file that is named by the digest of its bytes.

Enrolling the generator again, or deleting it, changes nothing for a detector that was fitted on its fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from backend.core.errors import IntegrityError
from backend.core.fingerprints.denoisers import DENOISERS
from backend.core.fingerprints.sizes import MOST_SIDE, Size

if TYPE_CHECKING:
    from backend.core.fingerprints.fingerprint import Fingerprint

_LONGEST_NAME = 100
_TYPES = {"about": np.uint8, "residual": np.float32, "power": np.float64, "digests": np.uint8}


@dataclass(frozen=True)
class FrozenFingerprint:
    """Of one generator by one denoiser."""

    generator: str
    denoiser: str
    residual: NDArray[np.float32]  # (height, width, 3): mean, grey levels
    power: NDArray[np.float64]  # (height, width): mean of |FFT|² / pixels
    digests: NDArray[np.uint8]  # (count, 32): SHA-256 over the pixels of each image that it was made of

    @property
    def size(self) -> Size:
        """(height, width), pixels."""
        return self.residual.shape[0], self.residual.shape[1]

    @property
    def count(self) -> int:
        """Images that it was made of."""
        return len(self.digests)

    @cached_property
    def members(self) -> frozenset[str]:
        """Hexadecimal digests of the images that it was made of."""
        return frozenset(row.tobytes().hex() for row in self.digests)

    def without(
        self, residual: NDArray[np.float32], power: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(mean residual, mean power) of its other images, for those of one that it was made of."""
        others = self.count - 1
        power_of_others = np.maximum(self.power * self.count - power, 0.0) / others
        return (self.residual.astype(np.float64) * self.count - residual) / others, power_of_others

    def describe(self) -> dict[str, Any]:
        """What a person is told of it, as plain JSON values."""
        height, width = self.size
        return {
            "generator": self.generator,
            "denoiser": self.denoiser,
            "height": height,
            "width": width,
            "count": self.count,
        }

    @classmethod
    def of(cls, fingerprint: Fingerprint) -> FrozenFingerprint:
        """What is kept of an enrolled fingerprint."""
        return cls(
            fingerprint.generator, fingerprint.denoiser, fingerprint.residual, fingerprint.power, fingerprint.digests
        )

    def to_bytes(self) -> bytes:
        """Its file: safetensors, never a pickle. Equal fingerprints have equal bytes."""
        about = json.dumps({"denoiser": self.denoiser, "generator": self.generator}).encode()
        arrays = {"residual": self.residual, "power": self.power, "digests": self.digests}
        arrays["about"] = np.frombuffer(about, np.uint8)
        return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})

    @classmethod
    def from_bytes(cls, data: bytes) -> FrozenFingerprint:
        """The fingerprint of such a file, whoever sent it. Raises IntegrityError where it is none."""
        try:
            arrays = load(data)
            about = json.loads(arrays["about"].tobytes())
            found = cls(
                about["generator"], about["denoiser"], *(arrays[name] for name in ("residual", "power", "digests"))
            )
            is_whole = {name: array.dtype for name, array in arrays.items()} == _TYPES and found._is_sound()
        except Exception as error:  # safetensors raises errors of its own, JSON and NumPy others
            raise _damaged() from error
        if not is_whole:
            raise _damaged()
        return found

    def _is_sound(self) -> bool:
        (height, width, colours), (count, length) = self.residual.shape, self.digests.shape
        return (
            isinstance(self.generator, str)
            and self.generator.isprintable()
            and len(self.generator) <= _LONGEST_NAME
            and self.denoiser in DENOISERS
            and DENOISERS[self.denoiser].smallest_side <= min(height, width)
            and max(height, width) <= MOST_SIDE
            and (colours, length, self.power.shape) == (3, 32, (height, width))
            and count >= 2  # one of them is left out where it is asked about
            and bool(np.isfinite(self.residual).all() and np.isfinite(self.power).all() and (self.power >= 0).all())
        )


def _damaged() -> IntegrityError:
    return IntegrityError(
        "This is not the file of a fingerprint, or it is damaged.", "Restore it, or export the model again."
    )
