"""Evaluations: what a model catches of each generator, and the train x test matrix of generators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from backend.api.deps import EvaluationId, Limit, Offset, ServiceDep, WaitSeconds
from backend.api.schemas.common import responses
from backend.api.schemas.evaluations import EvaluateIn, EvaluationKind, EvaluationOut, EvaluationPage, MatrixIn
from backend.api.waiting import ANSWERS_WITH_JOB, answer_with_job, job_responses
from backend.service.app import Service
from backend.service.evaluation_workflows import check_matrix, resolve_datasets
from backend.service.evaluations import EVALUATE, MATRIX
from backend.service.freezing import freeze_fingerprints
from backend.service.jobs import Job

router = APIRouter(tags=["evaluations"])


@router.post(
    "/evaluations",
    summary="Evaluate a model by generator",
    **ANSWERS_WITH_JOB,
    responses=job_responses(EvaluationOut, "The evaluation, where it was done"),
)
async def evaluate(request: Request, asked: EvaluateIn, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues the evaluation of a model on data sets: figures for each generator at the model's own threshold.

    The model's card then has `held_out_generators`. Answers 202 with the job, whose id the evaluation will have.
    """
    job = await run_in_threadpool(_submit_evaluation, service, asked)
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _present(service, done))


@router.post(
    "/evaluations/matrix",
    summary="Fit and test every generator against every other",
    **ANSWERS_WITH_JOB,
    responses=job_responses(EvaluationOut, "The matrix, where it was done"),
)
async def cross_evaluate(request: Request, asked: MatrixIn, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues a train x test matrix: a detector for each generator alone and for all without it, each tested on all.

    No model is kept. Answers 202 with the job, whose id the evaluation will have.
    """
    job = await run_in_threadpool(_submit_matrix, service, asked)
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _present(service, done))


@router.get("/evaluations", summary="List evaluations", responses=responses(422))
def list_evaluations(
    service: ServiceDep,
    *,
    model_id: Annotated[str | None, Query(max_length=128, description="Only those of this model")] = None,
    kind: Annotated[EvaluationKind | None, Query(description="Only this kind")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> EvaluationPage:
    """A page of evaluations, newest first; `GET /evaluations/{evaluation_id}` gives one with its figures."""
    records, total = service.evaluations.list(model_id=model_id, kind=kind, limit=limit, offset=offset)
    items = [EvaluationOut.model_validate(record) for record in records]
    return EvaluationPage(items=items, total=total, limit=limit, offset=offset)


@router.get("/evaluations/{evaluation_id}", summary="Show an evaluation", responses=responses(404, 422))
def get_evaluation(evaluation_id: EvaluationId, service: ServiceDep) -> EvaluationOut:
    """The evaluation with all its figures."""
    return EvaluationOut.model_validate(service.evaluations.get(evaluation_id))


@router.delete(
    "/evaluations/{evaluation_id}", status_code=204, summary="Delete an evaluation", responses=responses(404, 422)
)
def delete_evaluation(evaluation_id: EvaluationId, service: ServiceDep) -> None:
    """Removes the evaluation, and its figures from the model's card."""
    service.evaluations.delete(evaluation_id)


def _submit_evaluation(service: Service, asked: EvaluateIn) -> Job:
    model = service.registry.get(asked.model_id)
    infos = resolve_datasets(service, asked.dataset_ids)
    ids = [info.id for info in infos]
    return service.jobs.submit(EVALUATE, {"model_id": model["id"], "dataset_ids": ids, "split": asked.split})


def _submit_matrix(service: Service, asked: MatrixIn) -> Job:
    config = freeze_fingerprints(service, asked.config.to_config())
    infos = resolve_datasets(service, asked.dataset_ids)
    check_matrix(infos, asked.generators or ())
    ids = [info.id for info in infos]
    return service.jobs.submit(MATRIX, {"dataset_ids": ids, "generators": asked.generators, "config": config.to_json()})


def _present(service: Service, job: Job) -> EvaluationOut:
    return EvaluationOut.model_validate(service.evaluations.get(str((job.result or {})["evaluation_id"])))
