"""Data sets: import, list, show, export, remove."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from backend.api.deps import DatasetId, Limit, Offset, ServiceDep, WaitSeconds
from backend.api.downloads import download
from backend.api.intake import Intake, check_name_is_free, media_type, parse, receive
from backend.api.problems import wrong_media_type
from backend.api.schemas.common import json_or_form, responses
from backend.api.schemas.datasets import DatasetChanges, DatasetName, DatasetOut, DatasetPage, SourceIn
from backend.api.waiting import ANSWERS_WITH_JOB, UPLOAD_STATUSES, answer_with_job, job_responses
from backend.service.app import Service
from backend.service.jobs import Job
from backend.service.quotas import require_dataset_room

router = APIRouter(tags=["datasets"])

_FIELDS = frozenset({"name", "labels"})


@router.post(
    "/datasets",
    summary="Import a data set",
    **ANSWERS_WITH_JOB,
    responses=job_responses(DatasetOut, "The data set, where it was imported", UPLOAD_STATUSES),
    openapi_extra=json_or_form("SourceIn", "DatasetForm"),
)
async def import_dataset(request: Request, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues the import of images that come with the request (multipart), or of a known source (JSON).

    Answers 202 with the job and its address in `Location`; with `wait`, the data set when it is imported in time.
    """
    kind = media_type(request)
    if kind == "application/json":
        asked = parse(SourceIn, await request.body(), "body")
        job = await run_in_threadpool(_submit_source, service, asked)
    elif kind == "multipart/form-data":
        async with receive(request, service, _FIELDS) as intake:
            job = await run_in_threadpool(_submit_images, service, intake)
    else:
        raise wrong_media_type("multipart/form-data with images, or application/json with a source")
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _imported(service, done))


def _submit_source(service: Service, asked: SourceIn) -> Job:
    check_name_is_free(service, asked.name)
    require_dataset_room(service.database, service.settings, 0)
    return service.jobs.submit("import", {"name": asked.name, "source": {"kind": asked.source}})


def _submit_images(service: Service, intake: Intake) -> Job:
    name = intake.fields.get("name", "").strip()
    parse(DatasetName, DatasetName.model_construct(name=name).model_dump_json(), "form")
    check_name_is_free(service, name)
    return intake.submit(service, "import", {"name": name, "source": intake.source})


def _imported(service: Service, job: Job) -> DatasetOut:
    return DatasetOut.model_validate(service.datasets.get(str((job.result or {})["dataset_id"])).to_json())


@router.get("/datasets", summary="List data sets", responses=responses(422))
def list_datasets(
    service: ServiceDep,
    q: Annotated[str, Query(max_length=100, description="Only data sets with this in their name or id")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> DatasetPage:
    """A page of the data sets, newest first."""
    wanted = q.casefold()
    found = [info for info in service.database.list_datasets() if wanted in f"{info['name']}\n{info['id']}".casefold()]
    page = [DatasetOut.model_validate(info) for info in found[offset : offset + limit]]
    return DatasetPage(items=page, total=len(found), limit=limit, offset=offset)


@router.get("/datasets/{dataset_id}", summary="Show a data set", responses=responses(404, 422))
def get_dataset(dataset_id: DatasetId, service: ServiceDep) -> DatasetOut:
    """Counts by split and label, generators, duplicates, and what was left out."""
    return DatasetOut.model_validate(service.datasets.get(dataset_id).to_json())


@router.patch(
    "/datasets/{dataset_id}",
    summary="Change labels or drop images",
    responses=responses(400, 404, 409, 413, 422, 507),
)
def revise_dataset(dataset_id: DatasetId, asked: DatasetChanges, service: ServiceDep) -> DatasetOut:
    """The data set in its new version, with a new digest; models keep the digest of the version they were fitted on.

    Images keep their numbers and their features: the next fit computes none again. Either all changes are made or none.
    409 while a job uses the data set, or where it is not at `version` any more.
    """
    revised = service.revise_dataset(dataset_id, asked.by_number(), asked.version)
    return DatasetOut.model_validate(revised.to_json())


@router.delete(
    "/datasets/{dataset_id}", status_code=204, summary="Delete a data set", responses=responses(404, 409, 422)
)
def delete_dataset(dataset_id: DatasetId, service: ServiceDep) -> None:
    """Removes the images and all that was derived from them, except models. 409 while a job uses it."""
    service.delete_dataset(dataset_id)


@router.get(
    "/datasets/{dataset_id}/export",
    summary="Download a data set",
    response_class=Response,
    responses={
        200: {"description": "The file", "content": {"application/zip": {}, "application/vnd.apache.parquet": {}}},
        **responses(404, 422, 507),
    },
)
def export_dataset(
    dataset_id: DatasetId,
    service: ServiceDep,
    format: Annotated[
        Literal["zip", "parquet"],
        Query(description="zip: REAL/ and FAKE/ folders; parquet: the Hugging Face image layout in one file"),
    ] = "zip",
) -> Response:
    """The data set as one file; `POST /datasets` reads both formats."""
    info = service.datasets.get(dataset_id)
    media, write = {
        "zip": ("application/zip", service.datasets.export_zip),
        "parquet": ("application/vnd.apache.parquet", service.datasets.export_parquet),
    }[format]
    return download(service.settings, f"{info.id}.{format}", media, info.bytes, lambda path: write(info.id, path))
