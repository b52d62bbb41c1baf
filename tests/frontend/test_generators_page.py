"""The page of evaluations by generator: charts and words for made-up figures, and the way to them on a real service."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import requests
from PIL import Image
from streamlit.testing.v1 import AppTest

from frontend.charts.generators import draw_heat, draw_recalls
from frontend.client import Client
from frontend.evaluating.results import describe_note, show_interval
from frontend.uploads import Upload
from tests.frontend.conftest import Open, shown
from tests.running import RunningService


def cell(generator: str, recall: float) -> dict[str, Any]:
    limits = {"recall": [max(0.0, recall - 0.1), min(1.0, recall + 0.1)]}
    return {"generator": generator, "recall": recall, "n": 50, "intervals": limits, "notes": []}


def test_the_least_found_generator_stands_on_top() -> None:
    chart = draw_recalls([cell("seen", 0.9), cell("unseen", 0.05)]).to_dict()
    assert chart["layer"][0]["encoding"]["y"]["sort"] == ["unseen", "seen"]
    values = next(iter(chart["datasets"].values())) if "datasets" in chart else chart["data"]["values"]
    assert {value["generator"]: value["found"] for value in values} == {"seen": 90.0, "unseen": 5.0}


def test_the_heat_map_has_a_cell_for_each_detector_and_generator() -> None:
    rows = [{"generators": [cell("a", 0.9), cell("b", 0.1)]}, {"generators": [cell("a", 0.2), cell("b", 0.8)]}]
    chart = draw_heat(rows, ["a", "b"]).to_dict()
    values = next(iter(chart["datasets"].values())) if "datasets" in chart else chart["data"]["values"]
    assert [(value["fitted"], value["tested"], round(value["found"])) for value in values] == [
        ("a", "a", 90),
        ("a", "b", 10),
        ("b", "a", 20),
        ("b", "b", 80),
    ]


def matrix_page(rows: list) -> None:  # type: ignore[type-arg]
    """A page with a matrix alone; it runs by itself, so it imports what it needs."""
    from frontend.evaluating.results import show_matrix

    show_matrix({"notes": [], "excluded": {"in_training": 0}, "rows": rows})


def test_the_heat_map_shows_the_measure_that_is_chosen() -> None:
    cells = [{**cell("a", 0.9), "auroc": 0.95, "accuracy": 0.85}, {**cell("b", 0.1), "auroc": 0.6, "accuracy": 0.5}]
    rows = [{"kind": "alone", "generator": name, "fpr": 0.05, "generators": cells} for name in ("a", "b")]
    page = AppTest.from_function(matrix_page, args=(rows,)).run()
    assert list(page.table[0].value.iloc[0])[-2:] == ["90.0 %", "10.0 %"]
    for measure, told in (("auroc", ["0.950", "0.600"]), ("accuracy", ["85.0 %", "50.0 %"])):
        page.selectbox[0].select(measure).run()
        assert not page.exception
        assert list(page.table[0].value.iloc[0])[-2:] == told
    chart = draw_heat(rows, ["a", "b"], "auroc").to_dict()
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == [0, 1]


def test_intervals_and_unknown_notes() -> None:
    assert show_interval([0.031, 0.078]) == "3.1–7.8 %"
    assert show_interval(None) == "–"
    assert describe_note({"code": "of a later version", "message": "*new*"}) == r"\*new\*"


@pytest.mark.timeout(600)
def test_an_evaluation_is_started_read_and_found_on_the_models_page(open_page: Open, fitted: RunningService) -> None:
    model = requests.get(f"{fitted.url}/models?q=fitted", timeout=60).json()["items"][0]
    page = open_page(fitted.url, "generators", model=model["id"])
    assert "Nothing was evaluated yet." in shown(page)
    dataset = requests.get(f"{fitted.url}/datasets/fitted", timeout=60).json()["id"]
    service = Client(fitted.url)
    job = service.evaluate(model["id"], [dataset], split="all")
    done = service.wait(job["id"])
    page = open_page(fitted.url, "generators", id=done["result"]["evaluation_id"])
    text = shown(page)
    assert "fitted on fitted" in text
    assert "Images left out since they stand in the training set" in text
    assert "REAL photographs beside them" in text
    service.delete_evaluation(job["id"])
    page = open_page(fitted.url, "generators", id=job["id"])
    assert "This evaluation was deleted." in shown(page)
    page = open_page(fitted.url, "model", id=model["id"])
    assert "On generators that it never saw" in shown(page)
    assert "has not been measured" in shown(page)


@pytest.mark.timeout(600)
def test_other_generators_stand_beside_the_accuracy(open_page: Open, fitted: RunningService) -> None:
    service = Client(fitted.url)
    model = service.models(q="fitted")["items"][0]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(12):
            picture = io.BytesIO()
            Image.effect_noise((64, 64), 60).convert("RGB").save(picture, "PNG")
            archive.writestr(f"FAKE/noise/{number}.png", picture.getvalue())
    imported = service.wait(service.import_images("noise", Upload(archive=("n.zip", buffer.getvalue())))["id"])
    dataset_id = imported["result"]["dataset_id"]
    job = service.wait(service.evaluate(model["id"], ["fitted", dataset_id])["id"])
    page = open_page(fitted.url, "model", id=model["id"])
    assert "of the fakes of other generators (measured: 1; least of all of noise)" in shown(page)
    assert [tile.label for tile in page.metric][-1] == "Other generators"
    page = open_page(fitted.url, "generators", id=job["id"])
    text = shown(page)
    assert "Few images of noise" in text
    assert "get no answer (unsure)" in text
    assert "Answered real" in page.table[0].value.columns
    assert "Conclusion." in text
    assert "(Fisher's exact test" in text
    service.delete_evaluation(job["id"])
    service.delete_dataset(dataset_id)
