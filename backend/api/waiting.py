"""Answers a request that made a job: with the job at once, or with its result when it ends soon enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.problems import ProblemError, status_of_code
from backend.api.schemas.common import responses
from backend.api.schemas.jobs import JobOut
from backend.api.schemas.models import ModelCard
from backend.service.app import Service
from backend.service.jobs import Job, Jobs

ANSWERS_WITH_JOB: dict[str, Any] = {
    "status_code": 202,
    "response_model": JobOut,
    "response_description": "The job; its address is in `Location`",
    "response_class": JSONResponse,
}
"""What all routes that queue a job say of their answer."""

UPLOAD_STATUSES = (400, 408, 409, 413, 415, 422, 503, 507)
"""What a route that queues a job may answer where images come with the request."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_PATH_KEYS = frozenset({"path", "folder"})


def job_responses(model: type[BaseModel], made: str, statuses: Iterable[int] = (404, 422, 503)) -> dict[int | str, Any]:
    """The `responses` of a route that queues a job: the result `model` within `wait`, the problems of `statuses`."""
    return {200: {"model": model, "description": f"{made} within `wait`"}, **responses(*statuses)}


async def answer_with_job(
    request: Request, jobs: Jobs, job: Job, seconds: float, result: Callable[[Job], Any]
) -> Response:
    """202 with the job and its `Location`; 200 with `result(job)` where the job is done within `seconds`.

    Raises ProblemError with the job's own code where it fails within them.
    """
    request.state.target = job.id  # for the audit log
    job = await wait_for(request, jobs, job, seconds)
    if job.state == "done":
        return JSONResponse(jsonable_encoder(await run_in_threadpool(result, job)))
    location = {"Location": f"/jobs/{job.id}"}
    if job.finished:
        code = job.error_code or f"job.{job.state}"
        detail = job.reason or f"The job was {job.state}."
        raise ProblemError(
            status_of_code(code),
            code,
            detail,
            "POST /jobs/{id}/retry repeats it." if status_of_code(code) >= 500 else "",
            headers=location,
            extensions={"job_id": job.id},
        )
    return JSONResponse(present_job(job).model_dump(), 202, location)


async def wait_for(request: Request, jobs: Jobs, job: Job, seconds: float) -> Job:
    """The job when it has ended, the time is up, the client is gone or the server ends. Holds no thread meanwhile."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while not job.finished and (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        if request.app.state.draining.begun or await request.is_disconnected():
            break
        job = await run_in_threadpool(jobs.get, job.id)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return job


def fitted_model(service: Service, job: Job) -> ModelCard:
    """The card of the model that a finished fit made."""
    return ModelCard.model_validate(service.registry.get(str((job.result or {})["model_id"])))


def present_job(job: Job) -> JobOut:
    """A job as clients see it: without paths of the server."""
    return JobOut.model_validate({**job.to_json(), "params": _without_paths(job.params)})


def _without_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_paths(item) for key, item in value.items() if key not in _PATH_KEYS}
    return [_without_paths(item) for item in value] if isinstance(value, list) else value
