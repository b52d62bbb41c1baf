"""Explanations and tests of stability as plain JSON."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.detector import Detector
from backend.core.errors import ConfigError
from backend.core.explain import WIDE, Stage, explain
from backend.core.explain.drawing import draw_heatmap
from backend.core.explain.maps import spread
from backend.core.images import DecodedImage
from backend.core.stability import Stability

MAP_SIDE = 32
"""Most rows and columns of a stage's map as numbers; larger maps are added up over cells that lie together."""

_DIGITS = 7  # of float32

EXACT, APPROXIMATE = "exact", "approximate"
_NOTES = {
    EXACT: "Orange speaks for FAKE, blue for REAL. The maps of all stages and the base add up to the score.",
    APPROXIMATE: "Orange speaks for FAKE, blue for REAL. The model is not linear: the maps are its slope at this image "
    "times the distance from the mean training image, and the base takes the rest of the score.",
}


def describe_explanation(detector: Detector, image: DecodedImage) -> dict[str, Any] | None:
    """{exact, base, margin, note, note_code, stages, heatmap}: see the schema `ExplanationOut`.

    None where no part of the extractor is a network, and for a network or a head that cannot be explained: the answer
    itself does not need it.
    """
    try:
        found = explain(detector, image.pixels)
    except ConfigError:
        return None
    if found is None:
        return None
    kind = EXACT if found.exact else APPROXIMATE
    return {
        "exact": found.exact,
        "base": found.base,
        "margin": found.margin,
        "note": _NOTES[kind],
        "note_code": kind,
        "stages": [_describe_stage(stage) for stage in found.stages],
        "heatmap": base64.b64encode(draw_heatmap(found.total, image.width, image.height)).decode(),
    }


def _describe_stage(stage: Stage) -> dict[str, Any]:
    field = stage.receptive_field
    note = None
    if stage.map is None:
        note = "These features describe the image as a whole: they have no places."
    elif field is not None and field >= WIDE:
        note = f"Each place sees {field:.0%} of the image's side: where it lies says little."
    return {
        "name": stage.name,
        "share": stage.share,
        "map": None if stage.map is None else _rows(stage.map),
        "receptive_field": field,
        "note": note,
    }


def _rows(shares: NDArray[np.float64]) -> list[list[float]]:
    height, width = (min(side, MAP_SIDE) for side in shares.shape)
    return [[float(f"{value:.{_DIGITS}g}") for value in row] for row in spread(shares, height, width)]


def describe_stability(stability: Stability) -> dict[str, Any]:
    """{unstable, flips, tried}: see the schema `StabilityOut`."""
    return {
        "unstable": stability.unstable,
        "flips": stability.flips,
        "tried": [
            {
                "change": each.change.name,
                "strength": each.change.strength,
                "probability_fake": each.probability_fake,
                "verdict": each.verdict,
                "flipped": each.flipped,
            }
            for each in stability.tried
        ],
    }
