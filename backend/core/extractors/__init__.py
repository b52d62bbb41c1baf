"""Images -> one row of features each. A network and a fingerprint are the same kind of thing.

`EXTRACTORS` is the table of them; `create` makes one from a spec such as `{"name": "cnn", "input_size": 96}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import UnknownExtractor
from backend.core.extractors import cnn, concat, dct, finetuned, fingerprint, npr, residual, spectrum, synthbuster
from backend.core.extractors.cnn import OFFLINE_BACKBONES
from backend.core.extractors.finetuned import FINETUNED
from backend.core.extractors.fingerprint import FINGERPRINT
from backend.core.extractors.options import Option, fill

__all__ = [
    "CNN",
    "DEFAULT_SPEC",
    "EXTRACTORS",
    "FINETUNED",
    "FINGERPRINT",
    "OFFLINE_BACKBONES",
    "Extractor",
    "ExtractorRow",
    "check_spec",
    "concatenation",
    "create",
    "finetuned_networks",
    "fingerprints_in",
    "irreplaceable_files",
    "is_at_hand",
    "parts_of",
    "stored_files",
]

CNN, CONCAT = "cnn", "concat"


class Extractor(Protocol):
    """Turns images into rows of features. The same spec and weights give the same numbers, whatever the batch."""

    spec: dict[str, Any]  # every default filled in; create(spec) gives the same extractor
    digest: str  # hex SHA-256 over all that changes the numbers: options, weights, version of the code
    dimensions: int
    feature_names: list[str]
    reduce_above: int | None  # pixels: longer sides are averaged over whole blocks first, which `decode` does faster

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions), finite, for n RGB images [height, width, 3] of any and mixed sizes."""
        ...


class Maker(Protocol):
    """How a row of the table makes its extractor."""

    def __call__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> Extractor: ...


@dataclass(frozen=True)
class ExtractorRow:
    """One kind of extractor, as `GET /options` shows it."""

    name: str
    summary: str  # one sentence for users
    make: Maker
    settings: Mapping[str, Option] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """Settings as plain JSON: name -> {type, default, help, choices, minimum, maximum}."""
        return {name: option.to_json() for name, option in self.settings.items()}


def _make_concat(spec: Mapping[str, Any], *, backbones: Path, threads: int) -> Extractor:
    return concat.ConcatExtractor(spec, backbones=backbones, threads=threads, create=create)


EXTRACTORS: dict[str, ExtractorRow] = {
    row.name: row
    for row in (
        ExtractorRow(
            CNN,
            "A frozen pretrained network, with the statistics of the stages that carry a generator's traces.",
            cnn.CnnExtractor,
            cnn.OPTIONS,
        ),
        ExtractorRow(
            "spectrum",
            "Power by frequency and by direction: rings and peaks that up-samplers leave.",
            spectrum.SpectrumExtractor,
            spectrum.OPTIONS,
        ),
        ExtractorRow(
            "residual",
            "Statistics of the noise that is left when what the neighbouring pixels predict is taken away.",
            residual.ResidualExtractor,
        ),
        ExtractorRow(
            "npr",
            "Neighbouring-pixel relationships: differences inside 2 x 2 blocks.",
            npr.NprExtractor,
        ),
        ExtractorRow(
            "synthbuster",
            "Peaks at periods of 2, 4 and 8 pixels in the spectrum of cross differences, where up-samplers leave them.",
            synthbuster.SynthbusterExtractor,
        ),
        ExtractorRow(
            "dct",
            "How fast the coefficients of 8 x 8 cosine transforms fall off, frequency by frequency.",
            dct.DctExtractor,
        ),
        ExtractorRow(
            FINGERPRINT,
            "How an image fits stored fingerprints of generators: correlations of residuals, distances of spectra.",
            fingerprint.FingerprintExtractor,
            fingerprint.OPTIONS,
        ),
        ExtractorRow(
            FINETUNED,
            "A network that a fit here has trained further: another classifier on top of it takes seconds.",
            finetuned.FinetunedExtractor,
            finetuned.OPTIONS,
        ),
        ExtractorRow(
            CONCAT,
            "Several extractors side by side.",
            _make_concat,
            concat.OPTIONS,
        ),
    )
}

DEFAULT_SPEC: dict[str, Any] = {
    "name": "cnn",
    "backbone": OFFLINE_BACKBONES[0],
    "stages": "texture",
    "input_size": 64,
    "pooling": ["mean", "std"],
}


def concatenation(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The spec of several extractors side by side."""
    return {"name": CONCAT, "parts": [dict(part) for part in parts]}


def create(spec: Mapping[str, Any], *, backbones: Path, threads: int = 1) -> Extractor:
    """The extractor of `spec`; `backbones` is the folder of exported graphs, `threads` those of one run.

    Raises UnknownExtractor, ConfigError, UnknownBackbone, BackboneUnavailable.
    """
    return _row(spec).make(spec, backbones=backbones, threads=threads)


def check_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`spec` with every default filled in, without loading a network: what a request can be told at once.

    Raises UnknownExtractor, UnknownBackbone, ConfigError. A stage that a network lacks, and names of fingerprints that
    are no digests yet, are only found by `create`.
    """
    row = _row(spec)
    filled = fill(spec, row.settings)
    if row.name == CNN:
        cnn.refuse_foreign(filled["backbone"])
    if row.name == FINETUNED:
        finetuned.check_network(filled["network"])
    if row.name == FINGERPRINT:
        fingerprint.check_names(filled)
    if row.name == CONCAT:
        filled["parts"] = [check_spec(part) for part in concat.check_parts(spec)]
    return filled


def is_at_hand(spec: Mapping[str, Any], backbones: Path) -> bool:
    """Whether `create` finds every file of a complete spec, so that it exports nothing and imports no torch."""
    return all((backbones / name).is_file() for name in stored_files(spec))


def stored_files(spec: Mapping[str, Any]) -> list[str]:
    """The file names of the graphs and fingerprints that the extractor of a complete spec reads. Raises ConfigError."""
    frozen = [cnn.graph_path(part, Path()).name for part in parts_of(spec) if part["name"] == CNN]
    return frozen + irreplaceable_files(spec)


def irreplaceable_files(spec: Mapping[str, Any]) -> list[str]:
    """Those among them that cannot be made again, named by a digest: fine-tuned networks and fingerprints.

    Raises ConfigError for a fingerprint that is named by no digest.
    """
    prints = [part["fingerprints"] for part in parts_of(spec) if part["name"] == FINGERPRINT]
    networks = [finetuned.file_name(network) for network in finetuned_networks(spec)]
    return networks + [fingerprint.file_name(digest) for digests in prints for digest in digests]


def finetuned_networks(spec: Mapping[str, Any]) -> list[str]:
    """The digests of the fine-tuned networks in a complete spec."""
    return [part["network"] for part in parts_of(spec) if part["name"] == FINETUNED]


def fingerprints_in(extractor: Extractor) -> list[dict[str, Any]]:
    """What a card says of the fingerprints that an extractor reads, as plain JSON values."""
    parts = concat.parts_in(extractor)
    return [one for part in parts if isinstance(part, fingerprint.FingerprintExtractor) for one in part.describe()]


def parts_of(spec: Mapping[str, Any]) -> list[Any]:
    """The specs that a complete spec joins, or itself alone."""
    return list(spec["parts"]) if spec["name"] == CONCAT else [spec]


def _row(spec: Mapping[str, Any]) -> ExtractorRow:
    name = spec.get("name")
    if not isinstance(name, str) or name not in EXTRACTORS:
        raise UnknownExtractor(f"There is no extractor {name!r}.", f"Known: {', '.join(EXTRACTORS)}.")
    return EXTRACTORS[name]
