"""The list of models and their comparison, drawn by Streamlit's own test harness against the real service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from streamlit.testing.v1 import AppTest

from tests.frontend.conftest import Answering, Open, shown
from tests.running import RunningService


def cards(service: RunningService) -> dict[str, dict[str, Any]]:
    """Every model by its name."""
    items = requests.get(f"{service.url}/models?limit=200", timeout=30).json()["items"]
    return {card["name"]: card for card in items}


@pytest.fixture(scope="module")
def rivals(fitted: RunningService) -> Iterator[RunningService]:
    """The service with two more models on the data set "fitted": one that is alike, one on other features."""
    made = []
    for name, config in {
        "rival": {"extractor": "spectrum", "head": "svm", "C": 1.0},
        "other": {"extractor": "residual", "head": "logreg", "C": 0.1, "notes": "a *starred* note"},
    }.items():
        asked = {"dataset_id": "fitted", "config": {"name": name, **config}}
        answer = requests.post(f"{fitted.url}/fit?wait=240", json=asked, timeout=300)
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
    yield fitted
    requests.post(f"{fitted.url}/set", json={"model_id": cards(fitted)["fitted"]["id"]}, timeout=60)
    for model_id in made:
        requests.delete(f"{fitted.url}/models/{model_id}", timeout=60)


def choose(page: AppTest, *names: str) -> AppTest:
    """Ticks the rows with these names, as a click into their boxes does."""
    table = page.dataframe[0]
    listed = list(table.value["Name"])
    rows = [listed.index(name) for name in names]
    page.session_state[table.key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return page.run()


def test_every_model_is_a_row_with_its_figures(open_page: Open, rivals: RunningService) -> None:
    table = open_page(rivals.url, "models").dataframe[0].value.set_index("Name")
    for name in ("fitted", "other"):
        row, card = table.loc[name], cards(rivals)[name]
        assert row["Test accuracy"] == pytest.approx(card["accuracy"]["test"] * 100)
        assert row["AUROC"] == pytest.approx(card["metrics"]["test"]["auroc"])
        assert row["Head"] == card["head"]["name"]
        assert row["C"] == card["head"]["chosen"]["C"]
        assert row["Last activation"] == card["activation"]
        assert row["In use"] == ("★ in use" if card["active"] else "")
    assert table.loc["other", "Backbone or features"] == "residual"


def test_a_search_finds_notes_and_says_where_nothing_is_found(open_page: Open, rivals: RunningService) -> None:
    page = open_page(rivals.url, "models")
    page.text_input(key="q").set_value("starred").run()
    assert list(page.dataframe[0].value["Name"]) == ["other"]
    page.text_input(key="q").set_value("no such model").run()
    assert not page.dataframe
    assert "No model has this" in shown(page)


def test_the_order_is_the_services(open_page: Open, rivals: RunningService) -> None:
    page = open_page(rivals.url, "models")
    page.selectbox(key="models.sort").set_value("-accuracy").run()
    accuracies = list(page.dataframe[0].value["Test accuracy"])
    assert accuracies == sorted(accuracies, reverse=True)


def test_one_row_can_be_opened(open_page: Open, rivals: RunningService) -> None:
    page = choose(open_page(rivals.url, "models"), "rival")
    page.button(key="models.open").click().run()
    assert page.title[0].value == "rival"
    assert page.query_params["id"] == cards(rivals)["rival"]["id"]


def test_one_row_can_be_used_for_checking(open_page: Open, rivals: RunningService) -> None:
    page = choose(open_page(rivals.url, "models"), "rival")
    page.button(key=f"use.{cards(rivals)['rival']['id']}").click().run()
    try:
        assert cards(rivals)["rival"]["active"]
        table = page.dataframe[0].value.set_index("Name")
        assert table.loc["rival", "In use"] == "★ in use"
        assert table.loc["fitted", "In use"] == ""
    finally:
        requests.post(f"{rivals.url}/set", json={"model_id": cards(rivals)["fitted"]["id"]}, timeout=60)


def test_the_model_in_use_cannot_be_deleted_and_it_says_why(open_page: Open, rivals: RunningService) -> None:
    page = choose(open_page(rivals.url, "models"), "fitted")
    assert "cannot be deleted" in shown(page)
    assert not [button for button in page.button if str(button.key).startswith("delete.")]


def test_a_model_is_deleted_after_a_question(open_page: Open, rivals: RunningService) -> None:
    asked = {
        "dataset_id": "fitted",
        "config": {"name": "short-lived", "extractor": "spectrum", "head": "svm", "C": 0.1},
    }
    model_id = requests.post(f"{rivals.url}/fit?wait=240", json=asked, timeout=300).json()["id"]
    page = choose(open_page(rivals.url, "models"), "short-lived")
    assert "Delete the model short-lived for good?" in shown(page)
    assert "short-lived" in cards(rivals)
    page.button(key=f"delete.{model_id}").click().run()
    assert "short-lived" not in cards(rivals)
    assert "short-lived" not in list(page.dataframe[0].value["Name"])


def test_several_rows_become_a_comparison_with_an_address(open_page: Open, rivals: RunningService) -> None:
    page = choose(open_page(rivals.url, "models"), "fitted", "rival")
    page.button(key="models.compare").click().run()
    ids = {card["name"]: card["id"] for card in cards(rivals).values()}
    assert set(page.query_params["compare"].split(",")) == {ids["fitted"], ids["rival"]}
    assert page.title[0].value == "Comparison of models"


def compared(open_page: Open, service: RunningService, *names: str) -> AppTest:
    ids = ",".join(cards(service)[name]["id"] for name in names)
    return open_page(service.url, "models", compare=ids)


def test_a_comparison_shows_the_figures_of_each(open_page: Open, rivals: RunningService) -> None:
    page = compared(open_page, rivals, "fitted", "rival")
    assert not page.warning
    figures = page.table[0].value.set_index("**Figure**")
    for name in ("fitted", "rival"):
        accuracy = cards(rivals)[name]["accuracy"]["test"]
        assert f"{accuracy * 100:.1f}" in figures.loc["Accuracy", name].replace("\\", "")
    confusion = cards(rivals)["rival"]["metrics"]["test"]["confusion"]
    matrix = page.table[2].value
    assert matrix.iloc[0, 2].startswith(f"{confusion['fp']} (")
    assert matrix.iloc[1, 1].startswith(f"{confusion['fn']} (")


def test_a_model_with_the_name_of_a_heading_keeps_its_column(open_page: Open, rivals: RunningService) -> None:
    rival = cards(rivals)["rival"]
    requests.patch(f"{rivals.url}/models/{rival['id']}", json={"name": "Figure"}, timeout=60)
    try:
        page = compared(open_page, rivals, "fitted", "Figure")
        assert list(page.table[0].value.columns) == ["**Figure**", "fitted", "Figure"]
    finally:
        requests.patch(f"{rivals.url}/models/{rival['id']}", json={"name": "rival"}, timeout=60)


def test_a_comparison_lists_only_what_differs(open_page: Open, rivals: RunningService) -> None:
    settings = compared(open_page, rivals, "fitted", "rival").table[-1].value.set_index("**Setting**")
    assert list(settings.loc["Head"]) == ["logreg", "svm"]
    assert "Data set" not in settings.index


def test_models_of_other_data_are_compared_with_a_warning_and_no_winner(
    open_page: Open, rivals: RunningService
) -> None:
    shipped = next((name for name, card in cards(rivals).items() if card.get("shipped")), None)
    if shipped is None:
        pytest.skip("no model comes with the project")
    page = compared(open_page, rivals, "fitted", shipped)
    assert "different data sets" in page.warning[0].value
    assert "★" not in page.table[0].value.to_string()


def test_a_clear_lead_is_named(open_page: Open, rivals: RunningService) -> None:
    test = {name: cards(rivals)[name]["metrics"]["test"]["intervals"]["log_loss"] for name in ("fitted", "other")}
    page = compared(open_page, rivals, "fitted", "other")
    row = page.table[0].value.set_index("**Figure**").loc["Log loss"]
    apart = test["fitted"][1] < test["other"][0] or test["other"][1] < test["fitted"][0]
    assert ("★ best" in " ".join(row)) == apart


def test_two_models_of_one_data_set_are_compared_image_by_image(open_page: Open, rivals: RunningService) -> None:
    ids = [cards(rivals)[name]["id"] for name in ("fitted", "other")]
    found = requests.get(f"{rivals.url}/models/{ids[0]}/against/{ids[1]}", timeout=30).json()
    text = shown(compared(open_page, rivals, "fitted", "other"))
    assert f"fitted alone is right on {found['only_first']}, other alone on {found['only_second']}" in text
    assert ("is more than chance" if found["significant"] else "is not more than chance") in text
    assert "Image by image" not in shown(compared(open_page, rivals, "fitted", "rival", "other"))


@pytest.mark.parametrize(
    ("status", "code"), [(404, "route.unknown"), (422, "models.not_comparable"), (403, "security.scope")]
)
def test_where_two_models_are_not_compared_image_by_image_nothing_stands_in_its_place(
    open_page: Open, rivals: RunningService, answering: Answering, status: int, code: str
) -> None:
    ids = [cards(rivals)[name]["id"] for name in ("fitted", "rival")]
    for model_id in ids:
        answering.answer(200, requests.get(f"{rivals.url}/models/{model_id}", timeout=30).json())
    answering.answer(status, {"status": status, "code": code, "detail": "No comparison.", "hint": ""})
    page = open_page(answering.url, "models", compare=",".join(ids))
    assert answering.requests[2][1] == f"/models/{ids[0]}/against/{ids[1]}?split=test"
    assert page.subheader[-1].value == "What differs between them"
    assert "Image by image" not in shown(page)
    assert "No comparison" not in shown(page)


def test_a_comparison_with_a_model_that_is_gone_says_so(open_page: Open, rivals: RunningService) -> None:
    page = open_page(rivals.url, "models", compare=f"{cards(rivals)['fitted']['id']},gone")
    assert "There is nothing at this address" in shown(page)
    assert "needs two models" in shown(page)


def test_the_comparison_is_there_in_russian(open_page: Open, rivals: RunningService) -> None:
    page = compared(open_page, rivals, "fitted", "other")
    page.session_state["lang"] = "ru"
    page.run()
    assert page.title[0].value == "Сравнение моделей"
    assert "Точный критерий Макнемара: p" in shown(page)


def test_without_a_model_it_leads_to_the_training(open_page: Open, answering: Answering) -> None:
    answering.answer(200, {"items": [], "total": 0, "limit": 50, "offset": 0})
    page = open_page(answering.url, "models")
    assert "There is no model yet" in shown(page)


def test_a_name_is_text_and_never_markup(open_page: Open, rivals: RunningService) -> None:
    rival = cards(rivals)["rival"]
    hostile = "**bold** [x](http://evil.example) :red[y]"
    requests.patch(f"{rivals.url}/models/{rival['id']}", json={"name": hostile}, timeout=60)
    try:
        page = choose(open_page(rivals.url, "models"), hostile)
        assert any(r"\*\*bold\*\* \[x\]" in str(line.value) for line in page.markdown)
        page = open_page(rivals.url, "models", compare=f"{rival['id']},{cards(rivals)['fitted']['id']}")
        assert any(r"\*\*bold\*\*" in column for column in page.table[0].value.columns)
    finally:
        requests.patch(f"{rivals.url}/models/{rival['id']}", json={"name": "rival"}, timeout=60)
