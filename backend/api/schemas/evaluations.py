"""Evaluations: a model, or a set of generators, measured generator by generator."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas.common import Strict
from backend.api.schemas.fit import FitConfigIn

EvaluationKind = Literal["evaluate", "matrix"]

DatasetIds = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    Field(
        min_length=1,
        max_length=20,
        description="Ids or names of the data sets whose images are taken together; REAL ones among them are shared",
        examples=[["cifake-0a1b2c3d", "other-generators-4e5f6a7b"]],
    ),
]


class EvaluateIn(Strict):
    """What to evaluate. Images that stand in the model's training set are left out and counted."""

    model_id: str = Field(min_length=1, max_length=200, examples=["cifake-logreg-1c0ffee1"])
    dataset_ids: DatasetIds
    split: Literal["test", "all"] = Field(
        "test",
        description="test: the images that a data set names as test images, all of it where it names none; all: every "
        "image",
        examples=["test"],
    )


class MatrixIn(Strict):
    """Which generators to fit on and to test on. REAL images of the data sets are shared by all."""

    dataset_ids: DatasetIds
    generators: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        None, min_length=2, max_length=100, description="Only these; null: all that the data sets have", examples=[None]
    )
    config: FitConfigIn = Field(
        FitConfigIn(class_weight="balanced", target_fpr=0.05),
        description="As for a fit; without a target_fpr, detectors with different false alarms are compared. "
        "Its test_fraction is not used: half of each generator's images are for testing, "
        "where the data set names no test images",
        examples=[{"head": "logreg", "class_weight": "balanced", "target_fpr": 0.05}],
    )


class Note(Strict):
    """Something that a reader of the figures has to know."""

    code: str = Field(examples=["few_images"])
    message: str


class EvaluationOut(BaseModel):
    """What an evaluation found. Later versions may add keys: ignore those you do not know.

    Of the kind `evaluate`, each of `generators` has n, recall and accuracy at the model's own threshold,
    recall_at_1_fpr, recall_at_5_fpr, auroc, intervals, notes, whether the model has seen it, and what a person is told:
    answered_real, the share of its fakes with the verdict `real`, and unsure_share. Of the kind `matrix`, each of
    `rows` has the same without verdicts for one detector, fitted on one generator `alone` or on all `without` it.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    id: str = Field(description="That of the job that made it", examples=["5b1d0c8a93e7f246"])
    kind: EvaluationKind
    created_at: str = Field(description="UTC, ISO 8601")
    model_id: str | None = Field(None, description="Of the evaluated model; null for a matrix")
    datasets: list[dict[str, Any]] = Field(description="id, name, version, digest and number of images of each")
    excluded: dict[str, int] = Field(description="in_training: images left out since they stand among training images")
    notes: list[Note] = Field(description="What limits the figures: no REAL images, few of them …")
    unsure_share: float | None = Field(
        None, description="Of the REAL images, with the verdict `unsure`; null for a matrix, and without REAL images"
    )
    generators: list[Any] | None = Field(None, description="Figures of each, or names for a matrix; not in lists")
    rows: list[dict[str, Any]] | None = Field(None, description="Of a matrix, one a detector; not in lists")
    conclusion: dict[str, Any] | None = Field(
        None,
        description="Whether detectors fail on generators they were not trained on: verdict, text, mean drop of the "
        "recall with its interval, pairs with Holm-corrected p; null where there is no pair; not in lists",
    )


class EvaluationPage(Strict):
    """A page of evaluations without their figures, newest first."""

    items: list[EvaluationOut]
    total: int
    limit: int
    offset: int
