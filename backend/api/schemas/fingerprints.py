"""Fingerprints of generators: enrolment, the gallery, attribution, comparison."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas.common import OneLine, Strict
from backend.api.schemas.evaluations import Note
from backend.api.schemas.predictions import FileProblem
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER

SourceLabel = Literal["FAKE", "REAL"]


class FingerprintIn(Strict):
    """Which images of a data set to enrol, and under which name."""

    generator: OneLine = Field(min_length=1, max_length=100, description="Its name", examples=["began"])
    dataset_id: OneLine = Field(
        min_length=1, max_length=200, description="Id or name of the data set", examples=["other-generators-4e5f6a7b"]
    )
    source_generator: OneLine | None = Field(
        None,
        max_length=200,
        description="Only the FAKE images of this generator, as the data set names it; null: all of the label",
        examples=["began"],
    )
    label: SourceLabel = Field("FAKE", description="REAL enrols cameras, to compare with", examples=["FAKE"])
    denoiser: OneLine = Field(
        DEFAULT_DENOISER,
        max_length=64,
        description="What takes the content away; `GET /options` lists them",
        examples=[DEFAULT_DENOISER],
    )


class DistributionOut(Strict):
    """Of correlations, -1..1."""

    count: int
    mean: float
    std: float
    quantiles: dict[str, float] = Field(description="5, 25, 50, 75 and 95 per cent")


class PairOut(Strict):
    """Two names that their fingerprints cannot tell apart: most likely one generator twice."""

    first: str
    second: str
    correlation: float
    expected: float = Field(description="Correlation of two fingerprints of one generator with so many images")
    shared_images: int


class FingerprintOut(BaseModel):
    """What is kept of an enrolled source. Later versions may add keys: ignore those you do not know."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    id: str = Field(examples=["began-gaussian-5b1d0c8a"])
    generator: str = Field(examples=["began"])
    label: SourceLabel = Field(description="REAL for cameras")
    denoiser: str
    created_at: str = Field(description="UTC, ISO 8601")
    dataset: dict[str, Any] = Field(description="id, name, version and digest of the data set it was made from")
    digest: str = Field(description="Hex SHA-256 over what it is made of; a fit may name it by this, or by its id")
    height: int = Field(description="Pixels")
    width: int = Field(description="Pixels")
    count: int = Field(description="Images that it is the mean of")
    left_out: dict[str, int] = Field(description="Images left out: duplicates, constant, other_size")
    codecs: dict[str, int] = Field(description="Format and JPEG quality -> images", examples=[{"JPEG 95": 500}])
    floor: float = Field(description="Standard deviation of the correlation with white noise of this size")
    own: DistributionOut = Field(description="Correlations of its own images with the mean of its others")
    others: DistributionOut | None = Field(
        None, description="Correlations of the other enrolled sources' images with it; not in lists"
    )
    indistinguishable: list[PairOut] | None = Field(None, description="Names that cannot be told from it; not in lists")
    radial: list[float] | None = Field(None, description="Power of the residuals by frequency; not in lists")
    angular: list[float] | None = Field(None, description="Power of the residuals by direction; not in lists")


class FingerprintPage(Strict):
    """A page of fingerprints without their profiles."""

    items: list[FingerprintOut]
    total: int
    limit: int
    offset: int


class MatchOut(Strict):
    """How one enrolled source fits."""

    id: str = Field(description="Of its fingerprint")
    generator: str
    label: SourceLabel
    correlation: float = Field(description="Normalised, mean over the images, -1..1")
    z: float = Field(description="In standard deviations of what other enrolled sources' images have")
    score: float = Field(description="Log likelihood minus that of the best other explanation, nats")
    crops: int = Field(description="Images of another size than the fingerprint: only a part was compared")
    pixels_share: float = Field(ge=0, le=1, description="Of the fingerprint that was compared, mean over the images")
    lost: float = Field(description="Share of the signal-to-noise ratio that this costs")


class FileOut(Strict):
    """One file of the request."""

    index: int = Field(description="Position in the request, from 0")
    filename: str


class AttributionOut(Strict):
    """The answer for one image, or for all images of a batch together."""

    source: str | None = Field(description="Name of the enrolled source; null: none of the enrolled")
    score: float = Field(description="Of the best match")
    threshold: float = Field(description="From which score on a match is an attribution")
    false_attribution: float = Field(description="Share of foreign sources' batches that may be attributed wrongly")
    method: str = Field(description="correlation, or combined where the features of a network were used too")
    images: int = Field(description="That were compared")
    constant: int = Field(description="Left out: of one colour")
    duplicates: int = Field(description="Left out: their pixels came before in this batch")
    cut: int = Field(description="Images with a side beyond 512 pixels, of which the middle was used")
    files: list[FileOut]
    matches: list[MatchOut] = Field(description="Every enrolled source, the best first")
    notes: list[Note] = Field(description="cropped, left_out, uncalibrated")


class LeftOut(Strict):
    """A fingerprint that could not be compared with."""

    id: str
    generator: str
    reason: str


class AttributeOut(Strict):
    """All answers of one request."""

    denoiser: str
    calibrated: bool = Field(
        description="false: fewer than three sources are enrolled, so the threshold could not be measured"
    )
    left_out: list[LeftOut] = Field(
        description="Enrolled sources whose files are damaged or lost: they were not compared"
    )
    attributions: list[AttributionOut]
    errors: list[FileProblem]


class ComparisonOut(Strict):
    """How alike the enrolled fingerprints of a denoiser are."""

    denoiser: str
    names: list[str]
    labels: list[SourceLabel] = Field(description="Of the names, in their order")
    correlation: list[list[float]] = Field(description="In the order of `names`, -1..1")
    linkage: list[list[float]] = Field(description="Tree of average linkage over 1 - correlation, as SciPy gives it")
    order: list[int] = Field(description="Places of the names along the tree")
    indistinguishable: list[PairOut]
