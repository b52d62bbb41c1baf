"""The flat configuration of a request against the core's record."""

from __future__ import annotations

from typing import Any

import pytest

from backend.api.schemas.fit import FitConfigIn
from backend.cli.fit import finetune_settings
from backend.core.config import FitConfig
from backend.core.errors import ConfigError
from backend.core.extractors import DEFAULT_SPEC, check_spec
from backend.core.finetune import FinetuneConfig


def spec_of(**values: Any) -> dict[str, Any]:
    return FitConfigIn(**values).to_config().extractor


def test_defaults_are_the_cores() -> None:
    config = FitConfigIn().to_config()
    assert config.extractor == check_spec(DEFAULT_SPEC)
    assert config == FitConfig(extractor=config.extractor)


def test_every_value_arrives() -> None:
    values = {
        "head": "svm_rbf",
        "C": 0.5,
        "class_weight": "balanced",
        "epochs": 3,
        "components": 100,
        "gamma": 2.0,
        "hidden": [64, 16],
        "dropout": 0.1,
        "mixup": 0.0,
        "learning_rate": 0.01,
        "weight_decay": 0.1,
        "ensemble": 2,
        "validation_fraction": 0.2,
        "test_fraction": 0.3,
        "target_fpr": 0.01,
        "evaluate_test": False,
        "seed": 7,
        "name": " a name ",
        "notes": "notes",
    }
    config = FitConfigIn(**values).to_config()
    flat = {**config.to_json(), **config.to_json()["head"], "head": config.head.name, "name": config.name}
    assert {key: flat[key] for key in values} == {**values, "name": "a name"}
    assert config.head.seed == 7
    assert FitConfig.from_json(config.to_json()) == config


def test_the_networks_fields_go_to_the_network() -> None:
    spec = spec_of(backbone="tf_efficientnet_lite1", stages="last", input_size=96, pooling="mean")
    assert spec == {
        "name": "cnn",
        "backbone": "tf_efficientnet_lite1",
        "stages": "last",
        "input_size": 96,
        "pooling": ["mean"],
    }
    first, second = spec_of(extractor=["npr", {"name": "cnn", "input_size": 32}], input_size=96, stages=["stem"])[
        "parts"
    ]
    assert first == check_spec({"name": "npr"})
    assert (second["input_size"], second["stages"]) == (32, ["stem"])  # what the part says itself goes first


def test_flips_stand_in_a_spec_only_where_they_are_asked_for() -> None:
    assert spec_of(flips=True) == {**check_spec(DEFAULT_SPEC), "flips": True}
    assert spec_of(flips=False) == spec_of() == check_spec(DEFAULT_SPEC)


@pytest.mark.parametrize("field", [{"backbone": "resnet18"}, {"stages": "all"}, {"input_size": 64}, {"pooling": "std"}])
def test_a_network_field_without_a_network_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(field))):
        spec_of(extractor="spectrum", **field)


def test_fine_tuning_is_asked_for_by_true_or_by_what_differs() -> None:
    assert FitConfigIn().to_config().finetune is None
    assert FitConfigIn(finetune=False).to_config().finetune is None
    assert FitConfigIn(finetune=True).to_config().finetune == FinetuneConfig()
    given = FitConfigIn.model_validate({"finetune": {"epochs": 3, "train": ["stem"]}})
    assert given.to_config().finetune == FinetuneConfig(epochs=3, train=["stem"])
    with pytest.raises(ConfigError, match="setting of the extractor cnn"):
        FitConfigIn(extractor="npr", finetune=True).to_config()


def test_the_command_line_asks_for_fine_tuning_by_any_of_its_settings() -> None:
    assert finetune_settings(None, None, None, {"epochs": None}) is None
    assert finetune_settings(True, None, None, {"epochs": None}) is True
    assert finetune_settings(None, {"ema": 0.5}, '{"dropout": 0}', {"epochs": 3}) == {
        "ema": 0.5,
        "dropout": 0,
        "epochs": 3,
    }
    assert finetune_settings(False, {"ema": 0.5}, None, {}) is None
    with pytest.raises(ConfigError):
        finetune_settings(None, None, "[1", {})
