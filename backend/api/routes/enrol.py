"""Enrol: teach a model another generator from a few of its images."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.deps import ServiceDep, WaitSeconds
from backend.api.schemas.common import responses
from backend.api.schemas.enrol import EnrolIn
from backend.api.schemas.jobs import JobOut
from backend.api.schemas.models import ModelCard
from backend.api.waiting import answer_with_job
from backend.service.app import Service
from backend.service.enrolling import enrol_params
from backend.service.jobs import Job

router = APIRouter(tags=["fit"])


@router.post(
    "/enrol",
    status_code=202,
    summary="Enrol a generator",
    response_model=JobOut,
    response_description="The job; its address is in `Location`",
    response_class=JSONResponse,
    responses={
        200: {"model": ModelCard, "description": "The new model, where it was done within `wait`"},
        **responses(404, 422, 503),
    },
)
async def enrol(request: Request, asked: EnrolIn, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues the fit of a new model that has a specialist for the generator, beside what the given one knows.

    The new card's `enrolment` says what was gained and lost: AUROC and recall on the generator's images before and
    after, by cross-validation, and the accuracy on the old test images before.
    """
    job = await run_in_threadpool(_submit, service, asked)
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _card(service, done))


def _submit(service: Service, asked: EnrolIn) -> Job:
    params = enrol_params(service, asked.model_id, asked.dataset_id, asked.generator, asked.name)
    return service.jobs.submit("fit", params)


def _card(service: Service, job: Job) -> ModelCard:
    return ModelCard.model_validate(service.registry.get(str((job.result or {})["model_id"])))
