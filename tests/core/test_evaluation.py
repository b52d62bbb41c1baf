"""Figures against scikit-learn, intervals against simulation, and what is undefined stays None."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn import metrics as sk

from backend.core import intervals
from backend.core.curves import NOTHING_IS_FAKE, bin_by_mass, bin_reliability
from backend.core.errors import InvalidInput
from backend.core.evaluation import CIFAR_CLASSES, cifar_class, evaluate
from backend.core.metrics import count_confusion, hinge_losses, midranks

SCALARS = (
    "accuracy",
    "balanced_accuracy",
    "auroc",
    "log_loss",
    "hinge_loss",
    "precision",
    "recall",
    "fpr",
    "f1",
    "brier",
    "ece",
    "ece_equal_mass",
)


def draw(n: int, seed: int = 0, ties: bool = False) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, margins and calibrated probabilities of two overlapping classes."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < 0.4).astype(np.int8)
    scores = random.normal(size=n) + 2.0 * y - 1.0
    if ties:
        scores = np.round(scores, 1)
    return y, scores, 1.0 / (1.0 + np.exp(-2.0 * scores))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7])
def test_scalars_equal_scikit_learns(ties: bool, threshold: float) -> None:
    y, scores, p = draw(3000, ties=ties)
    found = evaluate(y, scores, p, threshold, loss="log_loss")
    called = p >= threshold
    expected = {
        "accuracy": sk.accuracy_score(y, called),
        "balanced_accuracy": sk.balanced_accuracy_score(y, called),
        "auroc": sk.roc_auc_score(y, scores),
        "log_loss": sk.log_loss(y, p),
        "hinge_loss": sk.hinge_loss(np.where(y == 1, 1, -1), scores),
        "precision": sk.precision_score(y, called),
        "recall": sk.recall_score(y, called),
        "fpr": np.mean(called[y == 0]),
        "f1": sk.f1_score(y, called),
        "brier": sk.brier_score_loss(y, p),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    (tn, fp), (fn, tp) = sk.confusion_matrix(y, called).tolist()
    assert found["confusion"] == {"tp": tp, "fp": fp, "tn": tn, "fn": fn}
    assert found["counts"] == {"REAL": tn + fp, "FAKE": tp + fn}
    assert found["n"] == 3000


def test_the_answer_is_plain_json_and_repeats_itself() -> None:
    y, scores, p = draw(500)
    classes = [CIFAR_CLASSES[i % 10] for i in range(500)]
    found = evaluate(y, scores, p, 0.5, loss="hinge", classes=classes, seed=3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == evaluate(y, scores, p, 0.5, loss="hinge", classes=classes, seed=3)
    assert (found["loss"], found["loss_value"]) == ("hinge", found["hinge_loss"])
    assert set(found["intervals"]) == set(SCALARS)
    for name in SCALARS:
        low, high = found["intervals"][name]
        assert low <= found[name] <= high
        assert low < high


def test_an_image_at_the_threshold_is_called_fake() -> None:
    found = evaluate([1, 0], [0.0, -1.0], [0.5, 0.25], 0.5, loss="log_loss")
    assert found["confusion"] == {"tp": 1, "fp": 0, "tn": 1, "fn": 0}


def test_counting_only_the_hits_among_fake_halves_the_recall_on_a_balanced_set() -> None:
    """Why a published SVM has 37.95 % accuracy: TP / n. Counting both classes gives what it really reaches."""
    y = np.repeat([1, 0], 10_000).astype(np.int8)
    called = np.zeros(20_000, dtype=np.bool_)
    called[:7_590] = True  # 75.9 % of FAKE found
    called[10_000:12_000] = True  # and 20 % of REAL called FAKE
    cells = count_confusion(y, called)
    hits_of_one_class = np.count_nonzero((y == 1) & called) / len(y)
    assert hits_of_one_class == 0.3795
    assert cells.recall is not None
    assert hits_of_one_class == cells.recall / 2
    assert cells.accuracy == (7_590 + 8_000) / 20_000


def test_hinge_loss_counts_both_classes() -> None:
    losses = hinge_losses(np.array([1, 1, 0, 0], dtype=np.int8), np.array([2.0, -0.5, -3.0, 0.25]))
    assert losses.tolist() == [0.0, 1.5, 0.0, 1.25]


def test_log_loss_of_certain_and_wrong_answers_is_finite() -> None:
    found = evaluate([1, 0], [-9.0, 9.0], [0.0, 1.0], 0.5, loss="log_loss")
    assert found["log_loss"] == pytest.approx(-math.log(np.finfo(np.float64).eps))


@pytest.mark.parametrize("label", [0, 1])
def test_with_one_class_what_is_undefined_is_none(label: int) -> None:
    found = evaluate([label] * 4, [-1.0, 0.5, 1.0, 2.0], [0.2, 0.6, 0.7, 0.9], 0.5, loss="log_loss")
    missing = {name for name in SCALARS if found[name] is None}
    assert missing == {"auroc", "balanced_accuracy", "recall" if label == 0 else "fpr"}
    assert {name for name, limits in found["intervals"].items() if limits is None} == missing
    assert found["roc"] == {"fpr": [], "tpr": [], "thresholds": []}
    assert found["accuracy"] == (0.75 if label else 0.25)


def test_without_images_every_scalar_is_none() -> None:
    found = evaluate([], [], [], 0.5, loss="hinge")
    assert found["n"] == 0
    assert all(found[name] is None and found["intervals"][name] is None for name in SCALARS)
    assert found["reliability"] == {"bins": []}
    json.dumps(found, allow_nan=False)


def test_where_nothing_is_called_fake_precision_is_none() -> None:
    found = evaluate([1, 0], [1.0, 0.0], [0.4, 0.3], 0.5, loss="log_loss")
    assert found["precision"] is None
    assert found["intervals"]["precision"] is None
    assert found["f1"] == 0.0


@pytest.mark.parametrize(
    ("y", "scores", "p", "threshold"),
    [
        ([1, 0], [0.1], [0.2, 0.3], 0.5),
        ([1, 2], [0.1, 0.2], [0.2, 0.3], 0.5),
        ([1, 0.5], [0.1, 0.2], [0.2, 0.3], 0.5),
        ([1, 0], [np.nan, 0.2], [0.2, 0.3], 0.5),
        ([1, 0], [0.1, 0.2], [0.2, 1.3], 0.5),
        ([1, 0], [0.1, 0.2], [0.2, np.nan], 0.5),
        ([1, 0], [0.1, 0.2], [0.2, 0.3], np.nan),
        ([[1], [0]], [[0.1], [0.2]], [[0.2], [0.3]], 0.5),
    ],
)
def test_bad_input_is_named(y: Any, scores: Any, p: Any, threshold: float) -> None:
    with pytest.raises(InvalidInput):
        evaluate(y, scores, p, threshold, loss="log_loss")


def test_class_names_must_fit_and_losses_be_known() -> None:
    with pytest.raises(InvalidInput, match="3 class names for 2 images"):
        evaluate([1, 0], [0.1, 0.2], [0.2, 0.3], 0.5, loss="log_loss", classes=["a", "b", "c"])
    with pytest.raises(InvalidInput, match="Unknown loss"):
        evaluate([1, 0], [0.1, 0.2], [0.2, 0.3], 0.5, loss="mse")  # type: ignore[arg-type]


def test_roc_has_its_ends_and_the_operating_point_and_loses_next_to_nothing() -> None:
    y, scores, p = draw(20_000)
    found = evaluate(y, scores, p, 0.37, loss="log_loss")
    roc = found["roc"]
    fpr, tpr = np.array(roc["fpr"]), np.array(roc["tpr"])
    assert len(fpr) <= 200
    assert (roc["fpr"][0], roc["tpr"][0], roc["thresholds"][0]) == (0.0, 0.0, NOTHING_IS_FAKE)
    assert (roc["fpr"][-1], roc["tpr"][-1]) == (1.0, 1.0)
    at = roc["thresholds"].index(0.37)
    assert (roc["fpr"][at], roc["tpr"][at]) == (found["fpr"], found["recall"])
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    assert (np.diff(roc["thresholds"]) < 0).all()
    assert np.trapezoid(tpr, fpr) == pytest.approx(found["auroc"], abs=5e-4)
    for i in (20, 60, 150):  # every kept point is a point of the full curve
        called = p >= roc["thresholds"][i]
        assert (roc["fpr"][i], roc["tpr"][i]) == (called[y == 0].mean(), called[y == 1].mean())


@pytest.mark.parametrize("threshold", [0.5, 0.05, 0.95, 1.0])
def test_a_short_roc_is_kept_whole(threshold: float) -> None:
    y, _, p = draw(60, ties=True)
    roc = evaluate(y, p, p, threshold, loss="log_loss")["roc"]
    fpr, tpr, _ = sk.roc_curve(y, p, drop_intermediate=False)
    np.testing.assert_allclose(roc["fpr"], fpr)
    np.testing.assert_allclose(roc["tpr"], tpr)
    assert threshold in roc["thresholds"]


def test_reliability_bins_and_their_error_by_hand() -> None:
    y = np.array([0, 1, 1, 0, 1], dtype=np.int8)
    p = np.array([0.05, 0.05, 0.99, 0.5, 1.0])
    found = evaluate(y, p, p, 0.5, loss="log_loss")
    bins = found["reliability"]["bins"]
    assert [row["count"] for row in bins] == [2, 1, 2]
    assert [row["fraction_fake"] for row in bins] == [0.5, 0.0, 1.0]
    assert [row["mean_probability"] for row in bins] == pytest.approx([0.05, 0.5, 0.995])
    assert all(row["lo"] <= row["mean_probability"] <= row["hi"] for row in bins)
    assert bins[-1]["hi"] == 1.0
    assert found["ece"] == pytest.approx((2 * 0.45 + 0.5 + 2 * 0.005) / 5)


def test_figures_by_class_equal_those_of_its_images_alone() -> None:
    y, scores, p = draw(900)
    classes = [["cat", "dog", None][i % 3] for i in range(900)]
    table = evaluate(y, scores, p, 0.4, loss="log_loss", classes=classes)["by_class"]
    assert set(table) == {"cat", "dog"}
    alone = evaluate(y[1::3], scores[1::3], p[1::3], 0.4, loss="log_loss")
    assert table["dog"] == {name: alone[name] for name in ("n", "accuracy", "auroc", "recall", "fpr")}


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, table I: 81/263, 15/148, 0/20 and 1/29
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (hits, total), limits in published.items():
        assert intervals.wilson(hits, total) == pytest.approx(limits, abs=5e-5)


@pytest.mark.parametrize("ties", [False, True])
def test_midranks_are_those_of_scipy(ties: bool) -> None:
    _, scores, _ = draw(80, ties=ties)
    np.testing.assert_array_equal(midranks(scores), rankdata(scores))


def test_auroc_variance_equals_delongs_sum_over_pairs() -> None:
    y, scores, _ = draw(80, ties=True)
    fake, real = scores[y == 1], scores[y == 0]
    wins = (fake[:, None] > real[None, :]) + 0.5 * (fake[:, None] == real[None, :])
    variance = wins.mean(axis=1).var(ddof=1) / len(fake) + wins.mean(axis=0).var(ddof=1) / len(real)
    area = wins.mean()
    half = 1.959963984540054 * math.sqrt(variance) / (area * (1 - area))
    logit = math.log(area / (1 - area))
    expected = [1 / (1 + math.exp(-(logit - half))), 1 / (1 + math.exp(-(logit + half)))]
    assert intervals.auroc_interval(y, scores) == pytest.approx(expected)


def test_perfect_separation_leaves_room_below_one() -> None:
    found = evaluate([0] * 30 + [1] * 50, list(range(80)), np.linspace(0.01, 0.99, 80), 0.3, loss="log_loss")
    assert found["auroc"] == 1.0
    low, high = found["intervals"]["auroc"]
    assert high == 1.0
    assert 0.8 < low < 0.95


def covered(draws: int, trial: Any) -> float:
    random = np.random.default_rng(11)
    return float(np.mean([trial(random) for _ in range(draws)]))


@pytest.mark.parametrize(("n", "shift"), [(60, 0.5), (60, 2.5), (800, 1.5)])
def test_the_auroc_interval_covers_the_truth_19_times_in_20(n: int, shift: float) -> None:
    truth = norm.cdf(shift / math.sqrt(2))

    def trial(random: np.random.Generator) -> bool:
        y = (np.arange(n) % 2).astype(np.int8)
        low, high = intervals.auroc_interval(y, random.normal(size=n) + shift * y) or (0.0, 0.0)
        return low <= truth <= high

    assert 0.92 <= covered(400, trial) <= 0.99


def test_the_balanced_accuracy_and_f1_intervals_cover_the_truth_19_times_in_20() -> None:
    recall, fpr, fakes, reals = 0.9, 0.2, 40, 120

    def cells(random: np.random.Generator) -> tuple[int, int]:
        return int(random.binomial(fakes, recall)), int(random.binomial(reals, fpr))

    def balanced(random: np.random.Generator) -> bool:
        tp, fp = cells(random)
        low, high = intervals.balanced_accuracy_interval(tp, fakes - tp, reals - fp, fp) or (0.0, 0.0)
        return low <= (recall + 1 - fpr) / 2 <= high

    def f1(random: np.random.Generator) -> bool:
        fakes_drawn = int(random.binomial(160, 0.25))
        tp, fp = int(random.binomial(fakes_drawn, recall)), int(random.binomial(160 - fakes_drawn, fpr))
        low, high = intervals.f1_interval(tp, fp, fakes_drawn - tp) or (0.0, 0.0)
        truth = 2 * 0.25 * recall / (0.25 * recall + 0.75 * fpr + 0.25)
        return low <= truth <= high

    assert 0.925 <= covered(1500, balanced) <= 0.98
    assert 0.925 <= covered(1500, f1) <= 0.98


def test_unsure_verdicts_are_counted_and_left_out_of_the_accuracy_on_the_rest() -> None:
    y, p = np.array([0, 1, 1, 0, 1], np.int8), np.array([0.1, 0.9, 0.4, 0.6, 0.8])
    found = evaluate(y, p, p, 0.5, loss="log_loss", unsure=[False, False, True, False, True])
    assert (found["unsure_share"], found["accuracy"]) == (0.4, 0.6)
    assert found["sure_accuracy"] == pytest.approx(2 / 3)
    assert found["intervals"]["unsure_share"] == list(intervals.wilson(2, 5) or ())
    assert found["intervals"]["sure_accuracy"] == list(intervals.wilson(2, 3) or ())
    nobody_sure = evaluate(y, p, p, 0.5, loss="log_loss", unsure=np.ones(5, bool))
    assert (nobody_sure["unsure_share"], nobody_sure["sure_accuracy"]) == (1.0, None)
    assert "unsure_share" not in evaluate(y, p, p, 0.5, loss="log_loss")
    with pytest.raises(InvalidInput, match="4 verdicts"):
        evaluate(y, p, p, 0.5, loss="log_loss", unsure=np.ones(4, bool))


def test_bins_of_equal_mass_share_the_images_and_keep_ties_together() -> None:
    y, _, p = draw(15_000, seed=4)
    bins = bin_by_mass(y, p)
    assert (bins.fakes + bins.reals).tolist() == [1_000] * 15
    parts = np.array_split(np.argsort(p), 15)
    assert bins.error == pytest.approx(sum(abs((y[i] - p[i]).sum()) for i in parts) / len(y))
    assert all(row["lo"] <= row["mean_probability"] <= row["hi"] for row in bins.rows())
    tied = bin_by_mass(np.array([0, 1, 1, 0, 1], np.int8), np.array([0.2, 0.2, 0.2, 0.2, 0.9]))
    assert (tied.fakes + tied.reals).tolist() == [4, 1]
    assert tied.error == pytest.approx((4 * 0.3 + 0.1) / 5)
    assert bin_by_mass(np.array([1, 0], np.int8), np.array([0.5, 0.5])).error == 0.0


@pytest.mark.parametrize(("slope", "n"), [(1.0, 400), (0.6, 3000)], ids=["calibrated", "over-cautious"])
def test_the_calibration_errors_interval_covers_the_truth(slope: float, n: int) -> None:
    random = np.random.default_rng(2)
    truth_of_each = random.beta(0.5, 0.5, size=400_000)
    said = 1.0 / (1.0 + ((1.0 - truth_of_each) / truth_of_each) ** slope)
    place = np.minimum((said * 15).astype(int), 14)
    truth = float(np.abs(np.bincount(place, weights=truth_of_each - said)).sum()) / len(said)

    def trial(random: np.random.Generator) -> bool:
        chosen = random.integers(0, len(said), n)
        y = (random.random(n) < truth_of_each[chosen]).astype(np.int8)
        low, high = intervals.ece_interval(bin_reliability(y, said[chosen]), seed=0) or (1.0, 0.0)
        return low <= truth + 1e-9 <= high

    assert covered(150, trial) >= 0.88


def test_interval_of_a_mean_loss() -> None:
    losses = np.array([0.0, 1.0, 2.0, 5.0])
    half = 1.959963984540054 * losses.std(ddof=1) / 2
    assert intervals.mean_interval(losses) == (max(0.0, 2.0 - half), 2.0 + half)
    assert intervals.mean_interval(losses[:1]) is None


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("0000.jpg", "airplane"),
        ("0000 (2).jpg", "automobile"),
        ("4999 (10).jpg", "truck"),
        ("test/FAKE/0 (10).jpg", "truck"),  # the published test FAKE have no leading zeros
        ("test/FAKE/999.jpg", "airplane"),
        ("train/FAKE/1234 (9).JPG", "ship"),
        ("0000 (1).jpg", None),
        ("0000 (11).jpg", None),
        ("cat.jpg", None),
        ("0000.png", None),
        ("photo 0000 (3).jpg", None),
        ("", None),
    ],
)
def test_the_cifar_class_comes_from_cifakes_names_only(filename: str, name: str | None) -> None:
    assert cifar_class(filename) == name
