"""Jobs: what is running, how far it is, why it failed; cancel and repeat."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.deps import JobId, Limit, Offset, ServiceDep
from backend.api.schemas.common import responses
from backend.api.schemas.jobs import JobKind, JobOut, JobPage, JobState
from backend.api.waiting import present_job

router = APIRouter(tags=["jobs"])


@router.get("/jobs", summary="List jobs", responses=responses(422))
def list_jobs(
    service: ServiceDep,
    state: Annotated[JobState | None, Query(description="Only jobs in this state")] = None,
    kind: Annotated[JobKind | None, Query(description="Only jobs of this kind")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JobPage:
    """A page of the jobs, newest first."""
    jobs, total = service.jobs.list(state, kind, limit, offset)
    return JobPage(items=[present_job(job) for job in jobs], total=total, limit=limit, offset=offset)


@router.get("/jobs/{job_id}", summary="Show a job", responses=responses(404, 422))
def get_job(job_id: JobId, service: ServiceDep) -> JobOut:
    """State, progress, and the reason of a failure."""
    return present_job(service.jobs.get(job_id))


@router.delete("/jobs/{job_id}", summary="Cancel a job", responses=responses(404, 409, 422))
def cancel_job(job_id: JobId, service: ServiceDep) -> JobOut:
    """Tells the job to stop. It stops within a chunk and stays in the list as `cancelled`; 409 if it has ended."""
    return present_job(service.jobs.cancel(job_id))


@router.post("/jobs/{job_id}/retry", summary="Repeat a job", responses=responses(404, 409, 422, 503))
def retry_job(job_id: JobId, service: ServiceDep) -> JobOut:
    """Queues a failed or cancelled job again; finished chunks are not computed again."""
    return present_job(service.jobs.retry(job_id))
