"""Data sets and their images."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.api.schemas.common import OneLine, Strict
from backend.service.revising import MAX_CHANGES

Label = Literal["REAL", "FAKE"]
KNOWN_SOURCES = ("demo", "cifake")
"""Sources that a request may name; every other one needs a path, and no request names a path of the server."""

NAME_PATTERN = r"^\S(.*\S)?$"


class SourceIn(Strict):
    """A data set from a source that the server knows; images of your own are sent as multipart instead."""

    name: OneLine = Field(min_length=1, max_length=100, pattern=NAME_PATTERN, examples=["demonstration"])
    source: Literal["demo", "cifake"] = Field(
        description="demo: a small set made on this machine; cifake: the published archive, downloaded and checked"
    )


class DatasetOut(BaseModel):
    """A data set. Later versions may add keys: ignore those you do not know."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=["cifake-0a1b2c3d"])
    name: str
    version: int = Field(description="Goes up when labels change or images are dropped")
    digest: str = Field(description="Equal exactly for equal images and labels")
    created_at: str
    source: str = Field(description="Kind of source it came from", examples=["zip"])
    images: int
    bytes: int
    counts: dict[str, dict[str, int]] = Field(description="Images by split ('' = not given) and label")
    generators: dict[str, int] = Field(description="FAKE images by generator, where the folders tell")
    duplicates: dict[str, int] = Field(description="groups, images, and test images that are also in train")
    skipped: dict[str, Any] = Field(description="How many files were left out, and the first of them with the reason")
    dropped: int = Field(0, description="Images that were dropped: they count nowhere; the others keep their numbers")


class ImageChange(Strict):
    """What becomes of one image."""

    n: int = Field(ge=0, le=2**31 - 1, strict=True, description="The image's number in the data set")
    label: Literal["REAL", "FAKE", "DROP"] = Field(
        description="Its label from now on, which also brings a dropped image back; DROP: it counts no more"
    )


class DatasetChanges(Strict):
    """Changes that make the next version of a data set."""

    changes: list[ImageChange] = Field(
        min_length=1,
        max_length=MAX_CHANGES,
        description="Each image once",
        examples=[[{"n": 12, "label": "REAL"}, {"n": 13, "label": "DROP"}]],
    )
    version: int | None = Field(
        None, ge=1, strict=True, description="Refuse (409) unless the data set is at this version", examples=[1]
    )

    @field_validator("changes")
    @classmethod
    def _name_each_image_once(cls, changes: list[ImageChange]) -> list[ImageChange]:
        seen: set[int] = set()
        for change in changes:
            if change.n in seen:
                raise ValueError(f"Image {change.n} is named twice")
            seen.add(change.n)
        return changes

    def by_number(self) -> dict[int, str]:
        """Image number -> REAL, FAKE or DROP."""
        return {change.n: change.label for change in self.changes}


class DatasetPage(Strict):
    """A page of data sets, newest first."""

    items: list[DatasetOut]
    total: int
    limit: int
    offset: int


class ImageRow(Strict):
    """One image of a data set, without its pixels."""

    row: int = Field(description="Its number n: GET /datasets/{id}/images/{n}")
    path: str
    label: Label
    split: str = Field(description="train, validation, test, or empty where the data set does not say")
    generator: str = Field(description="Of a FAKE image; empty where it is not known")
    group: str = Field(description="As given; empty where none was")
    group_id: int = Field(description="Images of one number stay together in every split: same group or same pixels")
    sha256: str
    pixel_sha256: str
    width: int
    height: int
    format: str
    mode: str
    jpeg_quality: int | None
    bytes: int


class ImagePage(Strict):
    """A page of a data set's images, in its order."""

    items: list[ImageRow]
    total: int
    limit: int
    offset: int


class DatasetName(Strict):
    """A name for a data set that is being imported."""

    name: OneLine = Field(min_length=1, max_length=100, pattern=NAME_PATTERN)
