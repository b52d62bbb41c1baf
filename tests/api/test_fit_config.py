"""The flat configuration of a request against the core's record."""

from __future__ import annotations

from typing import Any

import pytest

from backend.api.schemas.fit import FitConfigIn
from backend.core.config import FitConfig
from backend.core.errors import ConfigError
from backend.core.extractors import DEFAULT_SPEC, check_spec


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


@pytest.mark.parametrize("field", [{"backbone": "resnet18"}, {"stages": "all"}, {"input_size": 64}, {"pooling": "std"}])
def test_a_network_field_without_a_network_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(field))):
        spec_of(extractor="spectrum", **field)
