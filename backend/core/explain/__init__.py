"""Why: a score as a sum over the places of an image and the stages of the network, exact for linear heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.detector import Detector
from backend.core.explain.maps import contributions, spread
from backend.core.extractors import Extractor
from backend.core.extractors.concat import parts_in
from backend.core.extractors.network import NetworkExtractor, reduced
from backend.core.heads.linearised import Tangent, linearise, mlp_slope

__all__ = ["Explanation", "Stage", "explain"]

Floats = NDArray[np.float64]

WIDE = 0.5
"""A stage whose places see this share of the image's side, or more, says little about where."""


@dataclass(frozen=True)
class Stage:
    """What one stage of a network, or one extractor without a network, adds to the score."""

    name: str
    share: float  # in the unit of the score, positive towards FAKE
    map: Floats | None  # [height, width], adds up to `share`; None: it has no places
    receptive_field: float | None  # of the image's side, 0..1, that one place sees; None: no map


@dataclass(frozen=True)
class Explanation:
    """base + the shares of all stages = margin, the head's score without calibration."""

    exact: bool  # False: shares are those of the head's tangent at this image, and `base` takes the rest
    margin: float
    base: float
    stages: tuple[Stage, ...]

    @property
    def total(self) -> Floats:
        """All maps together, [side, side], on the grid of the finest."""
        maps = [stage.map for stage in self.stages if stage.map is not None]
        side = max(max(each.shape) for each in maps)
        total = np.zeros((side, side))
        for each in maps:
            total += spread(each, side, side)
        return total


def explain(detector: Detector, pixels: NDArray[np.uint8]) -> Explanation | None:
    """The explanation of a detector's score for one RGB image [height, width, 3].

    None where no part of the extractor is a network: such features describe the image as a whole. Raises ConfigError
    for a head without a gradient, or a network whose graph cannot be read.
    """
    parts = parts_in(detector.extractor)
    if not any(isinstance(part, NetworkExtractor) for part in parts):
        return None
    looks = [_Look(part, pixels) for part in parts]
    features = np.concatenate([look.features for look in looks])
    tangent = linearise(detector.head, features)
    stages: list[Stage] = []
    base, start, exact = tangent.base, 0, tangent.exact
    for number, look in enumerate(looks, 1):
        columns = slice(start, start + len(look.features))
        start = columns.stop
        own = Tangent(tangent.weights[columns], tangent.centre[columns], 0.0, tangent.exact)
        found, rest = look.stages(own, f"{number}." if len(looks) > 1 else "")
        stages += found
        base += rest
        exact = exact and look.is_linear
    return Explanation(exact, float(detector.head.scores(features[None])[0]), base, tuple(stages))


class _Look:
    """One extractor's look at one image."""

    def __init__(self, extractor: Extractor, pixels: NDArray[np.uint8]) -> None:
        self._extractor, self._graph = extractor, None
        if isinstance(extractor, NetworkExtractor):
            from backend.core.explain.stage_graph import stage_graph  # imports onnx

            changed = extractor.path.stat().st_mtime_ns
            self._graph = stage_graph(extractor.path, changed)
            self._seen = self._graph.run(reduced(pixels, extractor.input_size))
            self._input_size = extractor.input_size
            self.features = self._seen.features
        else:
            self.features = extractor.extract([pixels])[0]

    @property
    def is_linear(self) -> bool:
        """Whether the features are the pooled statistics themselves."""
        return self._graph is None or self._graph.top is None

    def stages(self, tangent: Tangent, prefix: str) -> tuple[list[Stage], float]:
        """(the stages, what they leave) of tangent.weights · (features - tangent.centre)."""
        whole = float(tangent.weights @ (self.features - tangent.centre))
        if self._graph is None:
            return [Stage(prefix + str(self._extractor.spec["name"]), whole, None, None)], 0.0
        weights, centre = self._by_view(tangent)
        maps: dict[str, list[Floats]] = {}
        shares: dict[str, float] = {}
        fields: dict[str, float] = {}
        for block in self._graph.blocks:
            name = prefix + block.stage
            for view, row in enumerate(self._seen.statistics.astype(np.float64)):
                w, pooled, middle = weights[view, block.columns], row[block.columns], centre[block.columns]
                if block.tensor is None or not _has_places(self._seen.maps[block.tensor][view]):
                    shares[name] = shares.get(name, 0.0) + float(w @ (pooled - middle))
                    continue
                found = contributions(block.statistic, self._seen.maps[block.tensor][view], w, pooled, middle)
                maps.setdefault(name, []).append(found[:, ::-1] if view else found)
                shares[name] = shares.get(name, 0.0) + float(found.sum())
                fields[name] = max(fields.get(name, 0.0), min(1.0, block.receptive_field / self._input_size))
        stages = [Stage(name, share, _sum(maps.get(name)), fields.get(name)) for name, share in shares.items()]
        return stages, whole - math.fsum(shares.values())

    def _by_view(self, tangent: Tangent) -> tuple[Floats, Floats]:
        """(weights (views, n) on each view's statistics, their centre (n,))."""
        views = len(self._seen.statistics)
        top = None if self._graph is None else self._graph.top
        if top is None:
            return np.tile(tangent.weights / views, (views, 1)), tangent.centre
        last = tangent.weights.astype(np.float32)[:, None], np.zeros(1, np.float32)
        standard = (self._seen.statistics - top.mean) / top.scale
        slopes = [mlp_slope(((*top.layers, last),), row) / top.scale / views for row in standard]
        return np.array(slopes), top.mean.astype(np.float64)


def _has_places(maps: NDArray[np.float32]) -> bool:
    """Whether a map [channels, height, width] is laid out like the square that the network sees; tokens are not."""
    return bool(maps.shape[1] == maps.shape[2])


def _sum(maps: list[Floats] | None) -> Floats | None:
    return None if maps is None else np.sum(maps, axis=0)
