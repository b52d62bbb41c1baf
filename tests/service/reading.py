"""How the tests of sources read them: as workers do."""

from __future__ import annotations

import pickle
from typing import Any

from backend.service.sources import ImportLimits, RawImage, Skip, open_source


def read_source(description: dict[str, Any], limits: ImportLimits | None = None) -> tuple[list[RawImage], list[Skip]]:
    """Everything the source gives, read as workers do: plan and description go through plain pickle."""
    images: list[RawImage] = []
    skips: list[Skip] = []
    for plan in open_source(description, limits).chunks():
        sent, limits_sent, plan_sent = pickle.loads(pickle.dumps((description, limits, plan)))
        for item in open_source(sent, limits_sent).read(plan_sent):
            images.append(item) if isinstance(item, RawImage) else skips.append(item)
    return images, skips


def places_of(images: list[RawImage]) -> dict[str, tuple[str, str, str]]:
    return {image.path: (image.label, image.split, image.generator) for image in images}
