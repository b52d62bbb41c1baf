"""Enrol: teach a model another generator from a few of its images."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from backend.api.deps import ServiceDep, WaitSeconds
from backend.api.intake import Intake, media_type, parse, receive
from backend.api.problems import wrong_media_type
from backend.api.schemas.common import json_or_form
from backend.api.schemas.enrol import EnrolIn, EnrolWith
from backend.api.schemas.models import ModelCard
from backend.api.uploads import count_labels
from backend.api.waiting import (
    ANSWERS_WITH_JOB,
    UPLOAD_STATUSES,
    answer_with_job,
    fitted_model,
    job_responses,
)
from backend.core.enrolment import check_enrolment
from backend.service.app import Service
from backend.service.enrolling import enrol_images_params, enrol_params
from backend.service.jobs import Job

router = APIRouter(tags=["fit"])

_FIELDS = frozenset({"model_id", "generator", "name", "labels"})


@router.post(
    "/enrol",
    summary="Enrol a generator",
    **ANSWERS_WITH_JOB,
    responses=job_responses(ModelCard, "The new model, where it was done", (404, *UPLOAD_STATUSES)),
    openapi_extra=json_or_form("EnrolIn", "EnrolForm"),
)
async def enrol(request: Request, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues the fit of a new model that has a specialist for the generator, beside what the given one knows.

    The generator's images are the FAKE ones of a data set that the server has (JSON), or come with the request
    (multipart) and become a data set. The new card's `enrolment` says what was gained and lost: AUROC and recall on the
    generator's images before and after, by cross-validation, and the accuracy on the old test images before. Images
    that the model has already are left out and counted (`excluded`).
    """
    kind = media_type(request)
    if kind == "application/json":
        asked = parse(EnrolIn, await request.body(), "body")
        job = await run_in_threadpool(_submit_for_dataset, service, asked)
    elif kind == "multipart/form-data":
        async with receive(request, service, _FIELDS, unsorted="FAKE") as intake:
            job = await run_in_threadpool(_submit_with_images, service, intake)
    else:
        raise wrong_media_type("application/json with a dataset_id, or multipart/form-data with images")
    return await answer_with_job(request, service.jobs, job, wait, lambda done: fitted_model(service, done))


def _submit_for_dataset(service: Service, asked: EnrolIn) -> Job:
    params = enrol_params(service, asked.model_id, asked.dataset_id, asked.generator, asked.name)
    return service.jobs.submit("fit", params)


def _submit_with_images(service: Service, intake: Intake) -> Job:
    given = {name: text for name, text in intake.fields.items() if name != "labels"}
    asked = parse(EnrolWith, json.dumps(given), "form")
    counts = count_labels(intake.source)
    if counts is not None:
        check_enrolment(counts.get("FAKE", 0), asked.generator)
    params = enrol_images_params(service, asked.model_id, intake.source, asked.generator, asked.name)
    return intake.submit(service, "fit", params)
