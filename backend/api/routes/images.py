"""The images of a data set: a page of rows, one file, its thumbnail."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pyarrow.compute as pc
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api.deps import DatasetId, Limit, Offset, ServiceDep
from backend.api.schemas.common import responses
from backend.api.schemas.datasets import ImagePage, ImageRow, Label
from backend.service.shards import LABEL_NAMES

router = APIRouter(tags=["datasets"])

_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
}
_CACHE = {"Cache-Control": "private, max-age=3600"}

_COLUMNS = tuple(ImageRow.model_fields)

ImageNumber = Annotated[int, Path(ge=0, le=2**31 - 1, description="The image's number in the data set, from 0")]


@router.get("/datasets/{dataset_id}/images", summary="List a data set's images", responses=responses(404, 422))
def list_images(
    dataset_id: DatasetId,
    service: ServiceDep,
    *,
    label: Annotated[Label | None, Query(description="Only images with this label")] = None,
    split: Annotated[Literal["train", "validation", "test"] | None, Query(description="Only this split")] = None,
    generator: Annotated[str | None, Query(max_length=200, description="Only FAKE images of this generator")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ImagePage:
    """A page of the images in the data set's order, without their pixels."""
    index = service.datasets.index(dataset_id, list(_COLUMNS))
    wanted = {"label": label and LABEL_NAMES.index(label), "split": split, "generator": generator}
    keep = np.ones(index.num_rows, dtype=bool)
    for column, value in wanted.items():
        if value is not None:
            keep &= np.asarray(pc.equal(index[column], value))
    rows = np.flatnonzero(keep)
    items = [_present(row) for row in index.take(rows[offset : offset + limit]).to_pylist()]
    return ImagePage(items=items, total=len(rows), limit=limit, offset=offset)


def _present(row: dict[str, Any]) -> ImageRow:
    return ImageRow.model_validate({**row, "label": LABEL_NAMES[row["label"]]})


@router.get(
    "/datasets/{dataset_id}/images/{n}",
    summary="Show an image",
    response_class=Response,
    responses={200: {"description": "The file as it was imported", "content": {"image/*": {}}}, **responses(404, 422)},
)
def get_image(dataset_id: DatasetId, n: ImageNumber, service: ServiceDep) -> Response:
    """The image's own file."""
    data, row = service.datasets.image(dataset_id, n)
    return Response(data, media_type=_TYPES.get(row["format"], "application/octet-stream"), headers=_CACHE)


@router.get(
    "/datasets/{dataset_id}/images/{n}/thumbnail",
    summary="Show an image, small",
    response_class=Response,
    responses={200: {"description": "A JPEG", "content": {"image/jpeg": {}}}, **responses(404, 422)},
)
def get_thumbnail(
    dataset_id: DatasetId,
    n: ImageNumber,
    service: ServiceDep,
    size: Annotated[
        int, Query(ge=16, le=512, description="Longest side in pixels; smaller images stay as they are")
    ] = 96,
) -> Response:
    """The image as the extractors see it, scaled down; always JPEG, whatever the file's format."""
    return Response(service.datasets.thumbnail(dataset_id, n, size), media_type="image/jpeg", headers=_CACHE)
