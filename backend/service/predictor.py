"""Images -> verdicts of the active (or a named) model, one answer or one error a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from backend.core.detector import Answer, Detector
from backend.core.errors import DeepfakeError
from backend.core.images import DecodedImage, decode
from backend.core.stability import heed, try_changes
from backend.service.batching import Batcher, BatchFigures
from backend.service.explaining import describe_explanation, describe_stability
from backend.service.provenance import describe_origin
from backend.service.registry import Registry

DECODED_PIXELS = 16_000_000
"""So many pixels are decoded at a time, so that a batch of large photographs stays small in memory."""

MOST_EXAMINED = 16
"""Most images of one request that are explained or tried on changed copies: each of these costs seven answers."""

LOCAL = "local"
"""The client of calls that name none, as those of the command line."""


@dataclass(frozen=True)
class Question:
    """What is asked of images."""

    model_id: str | None = None  # None: the active one
    explain: bool = False
    stability: bool = False


@dataclass(frozen=True)
class Verdict:
    """What one file got: an answer, or the error that says why it is no image that can be answered."""

    model_id: str
    threshold: float  # 0..1, on the probability of FAKE
    sha256: str  # of the file, in hex
    answer: Answer | None = None
    width: int = 0  # pixels, upright
    height: int = 0
    format: str = ""
    explanation: dict[str, Any] | None = None  # see describe_explanation
    stability: dict[str, Any] | None = None  # see describe_stability
    error: DeepfakeError | None = None

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values. Only where there is one."""
        if self.answer is None:
            raise ValueError("this file was not answered")
        about = ("sha256", "model_id", "threshold", "width", "height", "format", "explanation", "stability")
        return {**{name: getattr(self, name) for name in about}, **vars(self.answer)}


class Predictor:
    """Answers for images; at most `at_once` batches are computed at the same time. Safe to share between threads."""

    def __init__(self, registry: Registry, max_pixels: int, at_once: int, anchors: str = "") -> None:
        self._registry, self._max_pixels, self._anchors = registry, max_pixels, anchors
        self._batcher: Batcher[Question, Verdict] = Batcher(self._answer, threads=at_once)

    @property
    def figures(self) -> BatchFigures:
        """Waiting images and sizes of batches, for metrics."""
        return self._batcher.figures

    def submit(self, client: str, files: Sequence[bytes], question: Question) -> Future[list[Verdict]]:
        """One verdict a file, in order; it raises NotFound, NoActiveModel or IntegrityError for the model itself.

        Clients take turns. Without a `model_id` the active model is looked up after this call: for several files, which
        may be answered in several batches, look it up first, so that one model answers all of them.
        """
        return self._batcher.submit(client, files, question)

    def origin(self, data: bytes) -> dict[str, Any] | None:
        """What a file says of its own origin, `{"evidence": [...]}`, or None where it says nothing."""
        return describe_origin(data, self._anchors)

    def predict(
        self,
        images: Sequence[tuple[str, bytes]],
        model_id: str | None = None,
        *,
        explain: bool = False,
        stability: bool = False,
        provenance: bool = False,
    ) -> dict[str, Any]:
        """`{"model_id", "predictions": [...], "errors": [...]}` for (filename, file bytes) pairs, in order.

        With `provenance` each prediction has what `origin` says of its file under that name.
        A file that is no image becomes an entry of `errors` {filename, error: DeepfakeError}; the others are answered.
        Raises NotFound or NoActiveModel for the model itself.
        """
        chosen = model_id or self._registry.active()  # read once: another may be chosen meanwhile
        self._registry.detector(chosen)
        question = Question(chosen, explain, stability)
        verdicts = self.submit(LOCAL, [data for _, data in images], question).result()
        answer: dict[str, Any] = {"model_id": chosen, "predictions": [], "errors": []}
        for (name, data), verdict in zip(images, verdicts, strict=True):
            if verdict.error is not None:
                answer["errors"].append({"filename": name, "error": verdict.error})
                continue
            origin = {"provenance": self.origin(data)} if provenance else {}
            answer["predictions"].append({"filename": name, **verdict.to_json(), **origin})
        return answer

    def close(self) -> None:
        """Answers what waits; nothing new is taken."""
        self._batcher.close()

    def _answer(self, question: Question, files: Sequence[bytes]) -> list[Verdict]:
        chosen = question.model_id or self._registry.active()
        detector = self._registry.detector(chosen)
        verdicts: dict[int, Verdict] = {}
        decoded: dict[int, tuple[str, DecodedImage]] = {}
        pixels = 0
        for place, data in enumerate(files):
            sha256 = hashlib.sha256(data).hexdigest()
            try:
                image = decode(data, max_pixels=self._max_pixels, reduce_above=detector.extractor.reduce_above)
                decoded[place] = sha256, image
                pixels += image.width * image.height
            except DeepfakeError as error:
                verdicts[place] = Verdict(str(chosen), detector.threshold, sha256, error=_without_trace(error))
            if pixels >= DECODED_PIXELS:
                verdicts |= _judge(str(chosen), detector, decoded, question)
                decoded.clear()
                pixels = 0
        verdicts |= _judge(str(chosen), detector, decoded, question)
        return [verdicts[place] for place in range(len(files))]


def _without_trace(error: DeepfakeError) -> DeepfakeError:
    """The error without the frames that it came from: they lead back to it, and would keep the files' bytes alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _judge(
    model_id: str, detector: Detector, decoded: Mapping[int, tuple[str, DecodedImage]], question: Question
) -> dict[int, Verdict]:
    if not decoded:
        return {}
    images = [image for _, image in decoded.values()]
    answers = detector.predict(
        [image.pixels for image in images],
        [(image.height, image.width) for image in images],
        [image.jpeg_quality for image in images],
    )
    verdicts: dict[int, Verdict] = {}
    for (place, (sha256, image)), answer in zip(decoded.items(), answers, strict=True):
        told = Verdict(model_id, detector.threshold, sha256, answer, image.width, image.height, image.format)
        verdicts[place] = _examined(told, answer, detector, image, question)
    return verdicts


def _examined(told: Verdict, answer: Answer, detector: Detector, image: DecodedImage, question: Question) -> Verdict:
    """The verdict with what else was asked for."""
    if question.explain:
        told = replace(told, explanation=describe_explanation(detector, image))
    if question.stability:
        stability = try_changes(detector, image.pixels, answer)
        told = replace(told, answer=heed(answer, stability), stability=describe_stability(stability))
    return told
