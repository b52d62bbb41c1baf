"""Robustness: measure a model on changed copies of test images, and read what was measured."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.deps import ServiceDep, WaitSeconds
from backend.api.schemas.common import responses
from backend.api.schemas.jobs import JobOut
from backend.api.schemas.robustness import RobustnessIn, RobustnessOut
from backend.api.waiting import answer_with_job
from backend.service.app import Service
from backend.service.jobs import Job
from backend.service.robustness import read_robustness

router = APIRouter(tags=["models"])


@router.post(
    "/robustness",
    summary="Measure how a model stands corruptions",
    response_model=RobustnessOut,
    response_class=JSONResponse,
    responses={
        202: {"model": JobOut, "description": "The job; its result is at GET /robustness when it is done"},
        **responses(404, 409, 422, 503),
    },
)
async def measure(request: Request, service: ServiceDep, asked: RobustnessIn, wait: WaitSeconds = 0) -> Response:
    """Accuracy and AUROC under JPEG, scaling, cropping, blur, noise, brightness and mirroring, by strength.

    Answers with a job, or with the result where it is there within `wait` seconds.
    """
    job = await run_in_threadpool(_submit, service, asked)
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _result(service, done))


@router.get("/robustness", summary="Show how a model stands corruptions", responses=responses(404, 422, 503))
def show(
    service: ServiceDep,
    model_id: str = Query(min_length=1, max_length=200, description="Id of the model"),
    dataset_id: str = Query(min_length=1, max_length=200, description="Id or name of the data set"),
) -> RobustnessOut:
    """The latest result of a model over a data set; 404 where none was measured."""
    return RobustnessOut.model_validate(read_robustness(service, model_id, dataset_id))


def _submit(service: Service, asked: RobustnessIn) -> Job:
    params = {
        "model_id": str(service.registry.get(asked.model_id)["id"]),
        "dataset_id": service.datasets.get(asked.dataset_id).id,
        "images": asked.images,
        "seed": asked.seed,
    }
    return service.jobs.submit("robustness", params)


def _result(service: Service, job: Job) -> RobustnessOut:
    made = job.result or {}
    return RobustnessOut.model_validate(read_robustness(service, str(made["model_id"]), str(made["dataset_id"])))
