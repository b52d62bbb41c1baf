"""Everything that is enrolled, with the limits that keep the share of false attributions where it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError, NotFound
from backend.core.fingerprints.correlation import correlations, normalised
from backend.core.fingerprints.fingerprint import Distribution, Fingerprint
from backend.core.fingerprints.scoring import SourceModel
from backend.core.fingerprints.sizes import crop
from backend.core.fingerprints.traits import Discriminants, without_source

Floats = NDArray[np.float64]

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Sizes of batches for which the limit is measured; between them it is interpolated."""

FEWEST_SOURCES = 3
"""With fewer enrolled sources none can be left out to see what a foreign one scores, and traits are not used."""

_DRAWS = 100  # batches from each source that is left out


@dataclass(frozen=True)
class Judge:
    """One way to weigh evidence, with its limits."""

    model: SourceModel
    foreign: dict[int, Floats]  # batch size -> best scores of batches from sources that were left out, sorted

    def threshold(self, k: float, false_attribution: float) -> float:
        """The score that at most such a share of batches of k images from foreign sources reaches; 0 at least.

        Below 0 another explanation is more likely, however rarely foreign sources get so far.
        """
        if not self.foreign:
            sources = len(self.model.means)
            z = NormalDist().inv_cdf((1 - false_attribution) ** (1 / sources))
            spread = np.sqrt(np.diag(self.model.between + self.model.within / k))
            at = np.tile(self.model.foreign, (sources, 1)) + np.diag(z * spread)
            return max(0.0, float(np.diag(self.model.scores(at, k)).max()))
        sizes = [log2(size) for size in BATCHES]
        limits = [np.quantile(self.foreign[size], 1 - false_attribution) for size in BATCHES]
        return max(0.0, float(np.interp(log2(max(k, 1.0)), sizes, limits)))


@dataclass(frozen=True)
class Part:
    """One kind of evidence in the images of G sources, each image left out of what it is compared with."""

    samples: Sequence[Floats]  # by source, (m, G)
    without: Callable[[Floats, int], Floats]  # the rows as they were had the source in that place not been enrolled


@dataclass(frozen=True)
class Gallery:
    """Fingerprints of one denoiser and what evidence for them means."""

    fingerprints: tuple[Fingerprint, ...]
    by_correlation: Judge
    combined: Judge | None  # with traits; None where fingerprints have none, differ in size, or are fewer than three
    discriminants: Discriminants | None
    others: dict[str, Distribution]  # generator -> correlations of the other sources' images with it

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint]) -> Gallery:
        """Measures every sample against every fingerprint. Raises NotFound for none, ConfigError where kinds differ."""
        if not fingerprints:
            raise NotFound("No generator is enrolled.", "Enrol one first.")
        if len({(one.denoiser, one.traits_digest) for one in fingerprints}) > 1:
            raise ConfigError("These fingerprints are of several kinds.", "Choose those of one denoiser.")
        rows = [sample_correlations(one, fingerprints) for one in fingerprints]
        others = {}
        for place, one in enumerate(fingerprints):
            if foreign := [found[:, place] for i, found in enumerate(rows) if i != place]:
                others[one.generator] = Distribution.of(np.concatenate(foreign))
        combined, discriminants = None, None
        if _share_traits(fingerprints):
            discriminants, scores = Discriminants.fit([one.traits for one in fingerprints])
            combined = judge_of([Part(rows, without_column), Part(scores, without_source)])
        return cls(tuple(fingerprints), judge_of([Part(rows, without_column)]), combined, discriminants, others)

    @cached_property
    def units(self) -> list[NDArray[np.float32]]:
        """Each fingerprint as a row of length 1, so that a correlation is one product."""
        return [normalised(one.residual[None])[0] for one in self.fingerprints]

    @property
    def calibrated(self) -> bool:
        """Whether limits were measured on sources that were left out; else they come from normal distributions."""
        return bool(self.by_correlation.foreign)


def _share_traits(fingerprints: Sequence[Fingerprint]) -> bool:
    sizes = {one.size for one in fingerprints}
    return len(sizes) == 1 and len(fingerprints) >= FEWEST_SOURCES and fingerprints[0].traits.shape[1] > 0


def sample_correlations(source: Fingerprint, fingerprints: Sequence[Fingerprint]) -> Floats:
    """(m, G): of a source's sampled residuals with each fingerprint, with its own without them."""
    columns = []
    for one in fingerprints:
        if one is source:
            columns.append(source.left_out_correlations())
        else:
            size = (min(one.size[0], source.size[0]), min(one.size[1], source.size[1]))
            columns.append(correlations(np.stack([crop(row, size) for row in source.sample]), crop(one.residual, size)))
    return np.stack(columns, axis=1)


def judge_of(parts: Sequence[Part], fit: Callable[[Sequence[Floats]], SourceModel] = SourceModel.fit) -> Judge:
    """The judge of one or several kinds of evidence; of each source the images that all kinds have are used."""
    sources = len(parts[0].samples)
    model = fit(_side_by_side([part.samples for part in parts]))
    if sources < FEWEST_SOURCES:
        return Judge(model, {})
    random = np.random.default_rng(0)
    found: dict[int, list[Floats]] = {size: [] for size in BATCHES}
    for foreign in range(sources):
        samples = _side_by_side([[part.without(rows, foreign) for rows in part.samples] for part in parts])
        left = samples.pop(foreign)
        rest = fit(samples)
        for size in BATCHES:
            means = left[draw_batches(random, len(left), size)].mean(axis=1)
            found[size].append(rest.scores(means, size).max(axis=1))
    return Judge(model, {size: np.sort(np.concatenate(scores)) for size, scores in found.items()})


def without_column(rows: Floats, place: int) -> Floats:
    """Correlations (n, G) without those with one fingerprint."""
    rest: Floats = np.delete(rows, place, axis=1)
    return rest


def _side_by_side(parts: Sequence[Sequence[Floats]]) -> list[Floats]:
    """By source the parts' rows of the images that all parts have, (m, parts · G)."""
    return [np.concatenate([p[: min(map(len, found))] for p in found], axis=1) for found in zip(*parts, strict=True)]


def draw_batches(random: np.random.Generator, count: int, size: int) -> NDArray[np.int64]:
    """(100, size) places among so many images; none twice in a batch unless there are too few."""
    if size > count:
        return random.integers(0, count, (_DRAWS, size))
    return np.argsort(random.random((_DRAWS, count)), axis=1)[:, :size]
