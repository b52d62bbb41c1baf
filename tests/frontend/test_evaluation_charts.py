"""Charts of an evaluation: what they draw is what the card says, and no line is told apart by colour alone."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from frontend.charts import CLASSES
from frontend.charts.evaluation import by_class, c_search, losses, name_series, reliability, roc
from tests.running import RunningService


@pytest.fixture(scope="module")
def card(fitted: RunningService) -> dict[str, Any]:
    """The card of the model "fitted", with its curves."""
    models = requests.get(f"{fitted.url}/models?q=fitted", timeout=30).json()["items"]
    found: dict[str, Any] = requests.get(f"{fitted.url}/models/{models[0]['id']}", timeout=30).json()
    return found


def values(chart: Any, layer: int) -> list[dict[str, Any]]:
    """The rows that a layer draws."""
    specification = chart.to_dict()
    data = specification["layer"][layer].get("data") or specification["data"]  # data of all layers stand above them
    found: list[dict[str, Any]] = data["values"]
    return found


def test_the_roc_curve_is_the_cards_in_percent(card: dict[str, Any]) -> None:
    test = card["metrics"]["test"]
    drawn = values(roc([card]), 1)
    assert [row["x"] for row in drawn] == pytest.approx([100 * x for x in test["roc"]["fpr"]])
    assert [row["y"] for row in drawn] == pytest.approx([100 * y for y in test["roc"]["tpr"]])


def test_a_dot_shows_where_the_threshold_lies(card: dict[str, Any]) -> None:
    test = card["metrics"]["test"]
    [dot] = values(roc([card]), 2)
    assert (dot["x"], dot["y"]) == pytest.approx((100 * test["fpr"], 100 * test["recall"]))


def test_the_corner_shows_the_first_ten_percent_of_false_alarms(card: dict[str, Any]) -> None:
    across = roc([card], corner=True).to_dict()["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert across == [0, 10]
    assert roc([card]).to_dict()["layer"][1]["encoding"]["x"]["scale"]["domain"] == [0, 100]


def test_several_models_differ_in_dash_and_shape_as_well_as_colour(card: dict[str, Any]) -> None:
    chart = roc([card, {**card, "id": "other-12345678"}]).to_dict()
    line, dot = chart["layer"][1]["encoding"], chart["layer"][2]["encoding"]
    for channel in (line["color"], line["strokeDash"], dot["shape"]):
        first, second = channel["scale"]["range"]
        assert first != second
    assert line["color"]["scale"]["domain"] == name_series([card, {**card, "id": "other-12345678"}])


def test_models_of_one_name_are_told_apart_by_their_ids() -> None:
    names = name_series(
        [{"name": "a", "id": "a-11111111"}, {"name": "a", "id": "a-22222222"}, {"name": "b", "id": "b"}]
    )
    assert names == ["a (11111111)", "a (22222222)", "b"]


def test_empty_bins_are_not_drawn(card: dict[str, Any]) -> None:
    bins = [one for one in card["metrics"]["test"]["reliability"]["bins"] if one["count"]]
    drawn = values(reliability([card]), 2)
    assert [row["count"] for row in drawn] == [one["count"] for one in bins]
    assert [row["y"] for row in drawn] == pytest.approx([100 * one["fraction_fake"] for one in bins])


def test_losses_without_validation_images_are_one_line() -> None:
    history = [{"epoch": i, "train_loss": 1 / i, "validation_loss": None} for i in (1, 2, 3)]
    assert [row["loss"] for row in values(losses(history), 0)] == [1, 0.5, 1 / 3]


def test_losses_of_both_parts_are_drawn() -> None:
    history = [{"epoch": i, "train_loss": 1 / i, "validation_loss": 2 / i} for i in (1, 2)]
    assert {row["split"] for row in values(losses(history), 0)} == {"Training", "Validation"}


def test_the_chosen_c_is_marked_on_a_logarithmic_axis() -> None:
    chart = c_search({"0.0001": 0.3, "0.01": 0.1, "1": 0.2}, 0.01)
    assert [row["C"] for row in values(chart, 0) if row["chosen"]] == [0.01]
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"


def test_kinds_of_pictures_show_both_classes_the_worst_first() -> None:
    groups = {
        "cat": {"n": 10, "accuracy": 0.9, "recall": 0.8, "fpr": 0.1},
        "dog": {"n": 10, "accuracy": 0.7, "recall": None, "fpr": 0.3},
    }
    chart = by_class(groups).to_dict()
    rows = chart["data"]["values"]
    assert {(row["kind"], row["label"], round(row["right"])) for row in rows} == {
        ("cat", "REAL", 90),
        ("cat", "FAKE", 80),
        ("dog", "REAL", 70),
    }
    assert chart["encoding"]["y"]["sort"] == ["dog", "cat"]
    assert chart["encoding"]["shape"]["scale"]["domain"] == list(CLASSES)
