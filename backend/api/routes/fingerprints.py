"""Fingerprints: enrol sources of images, look at them, compare them, and ask which of them made an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.deps import FingerprintId, GateDep, Limit, Offset, ServiceDep, WaitSeconds
from backend.api.intake import Intake, check_name_is_free, media_type, parse, receive
from backend.api.packs import file_problem, flag_of, nothing_answered, receive_images, too_large_file
from backend.api.problems import ProblemError, wrong_media_type
from backend.api.schemas.common import only_form, responses
from backend.api.schemas.datasets import DatasetName
from backend.api.schemas.fingerprints import (
    AttributeOut,
    AttributionOut,
    ComparisonOut,
    FileOut,
    FingerprintIn,
    FingerprintOut,
    FingerprintPage,
    LeftOut,
)
from backend.api.schemas.jobs import JobOut
from backend.api.spool import Pack
from backend.api.waiting import answer_with_job
from backend.core.fingerprints.attribution import FALSE_ATTRIBUTION
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER
from backend.service.app import Service
from backend.service.attributing import MOST_IN_BATCH, File
from backend.service.fingerprinting import LABELS, fingerprint_params
from backend.service.fingerprints import FINGERPRINT, Sort
from backend.service.jobs import Job

router = APIRouter(tags=["fingerprints"])

Picture = Annotated[Literal["residual", "spectrum", "autocorrelation"], Path(description="What it shows")]

_FIELDS = frozenset({"generator", "label", "denoiser", "name"})
_ASKED = ("batch", "false_attribution", "denoiser")

Denoiser = Annotated[
    str | None, Query(max_length=64, description="Only those by this denoiser; else the one that is in use")
]


@router.post(
    "/fingerprints",
    status_code=202,
    summary="Enrol a generator by its fingerprint",
    response_model=JobOut,
    response_description="The job; its address is in `Location`",
    response_class=JSONResponse,
    responses={
        200: {"model": FingerprintOut, "description": "The fingerprint, where it was done within `wait`"},
        **responses(400, 404, 408, 409, 413, 415, 422, 503, 507),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/FingerprintIn"}},
                "multipart/form-data": {"schema": {"$ref": "#/components/schemas/FingerprintForm"}},
            },
        }
    },
)
async def enrol_fingerprint(request: Request, service: ServiceDep, wait: WaitSeconds = 0) -> Response:
    """Queues the enrolment of a generator from a data set that the server has (JSON), or from images that come along.

    Its fingerprint is the mean noise residual of its images. Uploaded images become a data set, as for a fit. 409 where
    the generator has a fingerprint by this denoiser already.
    """
    kind = media_type(request)
    if kind == "application/json":
        asked = parse(FingerprintIn, await request.body(), "body")
        job = await run_in_threadpool(_submit_for_dataset, service, asked)
    elif kind == "multipart/form-data":
        async with receive(request, service, _FIELDS, one_label=LABELS) as intake:
            job = await run_in_threadpool(_submit_with_images, service, intake)
    else:
        raise wrong_media_type("application/json with a dataset_id, or multipart/form-data with images")
    return await answer_with_job(request, service.jobs, job, wait, lambda done: _enrolled(service, done))


def _submit_for_dataset(service: Service, asked: FingerprintIn) -> Job:
    params = fingerprint_params(
        service,
        asked.generator,
        dataset_id=asked.dataset_id,
        label=asked.label,
        source_generator=asked.source_generator,
        denoiser=asked.denoiser,
    )
    return service.jobs.submit(FINGERPRINT, params)


def _submit_with_images(service: Service, intake: Intake) -> Job:
    label, denoiser = intake.fields.get("label") or LABELS[0], intake.fields.get("denoiser") or DEFAULT_DENOISER
    params = fingerprint_params(service, intake.fields.get("generator", ""), label=label, denoiser=denoiser)
    name = intake.fields.get("name", "").strip() or f"{params['generator'][:80]} {intake.job_id[:8]}"
    parse(DatasetName, DatasetName.model_construct(name=name).model_dump_json(), "form")
    check_name_is_free(service, name)
    return intake.submit(service, FINGERPRINT, {**params, "name": name, "source": intake.source})


def _enrolled(service: Service, job: Job) -> FingerprintOut:
    return _present(service, str((job.result or {})["fingerprint_id"]))


@router.get("/fingerprints", summary="List fingerprints", responses=responses(422))
def list_fingerprints(
    service: ServiceDep,
    *,
    q: Annotated[str, Query(max_length=100, description="Only those with this in their generator or id")] = "",
    denoiser: Annotated[str | None, Query(max_length=64, description="Only those by this denoiser")] = None,
    sort: Annotated[Sort, Query(description="Key; a leading - puts the largest first")] = "-created_at",
    limit: Limit = 50,
    offset: Offset = 0,
) -> FingerprintPage:
    """A page of what is enrolled; `GET /fingerprints/{fingerprint_id}` gives one with its profiles."""
    records, total = service.fingerprints.list(q=q, denoiser=denoiser, sort=sort, limit=limit, offset=offset)
    items = [FingerprintOut.model_validate(record) for record in records]
    return FingerprintPage(items=items, total=total, limit=limit, offset=offset)


@router.get("/fingerprints/comparison", summary="Compare all fingerprints", responses=responses(404, 422))
def compare_fingerprints(service: ServiceDep, denoiser: Denoiser = None) -> ComparisonOut:
    """Correlations between all fingerprints of a denoiser, a tree over them, and names that cannot be told apart."""
    enrolled = service.attributor.enrolled(denoiser)
    labels = {record["generator"]: record["label"] for record in enrolled.records}
    found = enrolled.comparison.to_json()
    return ComparisonOut.model_validate(
        {**found, "denoiser": enrolled.denoiser, "labels": [labels[name] for name in found["names"]]}
    )


@router.post(
    "/fingerprints/attribute",
    summary="Which generator made it?",
    response_model=AttributeOut,
    responses=responses(400, 404, 408, 413, 415, 422, 503, 507),
    openapi_extra=only_form("AttributeForm"),
)
async def attribute_images(request: Request, service: ServiceDep, gate: GateDep) -> AttributeOut:
    """The enrolled source of each image, or with `batch` of all of them together, or "none of the enrolled" (null).

    A batch of k images of one source tells about as much as sqrt(k) times the correlation of one. Images of another
    size than a fingerprint are cropped, never resized; the answer says what that costs. A bad file does not fail the
    others.
    """
    async with receive_images(request, request.app.state.settings, _ASKED) as (pack, fields):
        batch, share = _batch_of(fields, len(pack.files)), _share_of(fields)

        def answer() -> AttributeOut:
            return _attribute(service, pack, batch=batch, share=share, denoiser=fields.get("denoiser") or None)

        found = await to_thread.run_sync(answer, limiter=gate.limiter)
    if not found.attributions:
        raise nothing_answered(found.errors)
    request.state.images = sum(one.images for one in found.attributions)  # of the key's images a day
    return found


def _attribute(service: Service, pack: Pack, *, batch: bool, share: float, denoiser: str | None) -> AttributeOut:
    def files() -> Iterator[File]:
        for entry in pack.files:
            yield entry.index, pack.read(entry) if entry.is_whole else too_large_file(entry)

    answer = service.attributor.attribute(files(), batch=batch, false_attribution=share, denoiser=denoiser)
    attributions = []
    for one in answer.attributions:
        sent = [FileOut(index=number, filename=pack.files[number].filename) for number in one["files"]]
        attributions.append(AttributionOut.model_validate({**one, "files": sent}))
    return AttributeOut(
        denoiser=answer.denoiser,
        calibrated=answer.calibrated,
        left_out=[LeftOut.model_validate(one) for one in answer.left_out],
        attributions=attributions,
        errors=[file_problem(pack.files[number], error) for number, error in answer.errors],
    )


def _batch_of(fields: dict[str, str], files: int) -> bool:
    """Whether the files are said to come from one source. Raises ProblemError."""
    batch = flag_of(fields, "batch")
    if batch and files > MOST_IN_BATCH:
        hint = f"Send at most {MOST_IN_BATCH}: more hardly tell anything new."
        raise ProblemError(422, "upload.fields", f"The batch has {files} files.", hint)
    return batch


def _share_of(fields: dict[str, str]) -> float:
    try:
        return float(fields.get("false_attribution") or FALSE_ATTRIBUTION)
    except ValueError:
        raise ProblemError(
            422, "upload.fields", "`false_attribution` is no number.", "Send a share such as 0.05."
        ) from None


@router.get("/fingerprints/{fingerprint_id}", summary="Show a fingerprint", responses=responses(404, 422))
def get_fingerprint(fingerprint_id: FingerprintId, service: ServiceDep) -> FingerprintOut:
    """The fingerprint with its profiles, the correlations of other sources' images, and names that are the same."""
    return _present(service, fingerprint_id)


@router.get(
    "/fingerprints/{fingerprint_id}/pictures/{picture}",
    summary="See a fingerprint",
    response_class=Response,
    responses={200: {"description": "A picture", "content": {"image/png": {}}}, **responses(404, 422)},
)
def get_picture(fingerprint_id: FingerprintId, picture: Picture, service: ServiceDep) -> Response:
    """The mean residual, amplified; its power spectrum with frequency 0 in the middle; or the autocorrelation."""
    content = service.fingerprints.picture(fingerprint_id, picture)
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.delete(
    "/fingerprints/{fingerprint_id}", status_code=204, summary="Delete a fingerprint", responses=responses(404, 422)
)
def delete_fingerprint(fingerprint_id: FingerprintId, service: ServiceDep) -> None:
    """Removes the fingerprint; the images that it was made from stay."""
    service.fingerprints.delete(fingerprint_id)


def _present(service: Service, fingerprint_id: str) -> FingerprintOut:
    record = service.fingerprints.get(fingerprint_id)
    return FingerprintOut.model_validate(service.attributor.describe(record))
