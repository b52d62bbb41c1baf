"""Enrolment: a model and images of a generator in, a model that knows the generator out."""

from __future__ import annotations

from pydantic import Field

from backend.api.schemas.common import OneLine, Strict


class EnrolWith(Strict):
    """Which generator to enrol into which model. The model itself stays as it is."""

    model_id: OneLine = Field(min_length=1, max_length=200, examples=["cifake-logreg-1c0ffee1"])
    generator: OneLine = Field(min_length=1, max_length=100, description="Its name", examples=["flux-2"])
    name: OneLine = Field("", max_length=200, description="Of the new model; empty: made of both", examples=[""])


class EnrolIn(EnrolWith):
    """And whose images: those of a data set that the server has."""

    dataset_id: OneLine = Field(
        min_length=1,
        max_length=200,
        description="Id or name of a data set whose FAKE images are of the generator: at least 10, better 50",
        examples=["other-generator-4e5f6a7b"],
    )
