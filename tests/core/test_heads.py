"""Every head of the table, and what one body can say of all of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from backend.core.errors import Cancelled, ConfigError, IntegrityError, UnknownHead
from backend.core.heads import HEADS, FittedHead, HeadConfig, fit_head, load_head
from backend.core.heads.choose import GRID, SAMPLE_ROWS, _sample, choose_c
from backend.core.heads.export import head_onnx
from backend.core.heads.primal import PrimalLinear

X_ALL = np.random.default_rng(0).normal(3.0, 2.0, (500, 12)).astype(np.float32)
X_ALL[:, 11] = 4.0  # a constant column
Y_ALL = ((X_ALL[:, 0] - X_ALL[:, 1] + np.random.default_rng(1).normal(0, 1, 500)) > 0).astype(np.int8)
SMALL = {"C": 0.1, "components": 60, "epochs": 8}


@pytest.fixture(scope="module", params=sorted(HEADS))
def head(request: pytest.FixtureRequest) -> FittedHead:
    return fit_head(X_ALL, Y_ALL, HeadConfig(name=request.param, **SMALL), validation=(X_ALL[:90], Y_ALL[:90]))


def test_scores_are_finite_numbers_that_rise_towards_fake(head: FittedHead) -> None:
    scores = head.scores(X_ALL)
    assert scores.shape == (500,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert ((scores > 0) == Y_ALL).mean() > 0.8
    assert head.chosen["C"] == 0.1


def test_a_batch_scores_as_its_rows_one_by_one(head: FittedHead) -> None:
    alone = np.concatenate([head.scores(X_ALL[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(head.scores(X_ALL[:20]), alone, rtol=1e-3, atol=1e-3)


def test_arrays_restore_the_same_scores(head: FittedHead) -> None:
    restored = load_head(head.kind, head.arrays())
    np.testing.assert_array_equal(restored.scores(X_ALL), head.scores(X_ALL))
    json.dumps([head.chosen, head.history], allow_nan=False)


def test_onnx_nodes_compute_the_same_scores(head: FittedHead) -> None:
    nodes, initializers = head_onnx(head, "features", "score")
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 12])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    actual = session.run(None, {"features": X_ALL})[0]
    np.testing.assert_allclose(actual, head.scores(X_ALL), rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("name", sorted(HEADS))
def test_a_fit_repeats_and_leaves_its_rows_alone(name: str) -> None:
    X = X_ALL.copy()
    config = HeadConfig(name=name, **SMALL)
    first, second = fit_head(X, Y_ALL, config), fit_head(X, Y_ALL, config)
    np.testing.assert_array_equal(first.scores(X), second.scores(X))
    np.testing.assert_array_equal(X, X_ALL)


@pytest.mark.parametrize("name", sorted(HEADS))
def test_balanced_weights_find_the_rare_class(name: str) -> None:
    rows = np.flatnonzero((Y_ALL == 0) | (np.arange(500) % 10 == 0))
    found = {}
    for weight in (None, "balanced"):
        config = HeadConfig(name=name, class_weight=weight, **SMALL)
        found[weight] = int((fit_head(X_ALL[rows], Y_ALL[rows], config).scores(X_ALL) > 0).sum())
    assert found["balanced"] > found[None]


@pytest.mark.parametrize("name", sorted(HEADS))
def test_progress_stays_within_0_and_1_and_may_cancel(name: str) -> None:
    seen: list[tuple[str, float]] = []
    config = HeadConfig(name=name, components=40, epochs=2)
    fit_head(X_ALL, Y_ALL, config, progress=lambda stage, share: seen.append((stage, share)))
    assert all(0 <= share <= 1 for _, share in seen)
    assert {"choose C", "fit head"} <= {stage for stage, _ in seen}

    def stop(_stage: str, _share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit_head(X_ALL, Y_ALL, config, progress=stop)


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_logreg_reaches_scikit_learns_optimum(C: float) -> None:
    ours = PrimalLinear("log_loss", C, tol=1e-12).fit(X_ALL, Y_ALL)
    Z = StandardScaler().fit_transform(X_ALL.astype(np.float64))
    theirs = LogisticRegression(C=C, tol=1e-10, max_iter=1000).fit(Z, Y_ALL)
    np.testing.assert_allclose(ours.decision_function(X_ALL), theirs.decision_function(Z), atol=5e-3)


def test_svm_reaches_scikit_learns_optimum() -> None:
    ours = PrimalLinear("squared_hinge", 0.1, tol=1e-12).fit(X_ALL, Y_ALL)
    Z = StandardScaler().fit_transform(X_ALL.astype(np.float64))
    theirs = LinearSVC(C=0.1, dual=False, intercept_scaling=1000, tol=1e-8, max_iter=10_000).fit(Z, Y_ALL)
    np.testing.assert_allclose(ours.decision_function(X_ALL), theirs.decision_function(Z), atol=5e-3)


@pytest.mark.parametrize("name", ["logreg_sgd", "svm_sgd"])
def test_sgd_heads_tell_the_losses_of_every_epoch(name: str) -> None:
    config = HeadConfig(name=name, C=1.0, epochs=6)
    history = fit_head(X_ALL, Y_ALL, config, validation=(X_ALL[:90], Y_ALL[:90])).history
    assert [record["epoch"] for record in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert {"train_accuracy", "validation_loss", "validation_accuracy"} <= set(history[0])


def test_a_kernel_bends_where_a_line_cannot() -> None:
    X = np.random.default_rng(3).normal(size=(600, 4)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int8)
    accuracy = {}
    for name in ("svm", "svm_rbf"):
        config = HeadConfig(name=name, C=1.0, components=200)
        accuracy[name] = ((fit_head(X[:400], y[:400], config).scores(X[400:]) > 0) == y[400:]).mean()
    assert accuracy["svm_rbf"] > 0.85 > accuracy["svm"]


def choose(X: NDArray[np.float32], y: NDArray[np.int8], groups: NDArray[np.int64]) -> tuple[float, dict[str, float]]:
    return choose_c(X, y, groups, loss="log_loss", class_weight=None, seed=0, each_fit=lambda share: None)


def test_the_choice_of_c_keeps_groups_whole() -> None:
    """Copies of noise reward memory: only folds that keep the copies together see that a weak penalty is wrong."""
    random = np.random.default_rng(4)
    X = np.repeat(random.normal(size=(60, 80)).astype(np.float32), 4, axis=0)
    y = np.repeat(random.permutation(np.arange(60) % 2), 4).astype(np.int8)
    together, losses = choose(X, y, np.repeat(np.arange(60), 4))
    apart, _ = choose(X, y, np.arange(240))
    assert together == GRID[0]
    assert apart > together
    assert set(losses) == {f"{C:g}" for C in GRID}


def test_the_choice_of_c_looks_at_a_sample_of_whole_groups() -> None:
    groups = np.repeat(np.arange(10_000), 3)
    rows = _sample(groups, seed=0)
    assert SAMPLE_ROWS - 3 <= len(rows) <= SAMPLE_ROWS
    assert (np.unique(groups[rows], return_counts=True)[1] == 3).all()


def test_a_config_is_json_and_checked() -> None:
    assert HeadConfig(**json.loads(json.dumps(asdict(HeadConfig(name="svm", C=2.0))))) == HeadConfig(name="svm", C=2.0)
    wrong = (
        {"C": 0.0},
        {"C": float("nan")},
        {"class_weight": "even"},
        {"epochs": 0},
        {"components": 1},
        {"gamma": 0.0},
    )
    for values in wrong:
        with pytest.raises(ConfigError):
            HeadConfig(**values)


def test_unknown_heads_and_foreign_arrays_are_refused() -> None:
    with pytest.raises(UnknownHead) as caught:
        fit_head(X_ALL, Y_ALL, HeadConfig(name="forest"))
    assert "svm_rbf" in caught.value.hint
    with pytest.raises(IntegrityError):
        load_head("forest", {})
    with pytest.raises(IntegrityError):
        load_head("linear", {"alpha": np.zeros(3)})


def test_every_row_of_the_table_says_what_options_show() -> None:
    fields = set(asdict(HeadConfig()))
    for name, row in HEADS.items():
        assert row.name == name
        assert row.summary.endswith(".")
        assert row.activation == ("sigmoid" if name.startswith("logreg") else "identity")
        assert row.loss == ("log_loss" if name.startswith("logreg") else "hinge")
        assert set(row.options) <= fields


def test_heads_never_import_torch() -> None:
    source = Path(__file__).parents[2] / "backend" / "core" / "heads"
    assert not [path for path in source.glob("*.py") if "torch" in path.read_text(encoding="utf-8")]
