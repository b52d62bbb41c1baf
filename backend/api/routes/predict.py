"""Predict: images in, REAL or FAKE with a probability out."""

from __future__ import annotations

from collections.abc import Mapping

from anyio import to_thread
from fastapi import APIRouter, Request

from backend.api.deps import GateDep, MetricsDep, ServiceDep, SettingsDep
from backend.api.metrics import Metrics
from backend.api.packs import file_problem, nothing_answered, receive_images, too_large_file
from backend.api.problems import ProblemError
from backend.api.schemas.common import responses
from backend.api.schemas.predictions import Prediction, PredictOut
from backend.api.spool import Pack
from backend.service.app import Service

router = APIRouter(tags=["predict"])

_BATCH_FILES, _BATCH_BYTES = 32, 32 * 1_048_576
_FLAGS = ("", "true", "false", "1", "0")


@router.post(
    "/predict",
    summary="Tell REAL from FAKE",
    responses=responses(400, 404, 408, 413, 415, 422, 503, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/PredictForm"}}},
        }
    },
)
async def predict(
    request: Request, service: ServiceDep, settings: SettingsDep, metrics: MetricsDep, gate: GateDep
) -> PredictOut:
    """One answer for each file, by the active model or `model_id`. A bad file does not fail the others.

    200 where any file was answered; otherwise the problem itself: that of the only file, or one with `errors`.
    """
    async with receive_images(request, settings, ("model_id", "explain", "provenance")) as (pack, fields):
        _check_flags(fields)
        model_id = fields.get("model_id") or None
        answers = await to_thread.run_sync(predict_pack, service, pack, model_id, limiter=gate.limiter)
    _count(metrics, answers)
    if not answers.predictions:
        raise nothing_answered(answers.errors)
    return answers


def predict_pack(service: Service, pack: Pack, model_id: str | None) -> PredictOut:
    """Answers and errors, each in the order of the files. Holds the bytes of one batch at a time.

    Raises NotFound or NoActiveModel before any file is read.
    """
    service.registry.detector(model_id)
    chosen = model_id or service.registry.active()
    answered: list[Prediction] = []
    failed = [file_problem(entry, too_large_file(entry)) for entry in pack.files if not entry.is_whole]
    for batch in pack.batches(_BATCH_FILES, _BATCH_BYTES):
        # Positions stand in for names, which may repeat in one request.
        result = service.predictor.predict([(str(entry.index), data) for entry, data in batch], chosen)
        for item in result["predictions"]:
            entry = pack.files[int(item["filename"])]
            answered.append(Prediction.model_validate({**item, "index": entry.index, "filename": entry.filename}))
        failed += [file_problem(pack.files[int(item["filename"])], item["error"]) for item in result["errors"]]
    return PredictOut(
        model_id=str(chosen),
        predictions=sorted(answered, key=lambda item: item.index),
        errors=sorted(failed, key=lambda item: item.index),
    )


def _check_flags(fields: Mapping[str, str]) -> None:
    for name in ("explain", "provenance"):
        if fields.get(name, "").lower() not in _FLAGS:
            raise ProblemError(422, "upload.fields", f"`{name}` is neither true nor false.", "Send true or false.")


def _count(metrics: Metrics, answers: PredictOut) -> None:
    for answer in answers.predictions:
        metrics.predictions.labels(answer.verdict).inc()
    for fault in answers.errors:
        metrics.refused.labels(fault.code).inc()
