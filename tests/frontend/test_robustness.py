"""Robustness on a model's page: measured on demand, then shown as curves and figures."""

from __future__ import annotations

import copy

import pytest
import requests

from frontend.charts.robustness import curves
from frontend.transport import Json
from tests.frontend.conftest import Open, shown
from tests.running import RunningService


@pytest.fixture(scope="module")
def result(fitted: RunningService) -> Json:
    """What was measured of the model "fitted" over its data set."""
    model_id = requests.get(f"{fitted.url}/ready", timeout=30).json()["model_id"]
    asked = {"model_id": model_id, "dataset_id": "fitted", "images": 24}
    measured = requests.post(f"{fitted.url}/robustness?wait=240", json=asked, timeout=300)
    assert measured.status_code == 200, measured.text
    found: Json = measured.json()
    return found


def test_the_curves_are_the_results_in_percent(result: Json) -> None:
    values = curves(result["rows"], "accuracy").to_dict()["data"]["values"]
    assert [row["value"] for row in values] == pytest.approx([100 * row["accuracy"] for row in result["rows"][1:]])
    assert {row["baseline"] for row in values} == {100 * result["rows"][0]["accuracy"]}
    assert all(row["low"] <= row["value"] <= row["high"] for row in values)


def test_a_corruption_without_a_figure_has_no_point(result: Json) -> None:
    rows = copy.deepcopy(result["rows"])
    rows[1]["auroc"] = rows[1]["intervals"]["auroc"] = None
    values = curves(rows, "auroc").to_dict()["data"]["values"]
    assert len(values) == len(rows) - 2


def test_a_models_page_shows_what_was_measured_when_that_is_asked_for(
    open_page: Open, fitted: RunningService, result: Json
) -> None:
    page = open_page(fitted.url, "model", id=result["model_id"])
    [switch] = [toggle for toggle in page.toggle if str(toggle.key).startswith("robustness.")]
    assert "Drawn:" not in shown(page)
    switch.set_value(True).run()
    assert "Drawn: 12 real and 12 fake pictures" in shown(page)
    [table] = [table.value for table in page.table if "Fakes found" in table.value.columns]
    assert len(table) == len(result["rows"])
    assert table["Change"][0] == "as they are"
