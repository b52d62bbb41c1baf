"""Options: what exists, each with a sentence of help."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.api.schemas.common import Strict


class OptionOut(Strict):
    """One setting of an extractor."""

    name: str
    type: str = Field(description="bool, int, str, list, or str or list")
    default: Any = None
    help: str
    choices: list[Any] = Field(description="Empty: anything that fits the type")
    items: str = Field(description="Of a list: what its items are, str or object")
    minimum: int = Field(description="Of an int")
    maximum: int = Field(description="Of an int")


class ExtractorOut(Strict):
    """What turns images into numbers."""

    name: str
    help: str
    options: list[OptionOut]


class FinetuneOut(Strict):
    """One setting of fine-tuning, a field of FinetuneIn."""

    name: str
    default: Any
    help: str
    choices: list[str] = Field(description="Of the value, or of each item of a list; empty for a number")
    minimum: float | None = Field(description="Of a number, else null")
    maximum: float | None = Field(description="Of a number, else null")


class HeadOut(Strict):
    """A classifier on top."""

    name: str
    help: str
    activation: str = Field(description="Of the last layer: sigmoid or identity")
    loss: str = Field(description="log_loss or hinge")
    options: list[str] = Field(description="Fields of FitConfigIn that it uses")


class Named(Strict):
    """A choice."""

    name: str
    help: str


class Limits(Strict):
    """What one request may hold."""

    max_upload_bytes: int
    max_unpacked_bytes: int = Field(description="Of one archive")
    max_archive_members: int
    max_files: int = Field(description="Files in one request")
    max_examined_files: int = Field(description="Files in one request with `explain` or `stability`")
    max_pixels: int = Field(description="Of one image")
    min_side: int = Field(description="Pixels of an image's shorter side")
    min_images_per_class: int = Field(description="For a fit")


class OptionsOut(Strict):
    """Everything that a client may choose from."""

    extractors: list[ExtractorOut]
    finetune: list[FinetuneOut] = Field(description="Settings of fine-tuning")
    networks: list[Named] = Field(description="Fine-tuned networks of the models here, by digest, for `finetuned`")
    fingerprints: list[Named] = Field(
        description="For `fingerprint`: those enrolled, by id, and those of the models here, by digest"
    )
    backbones: list[Named] = Field(description="Networks whose weights need no download")
    stages: list[Named] = Field(description="Presets; single stages can be named too")
    heads: list[HeadOut]
    denoisers: list[Named] = Field(description="For fingerprints; the default comes first")
    sources: list[Named] = Field(description="Data sets that POST /datasets knows by name")
    labels: list[str]
    formats: list[str] = Field(description="Image formats that are opened")
    limits: Limits
    defaults: dict[str, Any] = Field(description="FitConfigIn with every default filled in")
