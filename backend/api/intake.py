"""From a request that carries images to a queued job: spool, check all that can be known now, submit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from backend.api.problems import ProblemError, validation_document
from backend.api.spool import SpoolFolder
from backend.api.uploads import DatasetUpload, receive_dataset
from backend.core.errors import Conflict
from backend.service.app import Service
from backend.service.jobs import Job, new_job_id
from backend.service.quotas import require_dataset_room
from backend.service.sources import ImportLimits, open_source
from backend.settings import Settings

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Intake:
    """An upload that has arrived whole and waits in its job's folder."""

    job_id: str
    fields: Mapping[str, str]
    source: dict[str, Any]  # for `open_source`
    _folder: SpoolFolder

    def submit(self, service: Service, kind: str, params: Mapping[str, Any]) -> Job:
        """Queues the job, which owns the folder from then on. Raises QueueFull."""
        job = service.jobs.submit(kind, params, id=self.job_id)
        self._folder.keep()
        return job


@asynccontextmanager
async def receive(
    request: Request,
    service: Service,
    text_fields: frozenset[str],
    unsorted: str = "",
    *,
    one_label: Sequence[str] = (),
) -> AsyncIterator[Intake]:
    """The upload of a multipart request. Whatever goes wrong before `submit`, nothing of it stays on the disk.

    `unsorted` is as in `DatasetUpload.describe`. With `one_label`, the choices for the text field `label`, it is that
    field, the first by default.

    Raises QueueFull or StorageQuota before anything is read; ProblemError, LabelMismatch or StorageFull while reading.
    """
    await run_in_threadpool(service.jobs.require_room)
    declared = request.headers.get("content-length", "")
    more = int(declared) if declared.isdecimal() else 0
    await run_in_threadpool(require_dataset_room, service.database, service.settings, more)
    job_id = new_job_id()
    with SpoolFolder(service.jobs.folder(job_id)) as folder:
        upload = DatasetUpload(folder)
        fields = await receive_dataset(request, upload, max_files=service.settings.max_files, text_fields=text_fields)
        if one_label:
            unsorted = _check_label(fields.get("label") or one_label[0], one_label)
        source = await run_in_threadpool(upload.describe, fields.get("labels"), unsorted)
        await run_in_threadpool(_check_source, source, service.settings)
        yield Intake(job_id, fields, source, folder)


def _check_label(label: str, known: Sequence[str]) -> str:
    if label not in known:
        raise ProblemError(422, "upload.fields", f"`label` is {label[:40]!r}.", f"Send one of: {', '.join(known)}.")
    return label


def _check_source(source: Mapping[str, Any], settings: Settings) -> None:
    """Raises what is wrong with an archive as a whole; its images are read by the job."""
    limits = ImportLimits(
        max_members=settings.max_archive_members,
        max_unpacked_bytes=int(settings.max_unpacked_bytes),
        max_pixels=settings.max_pixels,
    )
    open_source(source, limits).chunks()


def media_type(request: Request) -> str:
    """The request's Content-Type without its parameters, in lower case."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def parse(model: type[Model], data: bytes | str, prefix: str) -> Model:
    """`data` as JSON that fits `model`. Raises ProblemError: 400 where it is no JSON, 422 with every fault."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        faults = [dict(fault) for fault in error.errors(include_url=False, include_context=False, include_input=False)]
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise ProblemError(
                400, "request.malformed", f"{prefix} is not valid JSON.", "Send one JSON document, encoded as UTF-8."
            ) from None
        document = validation_document(faults, prefix)
        raise ProblemError(
            422, document["code"], document["detail"], document["hint"], extensions={"errors": document["errors"]}
        ) from None


def check_name_is_free(service: Service, name: str) -> None:
    """Raises Conflict where a data set, or one that is being imported, has that name."""
    waiting = [job for state in ("queued", "running") for job in service.jobs.list(state, limit=1000)[0]]
    if service.database.get_dataset(name) is not None or name in {job.params.get("name") for job in waiting}:
        raise Conflict(f"There is a data set named {name!r} already.", "Choose another name, or delete that one first.")
