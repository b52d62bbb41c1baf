"""The two trials of benchmarks/transfer.py: detectors fitted on features, asked about generators they never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.linear import LinearHead
from backend.core.heads.multi_fit import join
from backend.core.heads.specialists import Whitening, few_shot
from backend.core.metrics import auroc
from benchmarks.transfer_images import OWN, Rows

DRAWINGS = 1000
"""Of the bootstrap."""

Floats = NDArray[np.float64]
Score = Callable[[Rows], Floats]
"""Features (n, d) -> how far each image looks FAKE, (n,)."""

Parts = Mapping[str, Rows]
"""REAL or a generator -> its features (n, d)."""


@dataclass(frozen=True)
class Way:
    """How a score is made of features."""

    head: HeadConfig | None  # None: along the mean of the directions from REAL to each generator, whitened by REAL
    alike: bool = False  # all generators count alike; else CIFAKE's as much as all others together


def fit(way: Way, real: Rows, fakes: Sequence[Rows], copies: int = 1) -> tuple[Score, float | None]:
    """(the score, its strength C if any), from REAL rows and those of each generator, CIFAKE's first.

    C is that of as many rows as REAL and the first generator have: the rows of the others are repeated, which makes
    them no more images. copies: rows that an image has in these two; each copy has all images, in one order.
    """
    own, *others = fakes
    if way.head is None:
        return _along_mean_direction(Whitening.of(real), fakes, way.alike), None
    share = len(own) if way.alike else len(own) // max(1, len(others))
    repeated = [rows[np.arange(share) % len(rows)] for rows in others]
    X = np.concatenate([real, own, *repeated])
    y = np.repeat(np.array([0, 1], np.int8), [len(real), len(X) - len(real)])
    C = way.head.C and way.head.C * (len(real) + len(own)) / len(X)
    head = replace(way.head, name="logreg" if way.head.name == "multi" else way.head.name, C=C)
    places = [np.arange(len(rows)) % (len(rows) // copies) for rows in (real, own)]
    groups = None if others else np.concatenate([places[0], len(real) + places[1]])
    fitted = fit_head(X, y, head, groups=groups)
    if way.head.name == "multi" and others:
        assert isinstance(fitted, LinearHead)
        specialists = few_shot(Whitening.of(real), real, others, [own], head.seed)  # each image once, as enrolled ones
        return join(fitted, *specialists).scores, way.head.C
    return fitted.scores, fitted.chosen.get("C")


def _along_mean_direction(whitening: Whitening, fakes: Sequence[Rows], alike: bool) -> Score:
    means = np.stack([whitening.apply(rows.mean(axis=0, keepdims=True))[0] for rows in fakes])
    shares = np.ones(len(fakes))
    if not alike:
        shares[0] = max(1, len(fakes) - 1)
    direction = shares @ (means / np.linalg.norm(means, axis=1, keepdims=True))
    weights = whitening.weights(direction[None])[:, 0]
    return lambda X: (X - whitening.mean) @ weights


def wins(fake: Floats, real: Floats) -> Rows:
    """(fakes, reals): 1 where a FAKE image scores above a REAL one, a half where equal. The mean is the AUROC."""
    above, equal = fake[:, None] > real, fake[:, None] == real
    return np.asarray(above + 0.5 * equal, np.float32)


def drawn_means(found: Mapping[str, Rows], seed: int) -> Floats:
    """(DRAWINGS,): mean AUROC of the generators in bootstrap drawings; the same for all with one seed."""
    random = np.random.default_rng(seed)

    def counts(images: int) -> Rows:
        return random.multinomial(images, np.full(images, 1 / images), DRAWINGS).T.astype(np.float32)

    real = counts(next(iter(found.values())).shape[1])
    areas = [(counts(len(each)) * (each @ real)).sum(axis=0) / each.size for each in found.values()]
    means: Floats = np.mean(areas, axis=0, dtype=np.float64)
    return means


def best_accuracy(real: Floats, fake: Floats) -> float:
    """At the threshold that is best for these scores, both classes weighing the same."""
    thresholds = np.concatenate([real, fake, [np.inf]])
    passed = np.searchsorted(np.sort(real), thresholds) / len(real)
    missed = np.searchsorted(np.sort(fake), thresholds) / len(fake)
    return float((passed + 1 - missed).max() / 2)


@dataclass(frozen=True)
class Trial:
    """What one of the two trials found."""

    wins: Mapping[str, Rows]  # by generator
    accuracy: float  # on held-out CIFAKE; the mean over the detectors
    auroc: float  # likewise

    def figures(self, seed: int, default: Trial) -> dict[str, Any]:
        """Plain JSON values: AUROC by generator, their mean, and what it gains over the default's."""
        areas = {name: float(each.mean()) for name, each in self.wins.items()}
        drawn, before = (drawn_means(trial.wins, seed) for trial in (self, default))
        start = float(np.mean([each.mean() for each in default.wins.values()]))
        mean = float(np.mean(list(areas.values())))
        return {
            "cifake_accuracy": round(self.accuracy, 4),
            "cifake_auroc": round(self.auroc, 4),
            "generators": {name: round(area, 4) for name, area in areas.items()},
            "mean": _with_interval(mean, drawn),
            "gain": _with_interval(mean - start, drawn - before),
        }


def _with_interval(value: float, drawn: Floats) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def ask(scores: Mapping[str, Score], asked: Parts) -> Trial:
    """The trial of the detectors of `scores`, generator -> the one that is asked about it."""
    found, figures = {}, []
    for name, score in scores.items():
        real, own = score(asked["REAL"]), score(asked[OWN])
        found[name] = wins(score(asked[name]), real)
        y = np.repeat(np.array([0, 1], np.int8), [len(real), len(own)])
        figures.append((best_accuracy(real, own), auroc(y, np.concatenate([real, own])) or 0.0))
    accuracy, area = np.mean(figures, axis=0)
    return Trial(found, float(accuracy), float(area))


def measure(way: Way, fitted: Parts, asked: Parts, copies: int) -> tuple[dict[str, Trial], float | None]:
    """(the trials `alone` and `left_out`, the strength C if any)."""
    others = [name for name in fitted if name not in ("REAL", OWN)]
    alone, C = fit(way, fitted["REAL"], [fitted[OWN]], copies)
    known = replace(way, head=way.head and replace(way.head, C=C))
    without = {}
    for name in others:
        fakes = [fitted[OWN], *(fitted[other] for other in others if other != name)]
        without[name], _ = fit(known, fitted["REAL"], fakes, copies)
    return {"alone": ask(dict.fromkeys(others, alone), asked), "left_out": ask(without, asked)}, C
