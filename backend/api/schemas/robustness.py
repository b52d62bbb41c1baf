"""Robustness: how good a model still is on images that something happened to."""

from __future__ import annotations

from pydantic import Field

from backend.api.schemas.common import OneLine, Strict
from backend.service.robustness import IMAGES, LEAST_IMAGES, MOST_IMAGES


class RobustnessIn(Strict):
    """What to measure."""

    model_id: OneLine = Field(min_length=1, max_length=200, examples=["cifake-logreg"])
    dataset_id: OneLine = Field(min_length=1, max_length=200, description="Id or name", examples=["cifake"])
    images: int = Field(
        IMAGES,
        ge=LEAST_IMAGES,
        le=MOST_IMAGES,
        description="Test images to draw, half of each class where there are enough",
        examples=[IMAGES],
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of the draw", examples=[0])


class RobustnessRow(Strict):
    """Figures on the copies of one corruption at one strength."""

    corruption: str | None = Field(description="null: the images as they are", examples=["jpeg"])
    strength: float | None = Field(examples=[75])
    unit: str | None = Field(description="What the strength is", examples=["quality"])
    accuracy: float | None = Field(examples=[0.91])
    auroc: float | None = Field(examples=[0.97])
    recall: float | None = Field(description="Share of the FAKE images that are called FAKE", examples=[0.88])
    fpr: float | None = Field(description="Share of the REAL images that are called FAKE", examples=[0.06])
    intervals: dict[str, tuple[float, float] | None] = Field(
        description="95 % intervals of the four figures", examples=[{"accuracy": [0.89, 0.93]}]
    )


class RobustnessOut(Strict):
    """The battery of one model over one data set, at the model's own threshold."""

    model_id: str
    dataset_id: str
    dataset_version: int
    split: str = Field(description="test: the data set's test images, or the model's own; all: none are marked as test")
    excluded: dict[str, int | None] | None = Field(
        None,
        description="in_training: images left out since they stand in the model's training set, null where those are "
        "not here any more; null for results of older versions",
        examples=[{"in_training": 378}],
    )
    images: dict[str, int] = Field(description="Drawn, by label", examples=[{"REAL": 500, "FAKE": 500}])
    seed: int
    created_at: str = Field(description="UTC, ISO 8601")
    rows: list[RobustnessRow]
