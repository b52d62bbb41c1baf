"""Images -> verdicts of the active (or a named) model, one answer or one error a file."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from backend.core.errors import DeepfakeError
from backend.core.images import DecodedImage, decode
from backend.service.registry import Registry

BATCH_IMAGES = 32
BATCH_PIXELS = 16_000_000
"""A batch ends at either bound, so that a request of many large photographs stays small in memory."""


class Predictor:
    """Answers for images; at most `at_once` batches are computed at the same time."""

    def __init__(self, registry: Registry, max_pixels: int, at_once: int) -> None:
        self._registry, self._max_pixels = registry, max_pixels
        self._slots = threading.BoundedSemaphore(at_once)

    def predict(self, images: Sequence[tuple[str, bytes]], model_id: str | None = None) -> dict[str, Any]:
        """`{"model_id", "predictions": [...], "errors": [...]}` for (filename, file bytes) pairs, in order.

        A file that is no image becomes an entry of `errors` {filename, error: DeepfakeError}; the others are answered.
        Raises NotFound or NoActiveModel for the model itself.
        """
        chosen = model_id or self._registry.active()  # read once: another may be chosen meanwhile
        detector = self._registry.detector(chosen)
        predictions: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        waiting = list(reversed(images))
        while waiting:
            with self._slots:
                batch = self._decode_batch(waiting, errors)
                answers = detector.predict([image.pixels for _, _, image in batch]) if batch else []
            for (filename, sha256, image), answer in zip(batch, answers, strict=True):
                predictions.append(
                    {
                        "filename": filename,
                        "sha256": sha256,
                        "model_id": chosen,
                        "threshold": detector.threshold,
                        **asdict(answer),
                        "width": image.width,
                        "height": image.height,
                        "format": image.format,
                    }
                )
        return {"model_id": chosen, "predictions": predictions, "errors": errors}

    def _decode_batch(
        self, waiting: list[tuple[str, bytes]], errors: list[dict[str, Any]]
    ) -> list[tuple[str, str, DecodedImage]]:
        """Takes the next images off the end of `waiting`: (filename, sha256, image) each."""
        batch: list[tuple[str, str, DecodedImage]] = []
        pixels = 0
        while waiting and len(batch) < BATCH_IMAGES and pixels < BATCH_PIXELS:
            filename, data = waiting.pop()
            try:
                image = decode(data, max_pixels=self._max_pixels)
            except DeepfakeError as error:
                errors.append({"filename": filename, "error": error})
                continue
            batch.append((filename, hashlib.sha256(data).hexdigest(), image))
            pixels += image.width * image.height
        return batch
