"""Choices of labels: what can be chosen, what is collected, and which fit follows."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from backend.api.schemas.fit import FitConfigIn
from backend.core.config import FitConfig
from backend.core.extractors import concatenation
from backend.core.heads import HeadConfig
from frontend.models.relabelling import DROP, KEEP, Changes, choices_for, next_name, refit_config
from tests.running import RunningService


def test_choices_are_collected_and_taken_back() -> None:
    changes = Changes("d", 1).choose(5, "REAL").choose(7, DROP).choose(5, "FAKE")
    assert changes.labels == {5: "FAKE", 7: "DROP"}
    assert changes.choose(7, KEEP).labels == {5: "FAKE"}
    assert changes.choose(9, KEEP) == changes


def test_a_choice_does_not_change_what_was_chosen_before() -> None:
    first = Changes("d", 1).choose(5, "REAL")
    first.choose(6, "FAKE")
    assert first.labels == {5: "REAL"}


def test_choices_move_on_to_another_version() -> None:
    moved = Changes("d", 1).choose(5, "REAL").at(3)
    assert (moved.version, moved.labels) == (3, {5: "REAL"})


def test_an_image_cannot_become_what_it_is() -> None:
    assert choices_for("REAL", moved=False) == [KEEP, "FAKE", DROP]
    assert choices_for("FAKE", moved=False) == [KEEP, "REAL", DROP]


def test_after_another_version_any_label_can_be_chosen() -> None:
    assert choices_for("REAL", moved=True) == [KEEP, "REAL", "FAKE", DROP]


@pytest.mark.parametrize(
    "config",
    [
        FitConfig(),
        FitConfig(extractor={"name": "spectrum", "rings": 8, "sectors": 4}, head=HeadConfig(name="svm", C=0.5)),
        FitConfig(head=HeadConfig("mlp", hidden=[64], mixup=0.0, learning_rate=0.01, weight_decay=0.2, ensemble=2)),
        FitConfig(extractor=concatenation([{"name": "spectrum"}, {"name": "residual"}])),
        FitConfig(
            head=HeadConfig(name="logreg_sgd", class_weight="balanced", epochs=3, components=50, gamma=2.0, seed=7),
            validation_fraction=0.2,
            test_fraction=0.3,
            target_fpr=0.01,
            evaluate_test=False,
            seed=7,
            notes="so",
        ),
    ],
)
def test_a_refit_is_the_same_fit_under_another_name(config: FitConfig) -> None:
    stored: dict[str, Any] = config.to_json()
    again = FitConfigIn.model_validate(refit_config(stored, "again")).to_config().to_json()
    asked = FitConfigIn.model_validate(refit_config(again, "again")).to_config().to_json()
    assert asked == again
    assert again | {"extractor": 0} == stored | {"name": "again", "extractor": 0}
    assert again["extractor"].items() >= {"name": stored["extractor"]["name"]}.items()


def test_the_card_of_a_real_model_can_be_fitted_again(fitted: RunningService) -> None:
    card = next(c for c in requests.get(f"{fitted.url}/models", timeout=30).json()["items"] if c["name"] == "fitted")
    asked = FitConfigIn.model_validate(refit_config(card["config"], "x")).to_config().to_json()
    assert asked == card["config"] | {"name": "x"}


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("cats", 2, "cats · v2"),
        ("cats · v2", 3, "cats · v3"),
        ("cats · vivid", 2, "cats · vivid · v2"),
        ("x" * 100, 12, "x" * 94 + " · v12"),
    ],
)
def test_the_new_models_name_has_the_version_once(name: str, version: int, expected: str) -> None:
    assert next_name(name, version) == expected
