"""Multipart bodies as OpenAPI shows them. They are read as they arrive (`multipart.py`), so nothing is parsed here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from backend.api.schemas.common import Strict
from backend.core.fingerprints.attribution import FALSE_ATTRIBUTION
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER

File = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]

_LABELS = Field(
    None,
    description="With `files`: a JSON list with REAL or FAKE for each file, in their order",
    examples=['["REAL", "FAKE"]'],
)
_ARCHIVE = Field(None, description="A zip with REAL/ and FAKE/ folders, optionally under train/ and test/")
_FILES = Field(None, description="Images; each needs its label in `labels`")
_PARQUET = Field(None, description="Parquet files in the Hugging Face image layout")


class PredictForm(Strict):
    """Images to judge."""

    files: list[File] = Field(description="One or many images")
    model_id: str | None = Field(None, description="Another model than the active one")
    explain: bool = Field(False, description="Ask for an explanation of each answer; at most 16 files")
    provenance: bool = Field(
        False, description="Ask what each file says of its origin: C2PA, EXIF, XMP, IPTC, text of generators"
    )
    stability: bool = Field(
        False, description="Try each answer on changed copies of the image: 8 more predictions a file; at most 16 files"
    )


class DatasetForm(Strict):
    """A data set as one zip, as Parquet files, or as single files with labels."""

    name: str = Field(description="Name of the data set", examples=["my photographs"])
    archive: File | None = _ARCHIVE
    parquet: list[File] | None = _PARQUET
    files: list[File] | None = _FILES
    labels: str | None = _LABELS


class FitForm(Strict):
    """The images to fit on, as for a data set, and the configuration."""

    name: str | None = Field(None, description="Name of the data set that the images become")
    archive: File | None = _ARCHIVE
    parquet: list[File] | None = _PARQUET
    files: list[File] | None = _FILES
    labels: str | None = _LABELS
    config: str = Field("{}", description="FitConfigIn as a JSON document", examples=['{"head": "logreg"}'])


class EnrolForm(Strict):
    """Images of the generator: all of them are FAKE, unless `labels` or folders say otherwise."""

    model_id: str = Field(description="The model that shall know it", examples=["cifake-logreg-1c0ffee1"])
    generator: str = Field(description="Its name", examples=["flux-2"])
    name: str | None = Field(None, description="Of the new model")
    archive: File | None = Field(None, description="A zip of images; REAL/ in it is left out")
    parquet: list[File] | None = _PARQUET
    files: list[File] | None = Field(None, description="Images: at least 10, better 50")
    labels: str | None = Field(None, description="With `files`, where not all are FAKE: a JSON list of REAL and FAKE")


class FingerprintForm(Strict):
    """Images of one source to enrol, all of one label, and its name."""

    generator: str = Field(description="Name of the generator", examples=["began"])
    label: Literal["FAKE", "REAL"] = Field("FAKE", description="REAL enrols cameras, to compare with")
    denoiser: str = Field(DEFAULT_DENOISER, description="What takes the content away; `GET /options` lists them")
    name: str | None = Field(None, description="Name of the data set that the images become")
    archive: File | None = Field(
        None, description="A zip of its images; where it has REAL/ and FAKE/ folders, those of `label` are taken"
    )
    parquet: list[File] | None = _PARQUET
    files: list[File] | None = Field(None, description="Its images")


class AttributeForm(Strict):
    """Images whose source is asked for."""

    files: list[File] = Field(description="One or many images")
    batch: bool = Field(False, description="All of them come from one source: one answer; at most 256 files")
    false_attribution: float = Field(
        FALSE_ATTRIBUTION,
        ge=0.001,
        le=0.5,
        description="Share of images, or batches, from sources not enrolled that may be attributed to an enrolled one",
    )
    denoiser: str | None = Field(None, description="Only fingerprints by this denoiser; else the one that is in use")


class EdaForm(Strict):
    """Images to profile; nothing is kept."""

    files: list[File] = Field(description="Images")
    labels: str | None = Field(
        None, description="Optional: a JSON list with REAL or FAKE for each file; with it comes the audit"
    )


class ModelForm(Strict):
    """One exported model."""

    archive: File = Field(description="The zip that `GET /models/{model_id}/export` gave")
