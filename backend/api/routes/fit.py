"""Fit: images and a configuration in, a job that makes a model out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from backend.api.deps import ServiceDep, WaitSeconds
from backend.api.intake import Intake, check_name_is_free, media_type, parse, receive
from backend.api.problems import wrong_media_type
from backend.api.schemas.common import json_or_form
from backend.api.schemas.datasets import DatasetName
from backend.api.schemas.fit import FitConfigIn, FitIn
from backend.api.schemas.models import ModelCard
from backend.api.uploads import LABELS, count_labels
from backend.api.waiting import (
    ANSWERS_WITH_JOB,
    UPLOAD_STATUSES,
    answer_with_job,
    fitted_model,
    job_responses,
)
from backend.core.config import FitConfig
from backend.core.detector import check_trainable
from backend.core.errors import NotFound
from backend.service.app import Service
from backend.service.freezing import freeze_fingerprints
from backend.service.jobs import Job

router = APIRouter(tags=["fit"])

_FIELDS = frozenset({"name", "labels", "config"})


@router.post(
    "/fit",
    summary="Fit a detector",
    **ANSWERS_WITH_JOB,
    responses=job_responses(ModelCard, "The model, where it was done", (404, *UPLOAD_STATUSES)),
    openapi_extra=json_or_form("FitIn", "FitForm"),
)
async def fit(request: Request, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues a fit on a data set that the server has (JSON), or on images that come with the request (multipart).

    Answers 202 with the job and its address in `Location`; with `wait`, the model's card when it is done in time.
    """
    kind = media_type(request)
    if kind == "application/json":
        asked = parse(FitIn, await request.body(), "body")
        job = await run_in_threadpool(_submit_for_dataset, service, asked)
    elif kind == "multipart/form-data":
        async with receive(request, service, _FIELDS) as intake:
            job = await run_in_threadpool(_submit_with_images, service, intake)
    else:
        raise wrong_media_type("application/json with a dataset_id, or multipart/form-data with images")
    return await answer_with_job(request, service.jobs, job, wait, lambda done: fitted_model(service, done))


def _submit_for_dataset(service: Service, asked: FitIn) -> Job:
    config = freeze_fingerprints(service, asked.config.to_config())
    info = service.database.get_dataset(asked.dataset_id)
    if info is None:
        raise NotFound(f"There is no data set {asked.dataset_id!r}.", "GET /datasets lists the data sets that exist.")
    _check_counts({label: sum(split[label] for split in info["counts"].values()) for label in LABELS})
    return service.jobs.submit("fit", {"dataset_id": info["id"], "config": config.to_json()})


def _submit_with_images(service: Service, intake: Intake) -> Job:
    config = freeze_fingerprints(service, _parse_config(intake))
    name = intake.fields.get("name", "").strip() or f"upload {intake.job_id[:8]}"
    parse(DatasetName, DatasetName.model_construct(name=name).model_dump_json(), "form")
    check_name_is_free(service, name)
    _check_counts(count_labels(intake.source))
    return intake.submit(service, "fit", {"name": name, "source": intake.source, "config": config.to_json()})


def _parse_config(intake: Intake) -> FitConfig:
    asked = parse(FitConfigIn, intake.fields.get("config", "").strip() or "{}", "config")
    return asked.to_config()


def _check_counts(counts: Mapping[str, int] | None) -> None:
    """Raises OneClass or TooFewImages where the classes are known to be too small before any image is read."""
    if counts is not None:
        check_trainable(np.repeat(np.array([0, 1], dtype=np.int8), [counts.get(label, 0) for label in LABELS]))
