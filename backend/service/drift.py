"""What the models say now, beside what they said of their test images: shares of verdicts, and drift of the scores."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.detector import Detector
from backend.core.drift import bin_edges, count_bins, stability_index
from backend.core.errors import DeepfakeError, Unreachable
from backend.service.model_files import PREDICTIONS
from backend.service.registry import Registry
from backend.service.storage import opened

WINDOWS = (1_000, 10_000)
"""Images that the figures look back on: the last thousand tell soon, the last ten thousand tell surely."""

MIN_IMAGES = 100
"""With fewer images, a window tells nothing."""

_MODELS = 8
_SPLITS = (["test"], ["test", "validation"])  # the second where there are too few of the first


@dataclass(frozen=True)
class Reference:
    """A model's answers for its test images; for those and its validation images where they are too few."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    shares: dict[str, float]  # of REAL, FAKE by the threshold, and of what lies in the unsure band


@dataclass(frozen=True)
class DriftFigures:
    """One model in one window."""

    model_id: str
    window: int  # images it looks back on
    images: int  # images that it has
    shares: dict[str, float]  # verdict -> share, 0..1
    psi: float | None  # None where the model has no reference


@dataclass
class _Recent:
    probabilities: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOWS[-1]))
    verdicts: deque[str] = field(default_factory=lambda: deque(maxlen=WINDOWS[-1]))


class Drift:
    """Remembers the last answers of the models in use. Safe to share between threads; never remembers an image."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, _Recent] = OrderedDict()
        self._references: dict[str, Reference | None] = {}

    def add(self, model_id: str, verdict: str, probability_fake: float) -> None:
        """Counts one answer."""
        with self._lock:
            recent = self._recent.get(model_id)
            if recent is None:
                recent = self._recent[model_id] = _Recent()
            self._recent.move_to_end(model_id)
            recent.probabilities.append(probability_fake)
            recent.verdicts.append(verdict)
            while len(self._recent) > _MODELS:
                self._references.pop(self._recent.popitem(last=False)[0], None)

    def reference(self, model_id: str) -> Reference | None:
        """What the model said of its test images; None where that is not known. Read once a model."""
        if model_id not in self._references:
            try:
                self._references[model_id] = self._read(model_id)
            except Unreachable:  # asked again next time
                return None
        return self._references[model_id]

    def figures(self) -> list[DriftFigures]:
        """One entry for each model and window with at least MIN_IMAGES answers."""
        with self._lock:
            held = {
                model: (list(recent.probabilities), list(recent.verdicts)) for model, recent in self._recent.items()
            }
        found = []
        for model_id, (probabilities, verdicts) in held.items():
            reference = self.reference(model_id)
            for window in WINDOWS:
                last = np.array(probabilities[-window:])
                if len(last) < MIN_IMAGES:
                    continue
                names = verdicts[-window:]
                shares = {name: names.count(name) / len(names) for name in ("real", "fake", "unsure")}
                psi = None
                if reference is not None:
                    psi = stability_index(reference.counts, count_bins(last, reference.edges))
                found.append(DriftFigures(model_id, window, len(last), shares, psi))
        return found

    def _read(self, model_id: str) -> Reference | None:
        try:
            detector = self._registry.detector(model_id)
            with opened(self._registry.root / model_id / PREDICTIONS) as file:
                table = pq.read_table(file, columns=["split", "probability_fake"])
        except Unreachable:
            raise
        except (DeepfakeError, OSError, pa.ArrowException):
            return None  # a model without predictions, or one that was removed
        split = np.asarray(table["split"].to_pylist())
        probabilities = table["probability_fake"].to_numpy().astype(np.float64)
        for names in _SPLITS:
            scores = probabilities[np.isin(split, names)]
            if len(scores) >= MIN_IMAGES:
                return _describe(scores, detector)
        return None


def _describe(scores: NDArray[np.float64], detector: Detector) -> Reference:
    low, high = detector.unsure_band
    edges = bin_edges(scores)
    unsure = (scores > low) & (scores < high)
    fake = (scores >= detector.threshold) & ~unsure
    shares = {"fake": float(fake.mean()), "unsure": float(unsure.mean())}
    return Reference(edges, count_bins(scores, edges), {**shares, "real": 1.0 - sum(shares.values())})
