"""Predict: images in, REAL or FAKE with a probability out."""

from __future__ import annotations

from asyncio import wrap_future
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from backend.api.direct import Direct
from backend.api.metrics import Metrics
from backend.api.packs import Gate, client_of, file_problem, flag_of, nothing_answered, receive_images, too_large_file
from backend.api.problems import ProblemError
from backend.api.schemas.common import only_form, responses
from backend.api.schemas.predictions import Prediction, PredictOut, Provenance
from backend.api.spool import Pack, PackedFile
from backend.service.app import Service
from backend.service.predictor import MOST_EXAMINED, Question, Verdict

router = APIRouter(tags=["predict"])

_BATCH_FILES, _BATCH_BYTES, _BATCHES_AT_ONCE = 64, 32 * 1_048_576, 2
_READ_AT_ONCE = 1_048_576  # bytes that are read without a thread: they lie in memory, or in the system's cache
_FLAGS = ("explain", "provenance", "stability")


@router.post(
    "/predict",
    summary="Tell REAL from FAKE",
    response_model=PredictOut,
    response_class=JSONResponse,
    responses=responses(400, 404, 408, 413, 415, 422, 503, 507),
    openapi_extra=only_form("PredictForm"),
)
async def predict(request: Request) -> Response:
    """One answer for each file, by the active model or `model_id`. A bad file does not fail the others.

    With `explain` each answer says which parts of the image led to it; with `stability` it is tried on changed copies,
    and a verdict that does not hold becomes `unsure`. Both are for at most 16 files of a request.

    200 where any file was answered; otherwise the problem itself: that of the only file, or one with `errors`.
    """
    service: Service = request.app.state.service
    gate: Gate = request.app.state.gate
    form = ("model_id", *_FLAGS)
    async with receive_images(request, request.app.state.settings, form) as (pack, fields):
        question = _question_of(fields, len(pack.files))
        is_small = sum(entry.size for entry in pack.files) <= _READ_AT_ONCE
        async with nullcontext() if is_small else gate.large:
            answers = await answer_pack(service, pack, client_of(request), question)
            if flag_of(fields, "provenance"):
                await _add_provenance(service, pack, answers, gate)
    _count(request.app.state.metrics, answers)
    request.state.images = len(answers.predictions)  # of the key's images a day
    if not answers.predictions:
        raise nothing_answered(answers.errors)
    # As text at once: FastAPI would validate and copy the same answers a second time.
    return Response(answers.model_dump_json(), media_type="application/json")


direct = Direct("/predict", predict, methods=["POST"], include_in_schema=False)
"""The same without FastAPI's way to it."""


async def answer_pack(service: Service, pack: Pack, client: str, question: Question) -> PredictOut:
    """Answers and errors, each in the order of the files. Holds the bytes of two batches at a time.

    Raises NotFound, NoActiveModel or IntegrityError.
    """
    if question.model_id is None and len(pack.files) > 1:  # one model for all files, whatever is chosen meanwhile
        question = replace(question, model_id=await run_in_threadpool(service.registry.active))
    failed = [file_problem(entry, too_large_file(entry)) for entry in pack.files if not entry.is_whole]
    if len(failed) == len(pack.files):
        await run_in_threadpool(service.registry.detector, question.model_id)  # a model that is not there is said first
    answered: list[Prediction] = []
    under_way: deque[tuple[list[PackedFile], Future[list[Verdict]]]] = deque()

    async def collect() -> None:
        entries, future = under_way.popleft()
        try:
            verdicts = await wrap_future(future)
        finally:
            del future  # its error keeps this frame, which would lead back to it and keep the files alive
        for entry, verdict in zip(entries, verdicts, strict=True):
            if verdict.error is not None:
                failed.append(file_problem(entry, verdict.error))
            else:
                answered.append(Prediction.of(entry.index, entry.filename, verdict))
            chosen.add(verdict.model_id)

    chosen: set[str] = set()
    batches = pack.batches(_BATCH_FILES, _BATCH_BYTES)
    in_memory = sum(entry.size for entry in pack.files) <= _READ_AT_ONCE
    while batch := next(batches, None) if in_memory else await run_in_threadpool(next, batches, None):
        if len(under_way) == _BATCHES_AT_ONCE:
            await collect()
        entries = [entry for entry, _ in batch]
        under_way.append((entries, service.predictor.submit(client, [data for _, data in batch], question)))
    while under_way:
        await collect()
    return PredictOut(
        model_id=question.model_id or next(iter(chosen), ""),
        predictions=sorted(answered, key=lambda item: item.index),
        errors=sorted(failed, key=lambda item: item.index),
    )


async def _add_provenance(service: Service, pack: Pack, answers: PredictOut, gate: Gate) -> None:
    """Says of each answered file what it tells of its origin, one file at a time."""
    entries = {entry.index: entry for entry in pack.files}

    def origin(answer: Prediction) -> dict[str, Any] | None:
        return service.predictor.origin(pack.read(entries[answer.index]))

    for answer in answers.predictions:
        found = await to_thread.run_sync(origin, answer, limiter=gate.limiter)
        answer.provenance = None if found is None else Provenance.model_validate(found)


def _question_of(fields: Mapping[str, str], files: int) -> Question:
    """What the form asks for. Raises ProblemError for a flag that is none, and for too many files with one."""
    explain, _, stability = (flag_of(fields, name) for name in _FLAGS)
    if (explain or stability) and files > MOST_EXAMINED:
        raise ProblemError(
            422,
            "upload.fields",
            f"The request has {files} files; `explain` and `stability` are for at most {MOST_EXAMINED}.",
            "Send fewer files, or ask for the verdicts alone.",
        )
    return Question(fields.get("model_id") or None, explain, stability)


def _count(metrics: Metrics, answers: PredictOut) -> None:
    for answer in answers.predictions:
        metrics.count_answer(answer.model_id, answer.verdict, answer.probability_fake)
    for fault in answers.errors:
        metrics.refused.labels(fault.code).inc()
