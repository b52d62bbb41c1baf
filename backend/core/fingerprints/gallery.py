"""Everything that is enrolled, with the limits that keep the share of false attributions where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError, NotFound
from backend.core.fingerprints.correlation import correlations
from backend.core.fingerprints.fingerprint import Distribution, Fingerprint
from backend.core.fingerprints.scoring import CorrelationScores

Floats = NDArray[np.float64]

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Sizes of batches for which the limit is measured; between them it is interpolated."""

FEWEST_SOURCES = 3
"""With fewer enrolled sources none can be left out to see what a foreign one scores."""

_DRAWS = 200  # batches from each source that is left out


@dataclass(frozen=True)
class Gallery:
    """Fingerprints of one denoiser and what their correlations mean."""

    fingerprints: tuple[Fingerprint, ...]
    scoring: CorrelationScores
    others: dict[str, Distribution]  # generator -> correlations of the other sources' images with it
    foreign: dict[int, Floats]  # batch size -> best scores of batches from sources that were left out, sorted

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint]) -> Gallery:
        """Measures every sample against every fingerprint. Raises NotFound for none, ConfigError where kinds differ."""
        if not fingerprints:
            raise NotFound("No generator is enrolled.", "Enrol one first.")
        if len({(one.denoiser, one.traits_digest) for one in fingerprints}) > 1:
            raise ConfigError("These fingerprints are of several denoisers.", "Choose one of them.")
        samples = [_correlations_of(one, fingerprints) for one in fingerprints]
        everyone = list(range(len(fingerprints)))
        others = {}
        for place, one in enumerate(fingerprints):
            foreign = [rows[:, place] for i, rows in enumerate(samples) if i != place]
            if foreign and (values := np.concatenate(foreign)[np.isfinite(np.concatenate(foreign))]).size:
                others[one.generator] = Distribution.of(values)
        return cls(tuple(fingerprints), CorrelationScores.fit(samples, everyone), others, _foreign_scores(samples))

    @property
    def calibrated(self) -> bool:
        """Whether limits were measured on sources that were left out; else they come from normal distributions."""
        return bool(self.foreign)

    def threshold(self, k: float, false_attribution: float) -> float:
        """The score that at most such a share of batches of k images from foreign sources reaches."""
        if not self.foreign:
            chance = 1 - (1 - false_attribution) ** (1 / len(self.fingerprints))
            z = NormalDist().inv_cdf(1 - chance)
            at = self.scoring.others + z * np.sqrt(self.scoring.between + self.scoring.within / k)
            return float(self.scoring.scores(at[None], k).max())
        place = float(np.clip(log2(max(k, 1.0)), log2(BATCHES[0]), log2(BATCHES[-1])))
        limits = [np.quantile(self.foreign[size], 1 - false_attribution) for size in BATCHES]
        return float(np.interp(place, [log2(size) for size in BATCHES], limits))


def _correlations_of(source: Fingerprint, fingerprints: Sequence[Fingerprint]) -> Floats:
    """(m, G): of a source's sampled residuals with each fingerprint, with its own without them; NaN across sizes."""
    columns = []
    for one in fingerprints:
        if one is source:
            columns.append(source.left_out_correlations())
        elif one.size == source.size:
            columns.append(correlations(source.sample, one.residual))
        else:
            columns.append(np.full(len(source.sample), np.nan))
    return np.stack(columns, axis=1)


def _foreign_scores(samples: Sequence[Floats]) -> dict[int, Floats]:
    """What batches of each source score at best when it is not enrolled, by batch size; none with too few sources."""
    count = len(samples)
    if count < FEWEST_SOURCES:
        return {}
    random = np.random.default_rng(0)
    found: dict[int, list[Floats]] = {size: [] for size in BATCHES}
    for foreign, rows in enumerate(samples):
        rest = [i for i in range(count) if i != foreign and np.isfinite(rows[:, i]).all()]
        if not rest:
            continue
        kept = [i for i in range(count) if i != foreign]
        scoring = CorrelationScores.fit([samples[i][:, rest] for i in kept], [kept.index(i) for i in rest])
        for size in BATCHES:
            drawn = _batches(random, len(rows), size)
            means = rows[:, rest][drawn].mean(axis=1)
            found[size].append(scoring.scores(means, size).max(axis=1))
    return {size: np.sort(np.concatenate(scores)) for size, scores in found.items() if scores}


def _batches(random: np.random.Generator, count: int, size: int) -> NDArray[np.int64]:
    """(_DRAWS, size) places; none twice in a batch unless there are too few."""
    if size > count:
        return random.integers(0, count, (_DRAWS, size))
    return np.argsort(random.random((_DRAWS, count)), axis=1)[:, :size]
