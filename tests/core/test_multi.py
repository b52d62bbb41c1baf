"""The head with a specialist for each generator."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from backend.core.errors import ConfigError, IntegrityError
from backend.core.heads import HeadConfig, fit_head, load_head
from backend.core.heads.export import head_onnx
from backend.core.heads.multi import MultiHead
from backend.core.heads.specialists import Whitening, shrunk_means, unseen_scores
from backend.core.metrics import auroc

WIDTH = 60
CONFIG = HeadConfig("multi", C=0.01)


def draw(count: int, shift: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
    """Correlated features whose mean is moved by `shift`."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(WIDTH, WIDTH)) * 0.4 + np.eye(WIDTH)
    return ((random.normal(size=(count, WIDTH)) + shift) @ mixing + 5).astype(np.float32)


def along(place: int, size: float) -> NDArray[np.float64]:
    shift = np.zeros(WIDTH)
    shift[place] = size
    return shift


def data(few: int = 50) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.str_]]:
    """2,000 REAL, 2,000 of a well-known generator, a few of two others."""
    parts = [
        (draw(2000, along(0, 0.0), 1), ""),
        (draw(2000, along(1, 4.0), 2), "known"),
        (draw(few, along(2, 3.0), 3), "alpha"),
        (draw(few, along(3, 3.0), 4), "beta"),
    ]
    X = np.concatenate([rows for rows, _ in parts])
    names = np.concatenate([np.full(len(rows), name) for rows, name in parts])
    return X, (names != "").astype(np.int8), names


def test_a_specialist_finds_what_one_line_for_all_misses_and_keeps_the_rest() -> None:
    X, y, names = data()
    multi, line = fit_head(X, y, CONFIG, generators=names), fit_head(X, y, CONFIG)
    real, known, alpha = draw(2000, along(0, 0.0), 11), draw(2000, along(1, 4.0), 12), draw(500, along(2, 3.0), 13)

    def ranks(head: object, fake: NDArray[np.float32]) -> float:
        assert isinstance(head, MultiHead)
        labels = np.concatenate([np.zeros(len(real)), np.ones(len(fake))]).astype(np.int8)
        return float(auroc(labels, head.scores(np.concatenate([real, fake]))) or 0.0)

    assert ranks(multi, alpha) > 0.9
    assert ranks(multi, alpha) > ranks(line, alpha) + 0.05
    assert ranks(multi, known) > ranks(line, known) - 0.01
    assert isinstance(multi, MultiHead)
    assert multi.chosen["specialists"] == ["all", "alpha", "beta"]
    loudest = multi.terms(alpha)[:, 1:].argmax(axis=1)
    assert (loudest == 0).mean() > 0.9


def test_scores_lie_between_the_largest_term_and_that_of_equals() -> None:
    X, y, names = data()
    head = fit_head(X, y, CONFIG, generators=names)
    assert isinstance(head, MultiHead)
    excess = head.scores(X) - head.terms(X).max(axis=1)
    assert (excess >= 0).all()
    assert (excess <= np.log(3) + 1e-9).all()


def test_data_that_name_no_generator_or_one_give_one_line() -> None:
    X, y, _ = data()
    for given in (None, np.where(y == 1, "known", "")):
        head = fit_head(X, y, CONFIG, generators=given)
        assert isinstance(head, MultiHead)
        assert head.chosen["specialists"] == ["all"]
        np.testing.assert_allclose(head.scores(X), fit_head(X, y, HeadConfig("logreg", C=0.01)).scores(X), rtol=1e-5)


def test_a_generator_with_three_images_gets_no_specialist() -> None:
    X, y, names = data(few=3)
    assert fit_head(X, y, CONFIG, generators=names).chosen["specialists"] == ["all"]


def test_the_graph_and_the_stored_arrays_score_the_same() -> None:
    X, y, names = data()
    head = fit_head(X, y, CONFIG, generators=names)
    np.testing.assert_array_equal(load_head("multi", head.arrays()).scores(X), head.scores(X))
    nodes, initializers = head_onnx(head, "features", "score")
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", WIDTH])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"])
    graph = helper.make_graph(nodes, "head", [given], [score], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"features": X})[0], head.scores(X), rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("change", [{"intercepts": np.zeros(2)}, {"weights": np.zeros(9)}, {"intercepts": np.zeros(0)}])
def test_arrays_of_other_specialists_are_refused(change: dict[str, NDArray[np.float64]]) -> None:
    arrays = {"weights": np.zeros((9, 3)), "intercepts": np.zeros(3)}
    assert load_head("multi", arrays).scores(np.zeros((4, 9), np.float32)).shape == (4,)
    with pytest.raises(IntegrityError):
        load_head("multi", {**arrays, **change})


def test_means_borrow_from_each_other_what_they_share() -> None:
    random = np.random.default_rng(5)
    shared = np.zeros(400)
    shared[:40] = 0.35
    samples = [random.normal(size=(20, 400)) + shared for _ in range(6)]
    plain = np.stack([sample.mean(axis=0) for sample in samples])
    shrunk = shrunk_means(samples, np.zeros((0, 400)))
    assert np.square(shrunk - shared).sum() < 0.5 * np.square(plain - shared).sum()


def test_unseen_scores_do_not_flatter_a_direction_of_pure_noise() -> None:
    random = np.random.default_rng(6)
    samples = [random.normal(size=(30, 300)) for _ in range(2)]
    for unseen in unseen_scores(samples, np.zeros((0, 300)), 0):
        assert abs(unseen.mean()) < 0.6
    for sample, direction in zip(samples, shrunk_means(samples, np.zeros((0, 300))), strict=True):
        assert (sample @ direction / np.linalg.norm(direction)).mean() > 0.8


def test_too_many_features_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="multi"):
        Whitening.of(np.zeros((2, 9000), np.float32))
