"""Which generator made a batch, by evidence of several kinds: the trials of `benchmarks.fingerprints`.

Half of each generator's images is enrolled, the other half is asked. Batches are drawn without replacement; where the
half has fewer images than the batch, it is asked as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.core.fingerprints.correlation import correlations
from backend.core.fingerprints.fingerprint import enrol
from backend.core.fingerprints.gallery import Part, judge_of, sample_correlations, without_column
from backend.core.fingerprints.scoring import SourceModel
from backend.core.fingerprints.sums import FingerprintSums
from backend.core.fingerprints.traits import RIDGE, Discriminants, without_source

Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FALSE_ATTRIBUTION = 0.05
DRAWS = 60


@dataclass(frozen=True)
class Split:
    """Places of the enrolled and of the asked images, by generator; images lie in the order of their digests."""

    enrolled: dict[str, NDArray[np.int64]]
    asked: dict[str, NDArray[np.int64]]

    def inner(self, seed: int) -> Split:
        """The enrolled half alone, halved again: what this split asks is in neither part."""
        again = Split.draw({name: len(places) for name, places in self.enrolled.items()}, seed)
        return Split(
            {name: self.enrolled[name][places] for name, places in again.enrolled.items()},
            {name: self.enrolled[name][places] for name, places in again.asked.items()},
        )

    @classmethod
    def draw(cls, counts: Mapping[str, int], seed: int) -> Split:
        """Halves at random."""
        random = np.random.default_rng(seed)
        orders = {name: random.permutation(count) for name, count in counts.items()}
        return cls(
            {name: np.sort(order[: len(order) // 2]) for name, order in orders.items()},
            {name: order[len(order) // 2 :] for name, order in orders.items()},
        )


@dataclass(frozen=True)
class Trial:
    """Evidence of one kind: of enrolled images, each left out of its own source, and of images that are asked."""

    part: Part
    asked: dict[str, Floats]  # (n, G) by generator, and by foreign source


class Scores(Protocol):
    """What weighs evidence, as `SourceModel` does."""

    def scores(self, batches: Floats, k: float) -> Floats:
        """(n, G), the more the surer, for the mean rows (n, d) of n batches of k images each."""


class Limited(Protocol):
    """Scores with a limit, as `Judge` has them."""

    @property
    def model(self) -> Scores: ...

    def threshold(self, k: float, false_attribution: float) -> float:
        """The score that such a share of batches of k images from foreign sources reaches."""


@dataclass(frozen=True)
class Contest:
    """One way to name the source of a batch."""

    judge: Limited  # knows all enrolled generators
    rows: dict[str, Floats]  # (n, d) that it is asked, by generator and by foreign source
    without: Mapping[str, tuple[Limited, Floats]]  # generator -> a judge without it, and its rows for that one


def by_correlation(
    images: Mapping[str, Pixels], split: Split, denoiser: str, noise: Mapping[str, Rows], foreign: Sequence[str]
) -> Trial:
    """Correlations with fingerprints by one denoiser; `noise` are the residuals of all images, foreign ones too."""
    enrolled = []
    for name, places in split.enrolled.items():
        height, width = images[name].shape[1:3]
        enrolled.append(enrol(name, FingerprintSums.of(list(images[name][places]), (height, width), denoiser)))
    part = Part([sample_correlations(one, enrolled) for one in enrolled], without_column)
    rows = {name: noise[name][places] for name, places in split.asked.items()} | {name: noise[name] for name in foreign}
    asked = {
        name: np.stack([correlations(found, one.residual) for one in enrolled], axis=1) for name, found in rows.items()
    }
    return Trial(part, asked)


def by_traits(features: Mapping[str, Rows], split: Split, foreign: Sequence[str], *, ridge: float = RIDGE) -> Trial:
    """Discriminants of features, of all images, foreign ones too."""
    enrolled = [features[name][places] for name, places in split.enrolled.items()]
    discriminants, samples = Discriminants.fit(enrolled, ridge)
    rows = {name: features[name][places] for name, places in split.asked.items()}
    rows |= {name: features[name] for name in foreign}
    return Trial(Part(samples, without_source), {name: discriminants.apply(found) for name, found in rows.items()})


def contest_of(
    trials: Sequence[Trial],
    foreign: Sequence[str],
    fit: Callable[[Sequence[Floats]], SourceModel] = SourceModel.fit,
) -> Contest:
    """By all kinds of evidence together."""
    names = [name for name in trials[0].asked if name not in foreign]
    without = {}
    for i, name in enumerate(names):
        rest = [
            Part([t.part.without(r, i) for j, r in enumerate(t.part.samples) if j != i], t.part.without) for t in trials
        ]
        asked = np.concatenate([trial.part.without(trial.asked[name], i) for trial in trials], axis=1)
        without[name] = judge_of(rest, fit), asked
    rows = {name: np.concatenate([trial.asked[name] for trial in trials], axis=1) for name in trials[0].asked}
    return Contest(judge_of([trial.part for trial in trials], fit), rows, without)


def measure(contest: Contest, batches: Sequence[int], foreign: Sequence[str], seed: int) -> dict[str, Any]:
    """By batch size: shares of batches that are named rightly, attributed rightly, and attributed falsely.

    The limit comes from enrolled sources that are left out in turn. With foreign sources `open_real` has one that comes
    from REAL images for validation instead (the first of them), and `false_real` is what it lets through of REAL test
    images (the second).
    """
    random = np.random.default_rng(seed)
    judge = contest.judge
    figures: dict[str, Any] = {}
    for k in batches:
        limits = {"open": judge.threshold(k, FALSE_ATTRIBUTION)}
        if foreign:
            validation, _ = _ask(judge, contest.rows[foreign[0]], k, random)
            limits["open_real"] = float(np.quantile(validation, 1 - FALSE_ATTRIBUTION))
        attributed: dict[str, list[float]] = {figure: [] for figure in limits}
        right, left_out = [], []
        for i, (name, (rest, asked)) in enumerate(contest.without.items()):
            scores, best = _ask(judge, contest.rows[name], k, random)
            right.append(float((best == i).mean()))
            for figure, limit in limits.items():
                attributed[figure].append(float(((best == i) & (scores > limit)).mean()))
            scores, _ = _ask(rest, asked, k, random)
            left_out.append(float((scores > rest.threshold(k, FALSE_ATTRIBUTION)).mean()))
        found: dict[str, Any] = {figure: float(np.mean(shares)) for figure, shares in attributed.items()}
        found |= {"closed": float(np.mean(right)), "left_out": float(np.mean(left_out))}
        found["generators"] = dict(
            zip(contest.without, zip(right, attributed["open"], left_out, strict=True), strict=True)
        )
        if foreign:
            outside = {name: _ask(judge, contest.rows[name], k, random)[0] for name in foreign[1:]}
            found["foreign"] = {name: float((scores > limits["open"]).mean()) for name, scores in outside.items()}
            found["false_real"] = float((outside[foreign[1]] > limits["open_real"]).mean())
        figures[str(k)] = found
    return figures


def batch_places(random: np.random.Generator, count: int, k: int) -> NDArray[np.int64]:
    """(DRAWS, k) places without replacement; all of them where there are fewer than k."""
    return np.argsort(random.random((DRAWS, count)), axis=1)[:, :k]


def _ask(judge: Limited, rows: Floats, k: int, random: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Best score and its source, for batches of k of the rows (n, d)."""
    places = batch_places(random, len(rows), k)
    scores = judge.model.scores(rows[places].mean(axis=1), places.shape[1])
    return scores.max(axis=1), scores.argmax(axis=1)
