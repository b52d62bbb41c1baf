"""Platt scaling of margins, and the threshold above which an image is called FAKE."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.core.errors import ConfigError, InvalidInput, OneClass

_EXTREME = 1e-12  # thresholds stay this far from 0 and 1, so that their log-odds are finite
_STEPS = 100
_SMALLEST_STEP = 1e-10
_RIDGE = 1e-12  # keeps the Hessian positive definite where all scores are equal


def logistic(log_odds: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) for each x, same shape, 0..1, without overflow."""
    x = np.asarray(log_odds, dtype=np.float64)
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and 1 / infinity the 0 that is wanted
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-x))
    return result


def probability(scores: ArrayLike, a: float, b: float) -> NDArray[np.float64]:
    """Probability of FAKE for each score, same shape, 0..1: 1 / (1 + exp(-(a score + b))).

    (1, 0) leaves the logit of a logistic regression as it is.
    """
    return logistic(a * np.asarray(scores, dtype=np.float64) + b)


def fit_platt(scores: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """(a, b) of `probability` that fit scores (n,) to labels (n,) 1 FAKE, 0 REAL.

    Platt 1999 with his `soft_targets`, which keep the answer finite where the classes separate, minimised by the Newton
    method with backtracking of Lin, Lin and Weng 2007. Their A and B have the opposite sign. Scores are standardised
    first, so that their scale does not matter.
    Raises InvalidInput for scores that are not finite or do not fit the labels, OneClass where a class is absent.
    """
    s, labels = check_scores(scores, y)
    target = soft_targets(labels)
    positives = int(np.count_nonzero(labels))
    centre, scale = float(s.mean()), float(s.std()) or 1.0
    x = (s - centre) / scale
    a, b = _newton(x, target, np.log((positives + 1.0) / (len(labels) - positives + 1.0)))
    return a / scale, b - a * centre / scale


def soft_targets(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Platt's target for each image, FAKE or not: (N+ + 1) / (N+ + 2) and 1 / (N- + 2). Raises OneClass."""
    positives = int(np.count_nonzero(labels))
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        raise OneClass("Calibration needs both classes.", "Give REAL and FAKE images for validation.")
    return np.where(labels, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))


def choose_threshold(probabilities: ArrayLike, y: ArrayLike, target_fpr: float | None = None) -> float:
    """Threshold strictly between 0 and 1; images whose probability is at or above it are called FAKE.

    Without `target_fpr` the one nearest to 0.5 among those whose balanced accuracy, the mean of both classes' shares of
    correct answers, is within one standard error of the best (Breiman et al. 1984, section 3.4.3): a few lucky images
    must not move it, nor how many images of each class there happen to be. With it
    (between 0 and 1) the lowest that calls at most that share of the REAL images FAKE. Thresholds lie half-way between
    two neighbouring probabilities, and between 1e-12 and 1 - 1e-12: REAL images above that cannot be helped.
    Raises InvalidInput, ConfigError for a `target_fpr` out of range, OneClass where a class is absent.
    """
    p, labels = check_scores(probabilities, y)
    if ((p < 0.0) | (p > 1.0)).any():
        raise InvalidInput("A probability lies outside 0..1.", "Calibrate the scores first.")
    if target_fpr is not None and not 0.0 < target_fpr < 1.0:
        raise ConfigError(f"target_fpr is {target_fpr}.", "Choose a share between 0 and 1, e.g. 0.05.")
    if labels.all() or not labels.any():
        raise OneClass("A threshold needs both classes.", "Give REAL and FAKE images for validation.")
    values = np.unique(np.concatenate([[0.0], p, [1.0]]))
    candidates = (values[:-1] + values[1:]) / 2.0
    candidates = candidates[(candidates >= _EXTREME) & (candidates <= 1.0 - _EXTREME)]
    real, fake = np.sort(p[~labels]), np.sort(p[labels])
    false_alarms = len(real) - np.searchsorted(real, candidates, side="left")
    hits = len(fake) - np.searchsorted(fake, candidates, side="left")
    if target_fpr is not None:
        allowed = np.flatnonzero(false_alarms <= target_fpr * len(real))
        return float(candidates[allowed[0]]) if len(allowed) else 1.0 - _EXTREME
    if len(candidates) == 0:
        return 0.5
    recall, specificity = hits / len(fake), 1.0 - false_alarms / len(real)
    balanced = (recall + specificity) / 2.0
    best = int(np.argmax(balanced))
    spread = recall * (1.0 - recall) / len(fake) + specificity * (1.0 - specificity) / len(real)
    good = candidates[balanced >= balanced[best] - np.sqrt(spread[best]) / 2.0]
    return float(good[np.argmin(np.abs(good - 0.5))])


def check_scores(scores: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (n,) and whether each image is FAKE (n,). Raises InvalidInput where they do not fit or are not finite."""
    s, labels = np.asarray(scores, dtype=np.float64), np.asarray(y)
    if s.ndim != 1 or s.shape != labels.shape:
        raise InvalidInput(f"Scores {s.shape} do not fit labels {labels.shape}.", "Give two arrays of one length.")
    if not np.isfinite(s).all():
        raise InvalidInput("A score is not finite.", "Check the detector's output.")
    if not np.isin(labels, (0, 1)).all():
        raise InvalidInput("A label is neither 0 nor 1.", "Use 1 for FAKE and 0 for REAL.")
    return s, labels == 1


def _newton(x: NDArray[np.float64], target: NDArray[np.float64], b: float) -> tuple[float, float]:
    a = 0.0
    value = _objective(x, target, a, b)
    for _ in range(_STEPS):
        p = logistic(a * x + b)
        weight = p * (1.0 - p)
        h_aa = float(np.dot(weight, x * x)) + _RIDGE
        h_bb = float(weight.sum()) + _RIDGE
        h_ab = float(np.dot(weight, x))
        g_a, g_b = float(np.dot(p - target, x)), float((p - target).sum())
        if abs(g_a) < 1e-5 and abs(g_b) < 1e-5:
            break
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a = -(h_bb * g_a - h_ab * g_b) / determinant
        step_b = -(h_aa * g_b - h_ab * g_a) / determinant
        slope = g_a * step_a + g_b * step_b
        length = 1.0
        while length >= _SMALLEST_STEP:
            tried = _objective(x, target, a + length * step_a, b + length * step_b)
            if tried < value + 1e-4 * length * slope:
                a, b, value = a + length * step_a, b + length * step_b, tried
                break
            length /= 2.0
        else:
            break
    return a, float(b)


def _objective(x: NDArray[np.float64], target: NDArray[np.float64], a: float, b: float) -> float:
    """Cross entropy sum, written so that neither exponential overflows."""
    f = a * x + b
    return float((np.logaddexp(0.0, f) - target * f).sum())
