"""Margins -> probabilities of FAKE: three kinds of calibration, and the choice between them on held-out images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.core.calibration import check_scores, fit_platt, logistic, soft_targets
from backend.core.splits import folds

Floats = NDArray[np.float64]

PLATT, TEMPERATURE, ISOTONIC = "platt", "temperature", "isotonic"

LEAST_TO_CHOOSE = 1_000
"""With fewer images that calibrate, Platt scaling is taken unasked: isotonic regression overfits them (Niculescu-Mizil
and Caruana 2005, figure 6), and the difference to the others is smaller than the noise in their losses."""

LEAST_OF_A_CLASS = 100
"""The same with fewer images of one class."""

_FOLDS = 5
_BISECTIONS = 80
_WIDEST = 1e6  # temperatures lie between the scores' root mean square over this and times this


@dataclass(frozen=True)
class Calibration:
    """A rising curve from a head's score to the log-odds of FAKE.

    platt and temperature: a · score + b. isotonic: straight between knots, beyond the outermost ones with slope a.
    """

    kind: str
    a: float
    b: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()  # isotonic: (score, log-odds), both rising
    chosen: Mapping[str, Any] = field(default_factory=dict, compare=False)  # how it was chosen, for the card

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        points = np.array(self.knots, dtype=np.float64)
        return points[:, 0], points[:, 1]

    def log_odds(self, scores: ArrayLike) -> Floats:
        """Log-odds of FAKE for each score, same shape."""
        s = np.asarray(scores, dtype=np.float64)
        if not self.knots:
            line: Floats = self.a * s + self.b
            return line
        x, y = self._curve
        beyond = np.minimum(s - x[0], 0.0) + np.maximum(s - x[-1], 0.0)
        curve: Floats = np.interp(s, x, y) + self.a * beyond
        return curve

    def probabilities(self, scores: ArrayLike) -> Floats:
        """Probability of FAKE for each score, same shape, 0..1."""
        return logistic(self.log_odds(scores))

    def shifted(self, by: float) -> Calibration:
        """The same curve with `by` added to all log-odds: the images' share of FAKE is another."""
        if not self.knots:
            return replace(self, b=self.b + by)
        return replace(self, knots=tuple((score, odds + by) for score, odds in self.knots))

    def to_json(self) -> dict[str, Any]:
        """The card's `calibration`: kind, the curve, and how it was chosen. `from_json` reads it back."""
        curve = (
            {"a": self.a, "knots": [list(knot) for knot in self.knots]} if self.knots else {"a": self.a, "b": self.b}
        )
        return {"kind": self.kind, **curve, **self.chosen}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """What `to_json` wrote; a card without a kind is older, and Platt's.

        Raises KeyError, TypeError or ValueError for what is no rising curve of finite numbers.
        """
        kind = str(values.get("kind", PLATT))
        knots = tuple((_number(x), _number(y)) for x, y in values["knots"]) if kind == ISOTONIC else ()
        made = cls(kind, _number(values["a"]), 0.0 if knots else _number(values["b"]), knots, _chosen(values))
        if kind not in FITS or not all(map(math.isfinite, (made.a, made.b, *(end for knot in knots for end in knot)))):
            raise ValueError("a calibration of an unknown kind, or of numbers that are not finite")
        if knots and (made.a < 0 or any(one[0] >= two[0] or one[1] >= two[1] for one, two in pairwise(knots))):
            raise ValueError("a calibration that falls")
        return made


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("kind", "a", "b", "knots")}


def platt(scores: ArrayLike, y: ArrayLike) -> Calibration:
    """Platt scaling, see `fit_platt`, which says what it raises."""
    a, b = fit_platt(scores, y)
    return Calibration(PLATT, float(a), float(b))


def temperature(scores: ArrayLike, y: ArrayLike) -> Calibration:
    """The log-odds score / T with the T > 0 of the lowest log loss (Guo et al. 2017) against Platt's targets.

    By bisection, since the loss's derivative in 1 / T rises. Where scores point the wrong way it has no root, and T is
    a million times their root mean square. Raises as `fit_platt`.
    """
    s, labels = check_scores(scores, y)
    target = soft_targets(labels)
    spread = float(np.sqrt(np.mean(s * s))) or 1.0
    low, high = -math.log(_WIDEST), math.log(_WIDEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        residual = logistic(math.exp(middle) / spread * s) - target
        low, high = (middle, high) if float(np.dot(residual, s)) < 0.0 else (low, middle)
    return Calibration(TEMPERATURE, math.exp((low + high) / 2.0) / spread)


def isotonic(scores: ArrayLike, y: ArrayLike) -> Calibration:
    """Centred isotonic regression (Oron and Flournoy 2017): a knot at the mean score of each block of equal share.

    The shares of FAKE of the blocks of isotonic regression (Zadrozny and Elkan 2002) are (k + 1/2) / (m + 1) for k of
    m images, which keeps them from 0 and 1, and are made to rise again. Between knots log-odds are interpolated, so
    that no two scores get one probability; beyond them the curve goes on with Platt's slope. Raises as `fit_platt`.
    """
    s, labels = check_scores(scores, y)
    slope = max(fit_platt(s, labels)[0], 0.0)
    values, place = np.unique(s, return_inverse=True)
    counts = np.bincount(place).astype(np.float64)
    fakes = np.bincount(place, weights=labels).astype(np.float64)
    centres, counts, fakes = _pool(values, counts, fakes, fakes / counts)
    shares = (fakes + 0.5) / (counts + 1.0)
    centres, counts, shared = _pool(centres, counts, shares * counts, shares)
    odds = np.log(shared / (counts - shared))
    return Calibration(ISOTONIC, float(slope), knots=tuple(zip(centres.tolist(), odds.tolist(), strict=True)))


def _pool(x: Floats, counts: Floats, mass: Floats, shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean x, count and mass of each block of the isotonic regression of `shares` weighted by `counts`."""
    from scipy.optimize import isotonic_regression  # here, for the serving process imports this module

    starts = isotonic_regression(shares, weights=counts).blocks[:-1]
    blocks = np.add.reduceat(counts, starts)
    return np.add.reduceat(counts * x, starts) / blocks, blocks, np.add.reduceat(mass, starts)


FITS: dict[str, Callable[[ArrayLike, ArrayLike], Calibration]] = {
    PLATT: platt,
    TEMPERATURE: temperature,
    ISOTONIC: isotonic,
}
"""What a calibration can be; of equal losses the first one wins."""


def choose_calibration(scores: ArrayLike, y: ArrayLike, groups: NDArray[np.int64], seed: int) -> Calibration:
    """The kind of the lowest log loss in grouped cross-fitting, fitted on all of scores (n,) and labels (n,) 1 FAKE.

    `groups` (n,): images that share one stay in one fold. `chosen` tells the images, each kind's loss in nats an image
    at their own share of FAKE, or the reason why there was no choice. Raises as `fit_platt`.
    """
    s, labels = check_scores(scores, y)
    fold = folds(groups, labels.astype(np.int8), _FOLDS, seed)
    losses: dict[str, float] = {}
    if (reason := _why_no_choice(labels, fold)) is None:
        losses = {kind: round(_cross_fitted_loss(fit, s, labels, fold), 6) for kind, fit in FITS.items()}
    kind = min(losses, key=lambda one: losses[one]) if losses else PLATT
    return replace(FITS[kind](s, labels), chosen={"images": len(s), "losses": losses, "reason": reason})


def _why_no_choice(labels: NDArray[np.bool_], fold: NDArray[np.int64]) -> str | None:
    least = int(min(np.count_nonzero(labels), np.count_nonzero(~labels)))
    if len(labels) < LEAST_TO_CHOOSE or least < LEAST_OF_A_CLASS:
        return (
            f"{len(labels)} images calibrate, {least} of the rarer class: a choice between kinds wants "
            f"{LEAST_TO_CHOOSE:,} and {LEAST_OF_A_CLASS}."
        )
    if any(len(np.unique(labels[fold != k])) < 2 for k in np.unique(fold)):
        return "The images that calibrate fall into too few groups for a choice between kinds."
    return None


def _cross_fitted_loss(
    fit: Callable[[ArrayLike, ArrayLike], Calibration],
    scores: Floats,
    labels: NDArray[np.bool_],
    fold: NDArray[np.int64],
) -> float:
    """Mean log loss in nats of images in folds that the calibration was not fitted on."""
    total = 0.0
    for k in np.unique(fold):
        held_out = fold == k
        odds = fit(scores[~held_out], labels[~held_out]).log_odds(scores[held_out])
        total += float(np.logaddexp(0.0, np.where(labels[held_out], -odds, odds)).sum())
    return total / len(labels)
