"""EDA: the profile of a data set, or of images that are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import tee
from typing import Any

import numpy as np
import pyarrow as pa
from anyio import to_thread
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.deps import GateDep, ServiceDep, SettingsDep, WaitSeconds
from backend.api.packs import file_problem, nothing_answered, receive_images, too_large_file
from backend.api.schemas.common import only_form, responses
from backend.api.schemas.eda import Profile
from backend.api.schemas.jobs import JobOut
from backend.api.schemas.predictions import FileProblem
from backend.api.spool import Pack, PackedFile
from backend.api.uploads import parse_labels
from backend.api.waiting import answer_with_job
from backend.core.audit.report import audit
from backend.core.audit.traits import FileHeader, join, measure_traits, read_header
from backend.core.eda import RowInfo, finish, stats_of
from backend.core.errors import DeepfakeError, NotFound
from backend.core.images import DecodedImage, decode, pixel_digest
from backend.service.app import Service
from backend.service.jobs import Job

router = APIRouter(tags=["eda"])


@router.get(
    "/eda",
    summary="Profile a data set",
    response_model=Profile,
    response_class=JSONResponse,
    responses={
        202: {"model": JobOut, "description": "The profile is being made: ask again when the job is done"},
        **responses(404, 422, 503),
    },
)
async def profile_dataset(
    request: Request,
    service: ServiceDep,
    dataset_id: str = Query(min_length=1, max_length=200, description="Id or name of the data set"),
    wait: WaitSeconds = 600,
    make: bool = Query(True, description="false: answer 404 instead of making a profile that is not there yet"),
) -> Response:
    """Counts, channels, sizes, formats, distributions, spectra, outliers, duplicates and the audit of a data set.

    The first question makes the profile: it is answered when that is done, or with 202 and the job after `wait`.
    """
    dataset = (await run_in_threadpool(service.datasets.get, dataset_id)).id
    profile = await run_in_threadpool(_read_profile, service, dataset)
    if profile is not None:
        return JSONResponse(profile)
    if not make:
        raise NotFound("The data set has not been profiled yet.", "Ask without make=false, and it will be.")
    job = await run_in_threadpool(_profile_job, service, dataset)
    return await answer_with_job(request, service.jobs, job, wait, lambda _: _read_profile(service, dataset))


def _read_profile(service: Service, dataset_id: str) -> dict[str, Any] | None:
    """The profile as an earlier job left it, or None."""
    profile = service.profile(dataset_id)
    return None if profile is None else {**profile, "dataset_id": dataset_id, "errors": []}


def _profile_job(service: Service, dataset_id: str) -> Job:
    """The job that makes the profile: the one that waits or runs already, else a new one."""
    for state in ("queued", "running"):
        for job in service.jobs.list(state, "profile", limit=1000)[0]:
            if job.params.get("dataset_id") == dataset_id:
                return job
    return service.jobs.submit("profile", {"dataset_id": dataset_id})


@router.post(
    "/eda",
    summary="Profile images without keeping them",
    response_model=Profile,
    responses=responses(400, 408, 413, 415, 422, 503, 507),
    openapi_extra=only_form("EdaForm"),
)
async def profile_images(request: Request, settings: SettingsDep, gate: GateDep) -> Profile:
    """The same profile for the images of this request. Files that are no images are named in `errors`.

    The audit compares the classes, so it is made where `labels` name them.
    """
    async with receive_images(request, settings, ("labels",)) as (pack, fields):
        labels = parse_labels(fields["labels"], len(pack.files)) if "labels" in fields else None
        reading = _Reading(pack, labels, settings.max_pixels)
        profile = await to_thread.run_sync(reading.profile, limiter=gate.limiter)
    request.state.images = profile.images  # of the key's images a day
    return profile


class _Reading:
    """Decodes the files of a pack one at a time and notes which cannot be read. labels: one a file, None: not known."""

    def __init__(self, pack: Pack, labels: list[str] | None, max_pixels: int) -> None:
        self._pack, self._labels, self._max_pixels = pack, labels, max_pixels
        self._rows: list[RowInfo] = []
        self._digests: list[str] = []
        self._headers: dict[int, FileHeader] = {}  # by row, where there is an audit to be made
        self._traits: list[NDArray[Any]] = []
        self._errors: list[FileProblem] = []

    def profile(self) -> Profile:
        """The profile of the readable images. Raises ProblemError where there is none."""
        images, rows = tee(self._images())
        partial = stats_of((image for image, _ in images), (row for _, row in rows), self._measure)
        if not self._rows:
            raise nothing_answered(self._errors)
        index = pa.table(
            {
                "row": pa.array([row.row for row in self._rows], pa.int64()),
                "path": pa.array([row.path for row in self._rows], pa.string()),
                "label": pa.array([row.label for row in self._rows], pa.string()),
                "split": pa.array([row.split for row in self._rows], pa.string()),
                "generator": pa.array([row.generator for row in self._rows], pa.string()),
                "group_id": pa.array(np.unique(self._digests, return_inverse=True)[1], pa.int64()),
                "pixel_sha256": pa.array(self._digests, pa.string()),
            }
        )
        profile = finish(partial, index)
        found = None if self._labels is None else audit(partial.images(), join(self._traits), index, profile)
        return Profile.model_validate({**profile, "audit": found, "dataset_id": None, "errors": self._errors})

    def _images(self) -> Iterator[tuple[DecodedImage, RowInfo]]:
        for entry in self._pack.files:
            try:
                data, image = self._decode(entry)
            except DeepfakeError as error:
                self._errors.append(file_problem(entry, error))
                continue
            label = "" if self._labels is None else self._labels[entry.index]
            row = RowInfo(entry.index, label, bytes=entry.size, path=entry.filename)
            if self._labels is not None:
                self._headers[row.row] = read_header(data)
            self._rows.append(row)
            self._digests.append(pixel_digest(image.pixels))
            yield image, row

    def _measure(self, images: list[DecodedImage], rows: list[RowInfo], spectra: NDArray[np.float32]) -> None:
        if self._labels is not None:
            numbers = [row.row for row in rows]
            headers = [self._headers[number] for number in numbers]
            self._traits.append(measure_traits(images, headers, numbers, spectra))

    def _decode(self, entry: PackedFile) -> tuple[bytes, DecodedImage]:
        if not entry.is_whole:
            raise too_large_file(entry)
        data = self._pack.read(entry)
        return data, decode(data, max_pixels=self._max_pixels)
