"""The table of many pictures: filters, search, choosing a row, and the files that programs read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend.checking.overview import _shown_percent
from tests.frontend.between import standing_between
from tests.frontend.conftest import Open, shown
from tests.pictures import photo
from tests.running import RunningService

NAMES = ["=1+1.png", "кот.png", "<b>.png", "-a.png", "dog.png"]


@pytest.fixture
def page(open_page: Open, fitted: RunningService) -> Iterator[AppTest]:
    """Five pictures: the first is fake, the last is unsure, the others are real; and a file that is no picture."""

    def decide(prediction: dict[str, Any], body: bytes) -> None:
        prediction["verdict"] = {NAMES[0]: "fake", NAMES[4]: "unsure"}.get(prediction["filename"], "real")

    with standing_between(fitted.url) as server:
        server.alter = decide
        page = open_page(server.url)
        for n, name in enumerate(NAMES):
            page.file_uploader[0].upload(name, photo(n))
        yield page.file_uploader[0].upload("notes.txt", b"no picture").run()


def listed(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["name"]) if page.dataframe else []


def test_it_says_how_many_got_which_verdict_and_lists_them_in_order(page: AppTest) -> None:
    assert "1 fake, 3 real, 1 unsure, 1 not readable." in shown(page)
    assert listed(page) == [*NAMES, "notes.txt"]
    table = page.dataframe[0].value
    assert [text.split(" ", 1)[1] for text in table["verdict1"]] == [
        "Fake",
        "Real",
        "Real",
        "Real",
        "Unsure",
        "Not readable",
    ]
    assert str(table["picture"][0]).startswith("data:image/jpeg;base64,")


def test_filters_and_the_search_leave_what_they_name(page: AppTest) -> None:
    page.button_group(key="predict.filter").set_value(["fake", "failed"]).run()
    assert listed(page) == [NAMES[0], "notes.txt"]
    page.button_group(key="predict.filter").set_value([]).run()
    page.text_input(key="predict.search").set_value("КОТ").run()
    assert listed(page) == ["кот.png"]
    page.text_input(key="predict.search").set_value("nothing").run()
    assert "No picture passes these filters." in shown(page)
    assert not listed(page)


def test_a_chosen_row_opens_its_answer_and_it_stays_open_where_a_filter_keeps_it(page: AppTest) -> None:
    assert "### " not in shown(page)
    page.session_state["predict.selected"] = list(page.session_state["tray"].pictures)[4]
    page.run()
    assert "Unsure: " in shown(page)
    assert [text.value for text in page.text] == ["dog.png"]
    page.button_group(key="predict.filter").set_value(["unsure"]).run()
    assert [text.value for text in page.text] == ["dog.png"]
    page.button_group(key="predict.filter").set_value(["real"]).run()
    assert [text.value for text in page.text] == []


def test_a_table_never_shows_0_or_100_percent_and_keeps_the_order() -> None:
    shares = [0.0, 0.001, 0.0099, 0.01, 0.2, 0.5, 0.886, 0.99, 0.991, 0.999, 1.0]
    percents = [_shown_percent({"probability_fake": share, "in_domain": None}) or 0.0 for share in shares]
    assert percents == sorted(set(percents))
    assert {f"{percent:.0f}" for percent in percents} == {"1", "20", "50", "89", "99"}


def test_a_probability_that_does_not_count_has_no_bar() -> None:
    assert _shown_percent({"probability_fake": 0.97, "in_domain": False}) is None
