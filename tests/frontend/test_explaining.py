"""What the real service says of why, and of whether its answer holds, as the page shows it."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from streamlit.testing.v1 import AppTest

from frontend.texts import TEXTS
from tests.frontend.conftest import Open, shown
from tests.pictures import encode, forged, photo
from tests.running import RunningService

SHIPPED = "cifake-logreg"
"""A model with a network: its explanations have a map."""


def press(page: AppTest, beginning: str) -> AppTest:
    [button] = [button for button in page.button if str(button.key).startswith(beginning)]
    return button.click().run()


def rows_of(page: AppTest, column: str) -> list[dict[Hashable, str]]:
    [table] = [table.value for table in page.table if column in table.value.columns]
    return list(table.to_dict("records"))


def test_the_first_picture_is_explained_at_once(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, model=SHIPPED)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert len(page.slider) == 1
    assert TEXTS["explanation.exact"].en in shown(page)
    rows = rows_of(page, "Share")
    shares = [float(row["Share"].replace("\\", "")) for row in rows]
    assert sum(shares[:-1]) == pytest.approx(shares[-1], abs=0.01 * len(shares))
    assert rows[0]["One place sees"].replace("\\", "") == "11 %"


def test_a_picture_is_tried_on_changed_copies_when_that_is_asked_for(open_page: Open, chosen: RunningService) -> None:
    page = open_page(chosen.url)
    page.file_uploader[0].upload("a.png", encode(forged(1))).run()
    assert not page.table
    page = press(page, "stability.")
    rows = rows_of(page, "Change")
    assert len(rows) == 8
    assert rows[0]["Change"].replace("\\", "") == "saved as JPEG, quality 90"
    text = shown(page)
    turned = "gives another answer" in text or "give another answer" in text
    assert turned
    assert not [button for button in page.button if str(button.key).startswith("stability.")]


def test_what_was_asked_for_before_is_asked_for_again(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, model=SHIPPED)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    page = press(page, "stability.")
    assert len(page.slider) == 1
    assert {"Share", "Change"} <= {column for table in page.table for column in table.value.columns}


def russian_page() -> None:
    """A page in Russian with parts of an answer; it runs by itself, so it imports what it needs."""
    import streamlit as st

    from frontend.checking.explaining import show_note, show_stability, show_stages

    st.session_state["lang"] = "ru"
    stage = {"name": "stem", "share": 0.5, "receptive_field": None}
    show_note({"note": "English", "note_code": "approximate"})
    show_stages({"base": -1.0, "margin": -0.5, "stages": [stage]})
    tried = {"change": "flip", "strength": 1.0, "probability_fake": 0.2, "verdict": "real"}
    show_stability({"flips": 1, "tried": [tried, {**tried, "change": "sepia"}]})


def test_it_is_said_in_russian_too() -> None:
    page = AppTest.from_function(russian_page).run()
    text = shown(page)
    assert TEXTS["explanation.approximate"].ru in text
    assert "Безобидных изменений, меняющих ответ: 1 из 2." in text
    assert [row["Изменение"] for row in rows_of(page, "Изменение")] == ["отражение", "sepia 1"]
    assert [row["Доля"].replace("\\", "") for row in rows_of(page, "Доля")] == ["+0.50", "-1.00", "-0.50"]
