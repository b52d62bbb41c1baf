"""Which generator made a batch, by multinomial logistic regression on features: trials of `benchmarks.fingerprints`.

The score of a source is the mean log posterior that the batch's images have for it, minus that of the best other
source: log odds, as the scores of fingerprints are, and like them additive over independent images. (The largest mean
posterior, in the manner of Hendrycks and Gimpel 2017, may name another source than the mean log posterior does, and
hardly rises once most images are named surely.) A regression knows no foreign source as an explanation; its limit
comes, as that of fingerprints does, from enrolled sources that are left out in turn, by regressions fitted on the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.linear_model import LogisticRegression

from backend.core.fingerprints.gallery import BATCHES, draw_batches
from benchmarks.attribution import Contest, Floats, Rows, Split

Posteriors = Callable[[Rows], Floats]
"""Features (n, d) -> log posteriors (n, G)."""


class LogOdds:
    """Scores of log posteriors, for an image of the batch."""

    def scores(self, batches: Floats, k: float) -> Floats:  # noqa: ARG002
        """(n, G) nats, for the mean log posteriors (n, G) of n batches."""
        ranked = np.sort(batches, axis=1)
        best = ranked[:, -1:]
        result: Floats = batches - np.where(batches == best, ranked[:, -2:-1], best)
        return result


@dataclass(frozen=True)
class LimitedOdds:
    """Scores with the limits that sources which were left out set."""

    model: LogOdds
    foreign: dict[int, Floats]  # batch size, those of the gallery -> best scores of batches from such sources

    def threshold(self, k: float, false_attribution: float) -> float:
        """The score that such a share of batches of k images from them reaches."""
        return float(np.quantile(self.foreign[round(k)], 1 - false_attribution))


def by_regression(features: Mapping[str, Rows], split: Split, foreign: Sequence[str]) -> Contest:
    """Regressions on features of all images, foreign ones too. It takes four generators at least."""
    enrolled = {name: features[name][places] for name, places in split.enrolled.items()}
    asked = {name: features[name][places] for name, places in split.asked.items()}
    odds = LogOdds()

    @cache  # of two that are left out either may be the foreign one
    def fitted(left_out: frozenset[str]) -> Posteriors:
        return fit([rows for name, rows in enrolled.items() if name not in left_out])

    def judge(left_out: Collection[str]) -> LimitedOdds:
        random = np.random.default_rng(0)
        found: dict[int, list[Floats]] = {size: [] for size in BATCHES}
        for name, left in enrolled.items():
            if name not in left_out:
                logs = fitted(frozenset({name, *left_out}))(left)
                for size in BATCHES:
                    means = logs[draw_batches(random, len(logs), size)].mean(axis=1)
                    found[size].append(odds.scores(means, size).max(axis=1))
        return LimitedOdds(odds, {size: np.concatenate(scores) for size, scores in found.items()})

    whole = fitted(frozenset())
    rows = {name: whole(found) for name, found in asked.items()} | {name: whole(features[name]) for name in foreign}
    without = {name: (judge({name}), fitted(frozenset({name}))(asked[name])) for name in enrolled}
    return Contest(judge(()), rows, without)


def fit(sources: Sequence[Rows]) -> Posteriors:
    """A regression on the features (n, d) of each source."""
    X = np.concatenate(sources)
    y = np.repeat(np.arange(len(sources)), [len(rows) for rows in sources])
    mean, scale = X.mean(axis=0), X.std(axis=0) + 1e-6
    model = LogisticRegression(C=0.001, max_iter=200, class_weight="balanced").fit((X - mean) / scale, y)

    def log_posteriors(rows: Rows) -> Floats:
        found: Floats = model.predict_log_proba((rows - mean) / scale).astype(np.float64)
        return found

    return log_posteriors
