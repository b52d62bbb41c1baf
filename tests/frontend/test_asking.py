"""Many pictures, batch by batch: what is answered stays, and only what is missing is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.frontend.between import Between, standing_between
from tests.frontend.conftest import Open, shown
from tests.pictures import fake, photo
from tests.running import RunningService


@pytest.fixture
def between(fitted: RunningService) -> Iterator[Between]:
    with standing_between(fitted.url) as server:
        yield server


def upload(page: AppTest, count: int) -> AppTest:
    for n in range(count):
        page.file_uploader[0].upload(f"picture-{n}.png", photo(n) if n % 2 else fake(n))
    return page.run()


def sent(body: bytes) -> int:
    return body.count(b'name="files"')


def verdicts(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["verdict1"])


def test_an_outage_in_the_middle_keeps_the_answers_and_goes_on_afterwards(open_page: Open, between: Between) -> None:
    between.left = 2
    page = upload(open_page(between.url), 20)
    assert len(page.error) == 1
    assert "make run" in shown(page)
    assert [sent(body) for body in between.asked] == [1, 16, 3]
    before = verdicts(page)
    assert sum("Waiting" in verdict for verdict in before) == 3
    page.run()
    assert verdicts(page) == before
    assert "Some pictures have no answer yet" in shown(page)
    assert len(between.asked) == 3

    between.left = 10**9
    page.button(key="retry").click().run()
    assert not page.error
    assert verdicts(page)[:17] == before[:17]
    assert not any("Waiting" in verdict for verdict in verdicts(page))
    assert [sent(body) for body in between.asked[3:]] == [3]


def test_a_service_that_was_stopped_and_started_again_goes_on(open_page: Open, fitted: RunningService) -> None:
    page = upload(open_page(fitted.url, "predict"), 4)  # switched to: its uploader then holds new files only
    before = verdicts(page)
    fitted.stop()
    try:
        page.file_uploader[0].upload("later.png", photo(30)).run()
        assert verdicts(page)[:4] == before
        assert len(page.error) == 1
    finally:
        fitted.start()
    requests.get(f"{fitted.url}/ready", timeout=60).raise_for_status()
    page.button(key="retry").click().run()
    assert not page.error
    assert len(verdicts(page)) >= 1
    assert not any("Waiting" in verdict for verdict in verdicts(page))


def test_another_model_and_the_first_again_ask_for_what_is_missing_only(
    open_page: Open, between: Between, second: str
) -> None:
    page = upload(open_page(between.url), 5)
    assert sum(sent(body) for body in between.asked) == 5
    page.selectbox(key="predict.choice.model").select(second).run()
    assert sum(sent(body) for body in between.asked) == 10
    assert page.query_params["model"] == second
    active = page.session_state["predict.cards"][0]["id"]
    page.selectbox(key="predict.choice.model").select(active).run()
    assert sum(sent(body) for body in between.asked) == 10
    assert "model" not in page.query_params


def test_a_file_that_spoils_its_request_costs_no_other_its_answer(open_page: Open, between: Between) -> None:
    between.refuse = b"picture-3.png"
    page = upload(open_page(between.url), 5)
    assert ["Not readable" in verdict for verdict in verdicts(page)] == [False, False, False, True, False]
    assert page.dataframe[0].value["reasons"][3] == "Too large."
    assert [sent(body) for body in between.asked] == [1, 4, 1, 1, 1, 1]


@pytest.fixture(scope="module")
def second(fitted: RunningService) -> Iterator[str]:
    """The id of another model on the same images, while "fitted" is the active one."""
    cards = requests.get(f"{fitted.url}/models", timeout=30).json()["items"]
    active = next(card["id"] for card in cards if card["name"] == "fitted")
    requests.post(f"{fitted.url}/set", json={"model_id": active}, timeout=60).raise_for_status()
    config = {"name": "second", "extractor": "spectrum", "head": "logreg", "C": 0.001}
    asked = {"dataset_id": "fitted", "config": config}
    model = requests.post(f"{fitted.url}/fit?wait=240", json=asked, timeout=300).json()
    yield str(model["id"])
    requests.delete(f"{fitted.url}/models/{model['id']}", timeout=60).raise_for_status()
    st.cache_data.clear()


def test_the_address_names_the_models_and_both_answer_side_by_side(
    open_page: Open, fitted: RunningService, second: str
) -> None:
    page = open_page(fitted.url, compare=second)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    lines = shown(page).splitlines()
    assert sum(line.startswith("### ") for line in lines) == 2
    assert "**second**" in lines
    assert "**fitted**" in lines
    page = open_page(fitted.url, model=second)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert "Answers come from the model second" in shown(page)
    page.switch_page("screens/jobs.py").run()
    del page.query_params["model"]  # as a browser does; AppTest takes them along
    page.switch_page("screens/predict.py").run()
    assert page.query_params["model"] == second


def test_a_model_in_the_address_that_does_not_exist_is_said_and_the_active_one_answers(
    open_page: Open, fitted: RunningService
) -> None:
    page = open_page(fitted.url, model="no-such-model")
    assert "no-such-model" in "\n".join(str(warning.value).replace("\\", "") for warning in page.warning)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert "### " in shown(page)


def test_where_two_models_disagree_is_counted_and_filtered(open_page: Open, between: Between, second: str) -> None:
    def turn(prediction: dict[str, object], body: bytes) -> None:
        turned = second.encode() in body and prediction["filename"] in ("picture-0.png", "picture-3.png")
        prediction["verdict"] = "fake" if turned else "real"

    between.alter = turn
    page = upload(open_page(between.url, compare=second), 6)
    assert "The models disagree on 2 of 6." in shown(page)
    page.toggle(key="predict.disagree").set_value(True).run()
    assert list(page.dataframe[0].value["name"]) == ["picture-0.png", "picture-3.png"]
    assert "Fake" in page.dataframe[0].value["verdict2"][0]
