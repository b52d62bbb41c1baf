"""Profiles: what a data set looks like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas.predictions import FileProblem


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
    errors: list[FileProblem] = Field(default_factory=list, description="Files that could not be read")
