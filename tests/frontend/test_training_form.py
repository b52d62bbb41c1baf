"""What was chosen becomes the service's JSON and comes back from it; what cannot work is known before it starts."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from frontend.training.form import (
    Obstacle,
    build_config,
    extractors_of,
    format_widths,
    head_settings,
    obstacle_in_choices,
    obstacle_in_data,
    parse_stages,
    parse_widths,
    powers_with,
    read_config,
)
from frontend.training.setting_words import describe_config
from tests.running import RunningService

Json = dict[str, Any]


@pytest.fixture(scope="module")
def options(running: RunningService) -> Json:
    """What the real service offers."""
    answer: Json = requests.get(f"{running.url}/options", timeout=30).json()
    return answer


def defaults(options: Json, *extractors: str) -> Json:
    """The form as it stands when it is opened, with these extractors."""
    chosen: Json = {**options["defaults"], "extractors": list(extractors) or ["cnn"]}
    for extractor in extractors_of(options):
        chosen |= {f"{extractor['name']}.{option['name']}": option["default"] for option in extractor["options"]}
    return chosen


def test_an_untouched_form_asks_for_the_services_defaults(options: Json) -> None:
    assert build_config(options, defaults(options)) == {}


def test_only_what_differs_from_the_default_is_sent(options: Json) -> None:
    chosen = defaults(options) | {"cnn.input_size": 96, "head": "svm", "C": 0.1, "name": "mine", "test_fraction": 0.3}
    assert build_config(options, chosen) == {
        "extractor": {"name": "cnn", "input_size": 96},
        "head": "svm",
        "C": 0.1,
        "name": "mine",
        "test_fraction": 0.3,
    }


def test_settings_of_another_head_or_extractor_are_not_sent(options: Json) -> None:
    chosen = defaults(options, "spectrum") | {"epochs": 3, "gamma": 2.0, "cnn.input_size": 96}
    assert build_config(options, chosen) == {"extractor": "spectrum"}
    assert build_config(options, chosen | {"head": "logreg_sgd"})["epochs"] == 3


def test_several_extractors_come_in_one_order_however_they_were_clicked(options: Json) -> None:
    asked = [build_config(options, defaults(options, *names)) for names in (("npr", "cnn"), ("cnn", "npr"))]
    assert asked[0] == asked[1] == {"extractor": ["cnn", "npr"]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"extractors": ["spectrum"], "spectrum.rings": 12, "head": "svm_rbf", "components": 50, "gamma": 1.5},
        {"extractors": ["cnn", "residual"], "cnn.stages": ["stem", "block3"], "cnn.pooling": ["mean"]},
        {"head": "svm_sgd", "C": 0.01, "class_weight": "balanced", "epochs": 4, "target_fpr": 0.01, "seed": 7},
        {"cnn.backbone": "tf_efficientnet_lite1", "cnn.input_size": 128, "evaluate_test": False, "notes": "a\nb"},
        {"cnn.flips": True, "head": "mlp", "hidden": [64, 32], "dropout": 0.5, "learning_rate": 0.002, "ensemble": 3},
    ],
)
def test_the_service_takes_it_and_its_job_gives_it_back(
    options: Json, fitted: RunningService, changes: dict[str, Any]
) -> None:
    chosen = defaults(options) | changes
    body = {"dataset_id": "fitted", "config": build_config(options, chosen)}
    job = requests.post(f"{fitted.url}/fit", json=body, timeout=60)
    assert job.status_code == 202, job.text
    requests.delete(f"{fitted.url}/jobs/{job.json()['id']}", timeout=60)
    back = read_config(options, job.json()["params"]["config"])
    assert back == {name: chosen[name] for name in back}
    assert set(head_settings(options, chosen["head"])) <= set(back)
    words = describe_config(options, job.json()["params"]["config"])
    assert all(name and value for name, value in words)


def test_widths_are_read_from_a_typed_list() -> None:
    assert parse_widths(" 512, 128 ,") == [512, 128]
    assert parse_widths("512, many, -3") == [512, 0, 0]
    assert parse_widths(format_widths([64, 8])) == [64, 8]


def test_stages_are_read_from_a_typed_list() -> None:
    assert parse_stages(" stem, block3:mean ,, ") == ["stem", "block3:mean"]


def test_a_c_that_is_no_power_of_ten_is_offered_too() -> None:
    offered = powers_with(0.05)
    assert offered.index(0.05) == offered.index(0.01) + 1
    assert powers_with(1.0).count(1.0) == 1


def test_an_empty_choice_stands_in_the_way(options: Json) -> None:
    assert obstacle_in_choices(defaults(options)) is None
    assert obstacle_in_choices(defaults(options) | {"extractors": []}) == Obstacle("train.obstacle.no_extractor")
    empty = obstacle_in_choices(defaults(options) | {"cnn.backbone": ""})
    assert empty == Obstacle("train.obstacle.empty", {"setting": "backbone"})
    assert obstacle_in_choices(defaults(options, "spectrum") | {"cnn.backbone": ""}) is None


@pytest.mark.parametrize(
    ("counts", "key"),
    [
        ({"": {"REAL": 10, "FAKE": 10}}, None),
        ({"": {"REAL": 10, "FAKE": 0}}, "train.obstacle.one_class"),
        ({"train": {"REAL": 9, "FAKE": 50}}, "train.obstacle.too_few"),
        ({"test": {"REAL": 50, "FAKE": 50}}, "train.obstacle.too_few_to_train"),
        ({"train": {"REAL": 5, "FAKE": 50}, "": {"REAL": 5, "FAKE": 0}}, None),
    ],
)
def test_a_data_set_without_enough_of_each_class_stands_in_the_way(counts: Json, key: str | None) -> None:
    obstacle = obstacle_in_data({"counts": counts}, 10)
    assert (obstacle and obstacle.key) == key


def test_fine_tuning_is_asked_for_where_the_network_is_read_alone(options: Json) -> None:
    on = {**defaults(options), "finetune": True}
    assert build_config(options, on) == {"finetune": True}
    few = {**on, "finetune.epochs": 3, "finetune.train": ["block2"]}
    assert build_config(options, few) == {"finetune": {"epochs": 3, "train": ["block2"]}}
    assert "finetune" not in build_config(options, {**few, "extractors": ["cnn", "npr"]})
    config = {"extractor": {"name": "cnn"}, "head": {"name": "logreg"}, "finetune": {"epochs": 3}}
    chosen = read_config(options, config)
    assert (chosen["finetune"], chosen["finetune.epochs"], chosen["finetune.train"]) == (True, 3, "all")


def test_networks_are_offered_where_there_are_some(options: Json) -> None:
    assert "finetuned" not in [row["name"] for row in extractors_of({**options, "networks": []})]
    some = {**options, "networks": [{"name": "0" * 64, "help": "mine"}]}
    assert "finetuned" in [row["name"] for row in extractors_of(some)]


def test_fingerprints_are_offered_where_there_are_some_and_shown_by_their_generators(options: Json) -> None:
    assert "fingerprint" not in [row["name"] for row in extractors_of({**options, "fingerprints": []})]
    some = {**options, "fingerprints": [{"name": "0" * 64, "help": "began (gaussian)"}]}
    chosen = defaults(some, "fingerprint") | {"fingerprint.fingerprints": ["0" * 64, "1" * 64]}
    config = build_config(some, chosen)
    assert config == {"extractor": {"name": "fingerprint", "fingerprints": ["0" * 64, "1" * 64]}}
    told = describe_config(some, {"extractor": config["extractor"], "head": {"name": "logreg"}})
    assert "began (gaussian), 1111111111111111…" in dict(told).values()
