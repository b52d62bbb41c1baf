"""A detector as a whole: fit on separable features, calibrate, answer, describe, restore."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.calibrators import ISOTONIC, Calibration, isotonic
from backend.core.codec import BELOW, LOSSLESS, codec_of
from backend.core.config import FitConfig
from backend.core.cross_fitting import CROSS_FIT_MOST, _sample
from backend.core.detector import Detector, Rows, check_trainable, fit, restore
from backend.core.domain import fit_domain
from backend.core.errors import Cancelled, ConfigError, IntegrityError, OneClass, TooFewImages
from backend.core.extractors import Extractor, check_spec, create
from backend.core.heads import HEADS, HeadConfig
from backend.core.traces import Traces


def make_images(count: int, seed: int) -> tuple[list[NDArray[np.uint8]], NDArray[np.int8]]:
    """Noise (REAL) and noise doubled in size (FAKE): half of the spectrum is missing in the second."""
    random = np.random.default_rng(seed)
    y = (np.arange(count) % 2).astype(np.int8)
    images = []
    for label in y:
        small = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        large = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        images.append(np.repeat(np.repeat(small, 2, 0), 2, 1) if label else large)
    return images, y


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    return create({"name": "spectrum"}, backbones=tmp_path_factory.mktemp("backbones"))


def make_rows(extractor: Extractor, count: int, seed: int, flip: float = 0.0) -> Rows:
    images, y = make_images(count, seed)
    wrong = np.random.default_rng(seed).random(count) < flip
    return Rows(extractor.extract(images), np.where(wrong, 1 - y, y).astype(np.int8), np.arange(count))


def silent(_stage: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture(scope="module")
def detector(extractor: Extractor) -> Detector:
    train, validation = make_rows(extractor, 120, 1), make_rows(extractor, 60, 2)
    return fit(train, validation, FitConfig(extractor=extractor.spec), extractor, silent)


def test_a_fitted_detector_tells_unseen_images_apart(detector: Detector) -> None:
    images, y = make_images(40, 3)
    answers = detector.predict(images)
    assert [answer.label == "FAKE" for answer in answers] == (y == 1).tolist()
    assert all((answer.score > 0) == (answer.label == "FAKE") for answer in answers)


def test_a_batch_answers_as_its_images_one_by_one(detector: Detector) -> None:
    images, _ = make_images(5, 4)
    for together, alone in zip(detector.predict(images), (detector.predict([i])[0] for i in images), strict=True):
        assert together.score == pytest.approx(alone.score, rel=1e-5)
        assert together.verdict == alone.verdict


def test_a_card_and_arrays_restore_the_same_detector(detector: Detector, tmp_path: Path) -> None:
    card = json.loads(json.dumps(detector.describe(), allow_nan=False))
    restored = restore(card, detector.head.arrays(), backbones=tmp_path)
    images, _ = make_images(6, 5)
    assert restored.predict(images) == detector.predict(images)
    card["extractor"]["digest"] = "0" * 64
    with pytest.raises(IntegrityError):
        restore(card, detector.head.arrays(), backbones=tmp_path)


def test_a_card_of_an_older_version_answers_as_platts_scaling(detector: Detector, tmp_path: Path) -> None:
    card = {**detector.describe(), "calibration": {"a": 1.25, "b": -0.5}}
    restored = restore(card, detector.head.arrays(), backbones=tmp_path)
    for answer in restored.predict(make_images(6, 5)[0]):
        assert answer.probability_fake == pytest.approx(1 / (1 + np.exp(-(1.25 * answer.score - 0.5))), rel=1e-15)
    for wrong in (
        {"a": 1.25},
        {"kind": "beta", "a": 1.0, "b": 0.0},
        {"kind": ISOTONIC, "a": 1.0, "knots": [[0, 1, 2]]},
    ):
        with pytest.raises(IntegrityError):
            restore({**card, "calibration": wrong}, detector.head.arrays(), backbones=tmp_path)


def test_enough_images_choose_a_calibration_by_their_loss(extractor: Extractor, tmp_path: Path) -> None:
    train, validation = make_rows(extractor, 200, 1, flip=0.2), make_rows(extractor, 2_200, 2, flip=0.2)
    fitted = fit(train, validation, FitConfig(extractor=extractor.spec), extractor, silent)
    chosen = fitted.describe()["calibration"]
    assert set(chosen["losses"]) == {"platt", "temperature", "isotonic"}
    assert chosen["losses"][chosen["kind"]] == min(chosen["losses"].values())
    assert chosen["reason"] is None
    curve = replace(fitted, calibration=isotonic(fitted.scores(validation.X), validation.y))
    card = json.loads(json.dumps(curve.describe(), allow_nan=False))
    images, _ = make_images(6, 5)
    assert restore(card, curve.head.arrays(), backbones=tmp_path).predict(images) == curve.predict(images)


def test_a_missing_backbone_is_told_and_not_made_anew(detector: Detector, tmp_path: Path) -> None:
    network = check_spec({"name": "concat", "parts": [{"name": "npr"}, {"name": "cnn"}]})
    card = {**detector.describe(), "extractor": {"spec": network, "digest": "0" * 64}}
    with pytest.raises(IntegrityError, match="backbone"):
        restore(card, detector.head.arrays(), backbones=tmp_path)
    assert not list(tmp_path.iterdir())


def test_verdict_is_unsure_within_three_to_one_odds_of_the_threshold(detector: Detector) -> None:
    low, high = Detector(detector.extractor, detector.head, Calibration("platt", 1.0), threshold=0.5).unsure_band
    assert (low, high) == (pytest.approx(0.25), pytest.approx(0.75))
    always = Calibration("platt", 0.0, 0.1)  # every probability is 0.525
    close = Detector(detector.extractor, detector.head, always, threshold=0.5)
    answer = close.predict(make_images(1, 6)[0])[0]
    assert (answer.label, answer.verdict) == ("FAKE", "unsure")
    assert "0.52" in answer.reasons[0]
    assert answer.reason_codes == ("too_close",)


def test_an_image_of_a_size_never_seen_is_unsure_and_says_why(detector: Detector) -> None:
    sized = replace(detector, sides=(32, 32))
    small, large = np.zeros((32, 64, 3), np.uint8), np.zeros((32, 65, 3), np.uint8)
    assert [answer.in_domain for answer in sized.predict([small, large, large[:15, :20]])] == [None, False, False]
    answer = sized.predict([large])[0]
    assert answer.verdict == "unsure"
    assert "65 x 32" in answer.reasons[0]
    assert answer.reason_codes[0] == "size"
    assert detector.predict([large])[0].in_domain is None
    restored = restore(sized.describe(), sized.head.arrays(), backbones=Path())
    assert restored.sides == (32, 32)


def test_an_image_compressed_far_harder_than_all_it_learnt_from_is_unsure(detector: Detector) -> None:
    checked = replace(detector, codec=codec_of(np.array([75, 92, 100])))
    image = np.zeros((32, 32, 3), np.uint8)
    answers = checked.predict([image] * 4, qualities=[75 - BELOW - 1, 75 - BELOW, 100, None])
    assert [answer.in_domain for answer in answers] == [False, None, None, None]
    assert (answers[0].verdict, answers[0].reason_codes[0]) == ("unsure", "codec")
    assert f"quality {75 - BELOW - 1}" in answers[0].reasons[0]
    assert "75 to 100" in answers[0].reasons[0]
    sides, sure = np.full(3, 32), np.full(3, 0.999)
    unsure = checked.unsure(sure, sides, sides, np.array([75 - BELOW - 1, 75 - BELOW, LOSSLESS]))
    assert unsure.tolist() == [True, False, False]
    assert detector.predict([image], qualities=[1])[0].in_domain is None
    restored = restore(checked.describe(), checked.head.arrays(), backbones=Path())
    assert restored.codec == checked.codec


def test_an_image_of_features_never_seen_is_unsure_and_the_check_is_stored(extractor: Extractor) -> None:
    train, validation = make_rows(extractor, 400, 21), make_rows(extractor, 200, 22)
    bare = fit(train, validation, FitConfig(extractor=extractor.spec), extractor, silent)
    domain = fit_domain(train.X, validation.X, validation.groups, extractor.feature_names, seed=0)
    checked = replace(bare, domain=domain)
    images = [*make_images(20, 23)[0], *np.full((2, 32, 32, 3), 128, np.uint8)]
    answers = checked.predict(images)
    assert ["features" in answer.reason_codes for answer in answers[20:]] == [True, True]
    assert [(answer.in_domain, answer.verdict) for answer in answers[20:]] == [(False, "unsure")] * 2
    assert sum(answer.in_domain is None for answer in answers[:20]) >= 15
    assert [a.probability_fake for a in answers] == [a.probability_fake for a in bare.predict(images)]
    assert bare.outside(train.X[:3]).tolist() == [False] * 3
    card = json.loads(json.dumps(checked.describe()))
    assert card["domain"]["neighbours"] == 400
    restored = restore(card, checked.arrays(), backbones=Path())
    assert restored.predict(images) == answers
    with pytest.raises(IntegrityError):
        restore(card, {**checked.arrays(), "domain.mean": np.zeros(3, np.float32)}, backbones=Path())


def test_a_real_that_leans_towards_fakes_is_unsure_and_in_its_domain_all_the_same(detector: Detector) -> None:
    images, _ = make_images(20, 23)
    features, before = detector.extractor.extract(images), detector.predict(images)
    called_real = np.array([answer.label == "REAL" for answer in before])
    weights = -np.random.default_rng(0).normal(size=features.shape[1]).astype(np.float32)
    limit = float(np.median((features @ weights)[called_real]))
    doubting = replace(detector, traces=Traces(weights, 0.0, limit, ("a", "b", "c")))
    answers, leans = doubting.predict(images), called_real & (features @ weights > limit)
    assert 0 < leans.sum() < called_real.sum()
    assert (features[~called_real] @ weights > limit).any()  # a FAKE stays one, however it leans
    assert ["traces" in answer.reason_codes for answer in answers] == leans.tolist()
    assert all(answer.verdict == "unsure" and answer.in_domain is None for answer in np.array(answers)[leans])
    assert np.array(answers)[~leans].tolist() == np.array(before)[~leans].tolist()
    probabilities = np.array([answer.probability_fake for answer in answers])
    assert doubting.doubted(features, probabilities).tolist() == leans.tolist()
    assert not detector.doubted(features, probabilities).any()
    card = json.loads(json.dumps(doubting.describe()))
    assert card["traces"] == {"generators": ["a", "b", "c"], "limit": limit}
    assert restore(card, doubting.arrays(), backbones=Path()).predict(images) == answers
    for wrong in ({"traces.weights": np.zeros(3, np.float32)}, {"traces.offset": np.array([np.nan])}):
        with pytest.raises(IntegrityError):
            restore(card, {**doubting.arrays(), **wrong}, backbones=Path())
    with pytest.raises(IntegrityError):
        restore({**card, "traces": {**card["traces"], "generators": "abc"}}, doubting.arrays(), backbones=Path())


def test_verdicts_counted_over_many_images_are_those_given_one_by_one(detector: Detector) -> None:
    flat = replace(detector, sides=(32, 32), calibration=replace(detector.calibration, a=detector.calibration.a / 8))
    images, _ = make_images(30, 16)
    images += [np.zeros(shape, np.uint8) for shape in ((15, 20, 3), (16, 64, 3), (16, 65, 3))]
    answers = flat.predict(images)
    sides = np.array([sorted(image.shape[:2]) for image in images])
    unsure = flat.unsure(np.array([answer.probability_fake for answer in answers]), sides[:, 0], sides[:, 1])
    assert unsure.tolist() == [answer.verdict == "unsure" for answer in answers]
    assert 1 < unsure.sum() < len(images)


@pytest.mark.parametrize("name", HEADS)
def test_noisy_labels_give_calibrated_probabilities_for_every_head(extractor: Extractor, name: str) -> None:
    """With 20 % of the labels flipped no honest probability is far beyond 80 %."""
    train, validation = make_rows(extractor, 300, 7, flip=0.2), make_rows(extractor, 1_000, 8, flip=0.2)
    config = FitConfig(extractor=extractor.spec, head=HeadConfig(name, C=0.01, components=64, hidden=[32]))
    fitted = fit(train, validation, config, extractor, silent)
    rows = make_rows(extractor, 400, 9, flip=0.2)
    probabilities = fitted.probabilities(fitted.scores(rows.X))
    assert np.mean(probabilities) == pytest.approx(rows.y.mean(), abs=0.06)
    assert 0.7 < np.mean(np.maximum(probabilities, 1 - probabilities)) < 0.9


def test_a_probability_assumes_that_half_of_all_images_are_fake(extractor: Extractor) -> None:
    """Fitted on nine FAKE for each REAL, an image that is as likely under both still gets about 0.5."""
    plenty = make_rows(extractor, 4_000, 14, flip=0.2)
    kept = np.flatnonzero((plenty.y == 1) | (np.arange(4_000) % 9 == 0))
    half = len(kept) // 2
    train, validation = (Rows(plenty.X[i], plenty.y[i], plenty.groups[i]) for i in (kept[:half], kept[half:]))
    fitted = fit(train, validation, FitConfig(extractor=extractor.spec), extractor, silent)
    rows = make_rows(extractor, 1_000, 15, flip=0.2)
    probabilities = fitted.probabilities(fitted.scores(rows.X))
    assert np.mean(probabilities) == pytest.approx(0.5, abs=0.07)
    assert np.mean((probabilities >= fitted.threshold)[rows.y == 0]) < 0.3


def test_cross_fitting_looks_at_a_sample_of_a_large_training_set() -> None:
    rows = Rows(np.zeros((30_000, 1), np.float32), np.zeros(30_000, np.int8), np.repeat(np.arange(10_000), 3))
    sampled = _sample(rows, seed=0)
    assert CROSS_FIT_MOST - 3 <= len(sampled.y) <= CROSS_FIT_MOST
    assert set(np.unique(sampled.groups, return_counts=True)[1]) == {3}


def test_target_fpr_moves_the_threshold(extractor: Extractor) -> None:
    train, validation = make_rows(extractor, 300, 10, flip=0.15), make_rows(extractor, 1_200, 11, flip=0.15)
    strict = fit(train, validation, FitConfig(extractor=extractor.spec, target_fpr=0.01), extractor, silent)
    usual = fit(train, validation, FitConfig(extractor=extractor.spec), extractor, silent)
    rows = make_rows(extractor, 600, 12, flip=0.15)
    called = strict.probabilities(strict.scores(rows.X)) >= strict.threshold
    assert strict.threshold > usual.threshold
    assert called[rows.y == 0].mean() < 0.05


def test_too_little_to_fit_on_says_what_would_be_right() -> None:
    with pytest.raises(OneClass, match="no FAKE"):
        check_trainable(np.zeros(50, dtype=np.int8))
    with pytest.raises(TooFewImages, match="9 REAL"):
        check_trainable(np.r_[np.zeros(9), np.ones(50)].astype(np.int8))
    check_trainable(np.r_[np.zeros(10), np.ones(10)].astype(np.int8))


def test_progress_may_cancel_a_fit(extractor: Extractor) -> None:
    def stop(_stage: str, _done: int, _total: int) -> None:
        raise Cancelled("told to stop")

    rows = make_rows(extractor, 60, 13)
    with pytest.raises(Cancelled):
        fit(rows, rows, FitConfig(extractor=extractor.spec), extractor, stop)


def test_a_config_survives_json_and_refuses_what_it_does_not_know() -> None:
    config = FitConfig(head=HeadConfig("svm", C=0.5), seed=3, target_fpr=0.01, name="x")
    assert FitConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    with pytest.raises(ConfigError, match="colour"):
        FitConfig.from_json({"colour": "red"})
    with pytest.raises(ConfigError, match="colour"):
        FitConfig.from_json({"head": {"colour": "red"}})
    with pytest.raises(ConfigError, match="test_fraction"):
        FitConfig(test_fraction=0.9)
    for rate in (0.0, 0.00009, 0.51, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="target_fpr"):
            FitConfig(target_fpr=rate)
    assert [FitConfig(target_fpr=rate).target_fpr for rate in (0.0001, 0.5)] == [0.0001, 0.5]
