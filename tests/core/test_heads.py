"""Every head of the table, and what one body can say of all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from backend.core.errors import Cancelled, ConfigError, IntegrityError, UnknownHead
from backend.core.heads import HEADS, FittedHead, HeadConfig, fit_head, load_head
from backend.core.heads.choose import GRID, SAMPLE_ROWS, _sample, choose_c
from backend.core.heads.export import head_onnx
from backend.core.heads.mlp import MlpHead
from backend.core.heads.primal import PrimalLinear

X_ALL = np.random.default_rng(0).normal(3.0, 2.0, (500, 12)).astype(np.float32)
X_ALL[:, 11] = 4.0  # a constant column
Y_ALL = ((X_ALL[:, 0] - X_ALL[:, 1] + np.random.default_rng(1).normal(0, 1, 500)) > 0).astype(np.int8)
SMALL: dict[str, Any] = {
    "C": 0.1,
    "components": 60,
    "epochs": 8,
    "hidden": [32, 8],
    "learning_rate": 0.02,
    "ensemble": 2,
}


@pytest.fixture(scope="module", params=sorted(HEADS))
def head(request: pytest.FixtureRequest) -> FittedHead:
    return fit_head(X_ALL, Y_ALL, HeadConfig(name=request.param, **SMALL), validation=(X_ALL[:90], Y_ALL[:90]))


def test_scores_are_finite_numbers_that_rise_towards_fake(head: FittedHead) -> None:
    scores = head.scores(X_ALL)
    assert scores.shape == (500,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert ((scores > 0) == Y_ALL).mean() > 0.8


@pytest.mark.parametrize("name", [name for name, row in HEADS.items() if "C" in row.options])
def test_a_c_that_was_asked_for_is_the_one_that_is_used(name: str) -> None:
    assert fit_head(X_ALL, Y_ALL, HeadConfig(name=name, **SMALL)).chosen["C"] == 0.1


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
    expected = {"choose C", "fit head"} if "C" in HEADS[name].options else {"fit head"}
    assert expected <= {stage for stage, _ in seen}

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


@pytest.mark.parametrize("name", [name for name, row in HEADS.items() if "epochs" in row.options])
def test_heads_trained_in_epochs_tell_the_losses_of_every_epoch(name: str) -> None:
    config = HeadConfig(name=name, C=1.0, epochs=6)
    history = fit_head(X_ALL, Y_ALL, config, validation=(X_ALL[:90], Y_ALL[:90])).history
    assert [record["epoch"] for record in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert {"train_accuracy", "validation_loss", "validation_accuracy"} <= set(history[0])


def test_a_kernel_bends_where_a_line_cannot() -> None:
    X = np.random.default_rng(3).normal(size=(600, 4)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int8)
    accuracy = {}
    for name in ("svm", "svm_rbf", "mlp"):
        config = HeadConfig(name=name, C=1.0, components=200)
        accuracy[name] = ((fit_head(X[:400], y[:400], config).scores(X[400:]) > 0) == y[400:]).mean()
    assert accuracy["svm_rbf"] > 0.85 > accuracy["svm"]
    assert accuracy["mlp"] > 0.85


def test_an_ensemble_is_the_average_of_its_networks() -> None:
    config = HeadConfig(name="mlp", **SMALL)
    both, first = fit_head(X_ALL, Y_ALL, config), fit_head(X_ALL, Y_ALL, replace(config, ensemble=1))
    assert isinstance(both, MlpHead)
    assert isinstance(first, MlpHead)
    second = replace(both, networks=both.networks[1:])
    average = (first.scores(X_ALL) + second.scores(X_ALL)) / 2
    np.testing.assert_allclose(both.scores(X_ALL), average)
    assert np.abs(first.scores(X_ALL) - second.scores(X_ALL)).max() > 0.01


def test_the_history_of_an_ensemble_ends_with_what_the_head_scores() -> None:
    head = fit_head(X_ALL, Y_ALL, HeadConfig(name="mlp", **SMALL), validation=(X_ALL[:90], Y_ALL[:90]))
    correct = (head.scores(X_ALL) > 0) == Y_ALL
    assert head.history[-1]["train_accuracy"] == pytest.approx(correct.mean())
    assert head.history[-1]["validation_accuracy"] == pytest.approx(correct[:90].mean())


@pytest.mark.parametrize("rows", [20, 57])
def test_a_small_network_learns_from_a_handful_of_rows(rows: int) -> None:
    head = fit_head(X_ALL[:rows], Y_ALL[:rows], HeadConfig(name="mlp"))
    assert ((head.scores(X_ALL) > 0) == Y_ALL).mean() > 0.65


def test_a_fit_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    fit_head(X_ALL, Y_ALL, HeadConfig(name="mlp", hidden=[4], epochs=1))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "change",
    [
        {"weights.0.1": np.zeros((15, 8))},
        {"offsets.0.0": np.zeros(15)},
        {"weights.0.2": np.zeros((8, 2)), "offsets.0.2": np.zeros(2)},
        {"weights.0.0": np.full((12, 16), np.nan)},
        {"weights.5.0": np.zeros((12, 1))},
        {"scale": np.zeros(12)},
        {"mean": np.zeros(11)},
        {"stranger": np.zeros(1)},
    ],
)
def test_arrays_that_make_no_network_are_refused(change: dict[str, NDArray[np.float64]]) -> None:
    networks = tuple(
        tuple((np.ones(shape, np.float32), np.ones(shape[1], np.float32)) for shape in ((12, 16), (16, 8), (8, 1)))
        for _ in range(2)
    )
    arrays = MlpHead(np.zeros(12, np.float32), np.ones(12, np.float32), networks).arrays()
    assert load_head("mlp", arrays).scores(X_ALL).shape == (500,)
    with pytest.raises(IntegrityError):
        load_head("mlp", arrays | change)
    for name in arrays:
        with pytest.raises(IntegrityError):
            load_head("mlp", {key: array for key, array in arrays.items() if key != name})


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
    wrong: tuple[dict[str, Any], ...] = (
        {"C": 0.0},
        {"C": float("nan")},
        {"class_weight": "even"},
        {"epochs": 0},
        {"components": 1},
        {"gamma": 0.0},
        {"hidden": []},
        {"hidden": [8] * 5},
        {"hidden": [8, 3]},
        {"hidden": [5000]},
        {"hidden": [8.5]},
        {"hidden": "512"},
        {"dropout": 0.95},
        {"mixup": -0.1},
        {"learning_rate": 0.0},
        {"weight_decay": -1.0},
        {"ensemble": 0},
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
        assert row.activation == ("identity" if name.startswith("svm") else "sigmoid")
        assert row.loss == ("hinge" if name.startswith("svm") else "log_loss")
        assert set(row.options) <= fields


def test_a_head_that_was_fitted_with_torch_scores_without_it(tmp_path: Path) -> None:
    head = fit_head(X_ALL, Y_ALL, HeadConfig(name="mlp", **SMALL))
    np.savez(tmp_path / "arrays.npz", **head.arrays())
    script = (
        "import sys, numpy; from backend.core.heads import load_head\n"
        "head = load_head('mlp', dict(numpy.load(sys.argv[1])))\n"
        "print(head.scores(numpy.ones((1, 12), numpy.float32))[0], 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "arrays.npz"], capture_output=True, text=True, check=True
    )
    score, imported = done.stdout.split()
    assert float(score) == pytest.approx(head.scores(np.ones((1, 12), np.float32))[0], abs=1e-5)
    assert imported == "False"
