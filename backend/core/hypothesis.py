"""Does a detector that was trained on one generator's fakes fail on another's? Measured, tested, and said in words.

The primary measure of a pair is the recall on the detector's own generator minus the recall on one that it never saw,
at the detector's own fixed threshold and on test images of both. The detectors are taken as they are: intervals and
tests say what other test images would give, not what another training would.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.intervals import RESAMPLES, clopper_pearson
from backend.core.metrics import Floats

LEVEL = 0.05
"""Chance, over all pairs together, to call a pair's drop real where there is none."""

Calls = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """What one detector says of test images, at its own threshold."""

    detector: str
    own: tuple[str, ...]  # the generators whose fakes it was trained on
    calls: Mapping[str, Calls]  # generator -> (n,) called FAKE; in every trial of the same images in the same order
    fpr: float | None = None  # share of REAL test images called FAKE; None: there are none


def conclude(trials: Sequence[Trial], seed: int = 0) -> dict[str, Any] | None:
    """The answer as JSON: `verdict, text, pairs: [...]`, mean recalls, drop and `fpr`; None without a single pair.

    A pair is a detector and a generator that it never saw. Each has both recalls, `drop` with a 95 % interval by
    bootstrap over the images (by square and add of Clopper and Pearson's limits where a recall of 0 or 1 leaves
    nothing to resample; Newcombe 1998), and `p` of Fisher's exact test, one-sided, with `p_holm` after Holm 1979 over
    all pairs. In the bootstrap of `mean_drop` each test image is drawn for all detectors at once, as it counts in all
    of them. `verdict` is "supported" where at least half of the pairs are significant and the mean drop's interval is
    above 0, "partly" where some are, else "not_supported". A recall on an unseen generator that is no more than `fpr`
    means that nothing is found of it.
    """
    pairs = [(trial, other) for trial in trials for other in sorted(trial.calls) if other not in trial.own]
    pairs = [(trial, other) for trial, other in pairs if len(trial.calls[other]) and _count(trial, trial.own)[1]]
    if not pairs:
        return None
    drawn = _resample(trials, np.random.default_rng(seed))
    drops = np.stack([_drawn_recall(drawn, t, t.own) - _drawn_recall(drawn, t, (other,)) for t, other in pairs])
    rows = [_pair(t, other, spread) for (t, other), spread in zip(pairs, drops, strict=True)]
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row |= {"p_holm": p, "significant": p < LEVEL}
    low, high = np.quantile(drops.mean(axis=0), [0.025, 0.975])
    figures = {
        "tests": len(rows),
        "significant": sum(row["significant"] for row in rows),
        "recall_own": float(np.mean([row["recall_own"] for row in rows])),
        "recall_other": float(np.mean([row["recall_other"] for row in rows])),
        "fpr": _mean_fpr([trial for trial, _ in pairs]),
        "mean_drop": float(np.mean([row["drop"] for row in rows])),
        "mean_drop_interval": [float(low), float(high)],
    }
    verdict = _verdict(figures)
    return {"verdict": verdict, "text": _say(verdict, figures), **figures, "pairs": rows}


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, in the same order (Holm 1979): never smaller, at most 1."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def _count(trial: Trial, generators: Sequence[str]) -> tuple[int, int]:
    """(images called FAKE, images) of these generators together."""
    found = [trial.calls[name] for name in generators if name in trial.calls]
    return sum(int(calls.sum()) for calls in found), sum(len(calls) for calls in found)


def _pair(trial: Trial, other: str, spread: Floats) -> dict[str, Any]:
    from scipy.stats import hypergeom  # here, for the serving process imports what imports this module

    (hits, n), (other_hits, m) = _count(trial, trial.own), _count(trial, (other,))
    recall, unseen = hits / n, other_hits / m
    low, high = (float(limit) for limit in np.quantile(spread, [0.025, 0.975]))
    if hits in (0, n) or other_hits in (0, m):
        low, high = _square_and_add((hits, n), (other_hits, m))
    return {
        "detector": trial.detector,
        "other": other,
        "n_own": n,
        "n_other": m,
        "recall_own": recall,
        "recall_other": unseen,
        "drop": recall - unseen,
        "interval": [low, high],
        "p": float(hypergeom.sf(hits - 1, n + m, hits + other_hits, n)),
    }


def _square_and_add(own: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """Interval of the difference of two independent shares, each (hits, images), from their own limits."""
    limits, unseen = clopper_pearson(*own), clopper_pearson(*other)
    if limits is None or unseen is None:
        return -1.0, 1.0
    p, q = own[0] / own[1], other[0] / other[1]
    return p - q - math.hypot(p - limits[0], unseen[1] - q), p - q + math.hypot(limits[1] - p, q - unseen[0])


def _resample(trials: Sequence[Trial], random: np.random.Generator) -> dict[str, dict[str, Floats]]:
    """Generator -> detector -> (RESAMPLES,) hits among as many images as there are, drawn anew with replacement.

    Images on which all detectors agree are the same to this count, so kinds of images are drawn, not images.
    """
    drawn = {}
    for name in sorted({name for trial in trials for name in trial.calls}):
        having = [trial for trial in trials if name in trial.calls and len(trial.calls[name])]
        if not having:
            continue
        kinds, counts = np.unique(np.stack([t.calls[name] for t in having], axis=1), axis=0, return_counts=True)
        draws = random.multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES)
        hits = (draws @ kinds.astype(np.int64)).astype(np.float64)
        drawn[name] = {trial.detector: hits[:, column] for column, trial in enumerate(having)}
    return drawn


def _drawn_recall(drawn: Mapping[str, Mapping[str, Floats]], trial: Trial, generators: Sequence[str]) -> Floats:
    present = [name for name in generators if len(trial.calls.get(name, ()))]
    hits: Floats = np.sum([drawn[name][trial.detector] for name in present], axis=0)
    return hits / _count(trial, present)[1]


def _mean_fpr(trials: Sequence[Trial]) -> float | None:
    known = [trial.fpr for trial in trials if trial.fpr is not None]
    return float(np.mean(known)) if known else None


def _verdict(figures: Mapping[str, Any]) -> str:
    if not figures["significant"]:
        return "not_supported"
    most = 2 * figures["significant"] >= figures["tests"]
    return "supported" if most and figures["mean_drop_interval"][0] > 0 else "partly"


_WORDS = {
    "supported": "is supported",
    "partly": "is supported for some pairs only",
    "not_supported": "is not supported by these images",
}


def _say(verdict: str, figures: Mapping[str, Any]) -> str:
    low, high, own, other, drop = (
        f"{100 * value:.1f}"
        for value in (
            *figures["mean_drop_interval"],
            *(figures[name] for name in ("recall_own", "recall_other", "mean_drop")),
        )
    )
    one = figures["tests"] == 1
    alarms = "" if figures["fpr"] is None else f" (and calls {100 * figures['fpr']:.1f} % of the REAL images FAKE)"
    return (
        f"That a detector fails on fakes of a generator it was not trained on {_WORDS[verdict]}: it finds {own} % of "
        f"the fakes of its own and {other} % of those of another at the same threshold{alarms}. The recall falls by "
        f"{drop} points (95 % interval {low} to {high}){'' if one else ' on average'}; the fall is significant in "
        f"{figures['significant']} of {figures['tests']} {'pair' if one else 'pairs'} (Fisher's exact test, one-sided, "
        "at 5 % after Holm's correction)."
    )
