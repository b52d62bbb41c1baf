"""Profiles: what a data set looks like."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas.predictions import FileProblem


class Finding(BaseModel):
    """One thing that a person should know before training on a data set."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(description="Stable, for programs", examples=["file.size"])
    severity: Literal["critical", "warning", "info"]
    title: str = Field(examples=["Size alone tells the classes apart"])
    detail: str
    hint: str = Field(description="What to do about it; may be empty")
    figures: dict[str, Any] = Field(description="The numbers and names in the sentences")


class Audit(BaseModel):
    """The audit of a data set. Later versions may add keys: ignore those you do not know."""

    model_config = ConfigDict(extra="allow")

    findings: list[Finding] = Field(description="The worst first")
    file: dict[str, Any] = Field(
        description="AUROC of a classifier that sees only what files say of themselves: `together` and `by_trait`"
    )
    look: dict[str, Any] = Field(
        description="AUROC of one that sees only brightness, colour, sharpness and spectrum: `together`, `by_number`"
    )
    near_duplicates: dict[str, Any] = Field(description="Pairs of images that nearly agree, across classes and splits")
    balance: dict[str, Any] = Field(description="Images by class, generator and content")


class Profile(BaseModel):
    """The profile of some images. Later versions may add keys: ignore those you do not know."""

    model_config = ConfigDict(extra="allow")

    dataset_id: str | None = Field(description="The data set; null for images that were sent along")
    images: int
    counts: dict[str, Any] = Field(description="Images by class, by split and class, by generator and class")
    channels: dict[str, Any] = Field(
        description="Mean, deviation and histogram of red, green, blue on the scale 0 to 1"
    )
    sizes: Any = Field(description="Widths, heights and aspects")
    formats: dict[str, Any] = Field(description="Images by file format and class")
    modes: dict[str, Any] = Field(description="Images by colour mode and class")
    jpeg_quality: Any = Field(description="Distribution of the JPEG quality by class")
    distributions: dict[str, Any] = Field(description="Brightness, contrast, saturation, sharpness … by class")
    near_grey: Any = Field(description="Share of images almost without colour, by class")
    spectrum: dict[str, Any] = Field(description="Mean power spectrum by class")
    outliers: dict[str, Any] = Field(description="Images that stand out, and why")
    duplicates: dict[str, Any] = Field(description="Pixel-identical images, and those that cross train and test")
    audit: Audit | None = Field(
        None,
        description="What else than a generator's traces tells the classes apart; null for images sent without labels",
    )
    errors: list[FileProblem] = Field(default_factory=list, description="Files that could not be read")
