"""95 % confidence intervals, one function a kind of figure; each names its source.

Images count as independent draws. Where they come in groups (frames of a video), the intervals are too narrow.
"""

from __future__ import annotations

import math

import numpy as np

from backend.core.curves import Reliability
from backend.core.metrics import Floats, Labels, midranks

Interval = tuple[float, float]

Z = 1.959963984540054
"""97.5 % point of the standard normal distribution."""

RESAMPLES = 1000


def wilson(hits: float, total: int) -> Interval | None:
    """Interval of a proportion, within 0..1 (Wilson 1927); None without any trial."""
    if total == 0:
        return None
    p = hits / total
    scale = 1.0 + Z * Z / total
    centre = (p + Z * Z / (2.0 * total)) / scale
    half = Z / scale * math.sqrt(p * (1.0 - p) / total + Z * Z / (4.0 * total * total))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == total else min(1.0, centre + half)
    return low, high


def clopper_pearson(hits: int, total: int) -> Interval | None:
    """Interval of a proportion, within 0..1, that is never too narrow (Clopper and Pearson 1934).

    For few trials; that of Wilson is narrower, and right on average. None without any trial.
    """
    if total == 0:
        return None
    from scipy.special import betaincinv  # here, for the serving process imports this module and never comes by

    low = 0.0 if hits == 0 else float(betaincinv(hits, total - hits + 1, 0.025))
    high = 1.0 if hits == total else float(betaincinv(hits + 1, total - hits, 0.975))
    return low, high


def balanced_accuracy_interval(tp: int, fn: int, tn: int, fp: int) -> Interval | None:
    """Interval of the mean of two independent proportions, from their Wilson limits by square and add.

    Newcombe 1998 (method 10, for a difference); Zou and Donner 2008 for sums.
    """
    recall, specificity = wilson(tp, tp + fn), wilson(tn, tn + fp)
    if recall is None or specificity is None:
        return None
    p, q = tp / (tp + fn), tn / (tn + fp)
    below = math.hypot(p - recall[0], q - specificity[0])
    above = math.hypot(recall[1] - p, specificity[1] - q)
    return max(0.0, (p + q - below) / 2.0), min(1.0, (p + q + above) / 2.0)


def f1_interval(tp: int, fp: int, fn: int) -> Interval | None:
    """Interval of F1 = 2 J / (1 + J), rising in J = TP / (TP + FP + FN), a proportion with a Wilson interval.

    The "Wilson indirect" method of Lam et al. 2023, arXiv 2309.14621.
    """
    limits = wilson(tp, tp + fp + fn)
    if limits is None:
        return None
    return 2.0 * limits[0] / (1.0 + limits[0]), 2.0 * limits[1] / (1.0 + limits[1])


def mean_interval(losses: Floats) -> Interval | None:
    """Interval of a mean of losses >= 0 by the central limit theorem, cut at 0; None with fewer than two."""
    if len(losses) < 2:
        return None
    mean = float(losses.mean())
    half = Z * float(losses.std(ddof=1)) / math.sqrt(len(losses))
    return max(0.0, mean - half), mean + half


def auroc_interval(y: Labels, scores: Floats) -> Interval | None:
    """Interval of the AUROC, within 0..1; None with one class only.

    Variance after DeLong, DeLong and Clarke-Pearson 1988, computed from midranks (Sun and Xu 2014), on the logit
    scale so that the limits stay within 0..1 (Pepe 2003). Where that variance is zero or undefined (perfect
    separation, one image of a class) the Wilson interval for as many trials as the smaller class has images.
    """
    positive, negative = scores[y == 1], scores[y != 1]
    m, n = len(positive), len(negative)
    if m == 0 or n == 0:
        return None
    together = midranks(np.concatenate([positive, negative]))
    v10 = (together[:m] - midranks(positive)) / n  # share of REAL scores below each FAKE one
    v01 = 1.0 - (together[m:] - midranks(negative)) / m  # share of FAKE scores above each REAL one
    area = float(v10.mean())
    variance = float(v10.var(ddof=1)) / m + float(v01.var(ddof=1)) / n if min(m, n) > 1 else 0.0
    if variance <= 0.0 or not 0.0 < area < 1.0:
        return wilson(area * min(m, n), min(m, n))
    centre = math.log(area / (1.0 - area))
    half = Z * math.sqrt(variance) / (area * (1.0 - area))
    return _sigmoid(centre - half), _sigmoid(centre + half)


def recall_at_fpr_interval(fakes: Floats, reals: Floats, allowed: int, seed: int) -> Interval | None:
    """Interval of the share of `fakes` scored above all but `allowed` of the `reals`; None without images of a class.

    Percentile bootstrap over the images of both classes: the threshold moves with the REAL images. A resampled order
    statistic is one of a uniform sample, a beta variable, and a resampled share is binomial, so no image has to be
    drawn. A share of 0 or 1 has no spread to resample: there the interval is widened to Clopper and Pearson's.
    """
    m, n = len(fakes), len(reals)
    if m == 0 or not 0 <= allowed < n:
        return None
    random = np.random.default_rng(seed)
    ordered, ranked = np.sort(reals), np.sort(fakes)
    place = np.minimum((random.beta(n - allowed, allowed + 1, RESAMPLES) * n).astype(np.int64), n - 1)
    hits = m - np.searchsorted(ranked, ordered[place], side="right")
    low, high = np.quantile(random.binomial(m, hits / m) / m, [0.025, 0.975])
    estimate = m - int(np.searchsorted(ranked, ordered[n - 1 - allowed], side="right"))
    limits = clopper_pearson(estimate, m)
    if estimate in (0, m) and limits is not None:
        return min(float(low), limits[0]), max(float(high), limits[1])
    return float(low), float(high)


def ece_interval(reliability: Reliability, seed: int) -> Interval | None:
    """Interval of the expected calibration error; None with fewer than two images.

    Basic (reverse percentile) bootstrap (Davison and Hinkley 1997, 5.2), since resampling adds to this error's upward
    bias. The cells (bin, class) are resampled by one multinomial draw, each keeping its mean probability: the same as
    drawing images, but for the spread of probabilities inside a cell. Cut to 0..1 and widened to hold the estimate.
    The lower limit is 0 where a perfectly calibrated detector would err as much in one of twenty draws of labels
    (consistency resampling, Broecker and Smith 2007): an error of 0 lies at the edge, out of a bootstrap's reach.
    """
    counts = np.concatenate([reliability.fakes, reliability.reals]).astype(np.float64)
    total, estimate = int(counts.sum()), reliability.error
    if total < 2 or estimate is None:
        return None
    means = np.concatenate([reliability.fake_mass, reliability.real_mass]) / np.maximum(counts, 1.0)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(total, counts / total, size=RESAMPLES).astype(np.float64)
    bins = len(reliability.fakes)
    mass = drawn * means
    gaps = drawn[:, :bins] - mass[:, :bins] - mass[:, bins:]
    errors = np.abs(gaps).sum(axis=1) / total
    low, high = np.quantile(errors, [0.025, 0.975])
    lower = min(estimate, max(0.0, 2.0 * estimate - float(high)))
    if estimate <= _error_if_calibrated(reliability, random):
        lower = 0.0
    return lower, max(estimate, min(1.0, 2.0 * estimate - float(low)))


def _error_if_calibrated(reliability: Reliability, random: np.random.Generator) -> float:
    counts = reliability.fakes + reliability.reals
    mass = reliability.fake_mass + reliability.real_mass
    labels = random.binomial(counts, np.clip(mass / np.maximum(counts, 1), 0.0, 1.0), size=(RESAMPLES, len(counts)))
    return float(np.quantile(np.abs(labels - mass).sum(axis=1) / counts.sum(), 0.95))


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))
