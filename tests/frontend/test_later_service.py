"""What a later version of the service says more of a picture is drawn; where it says nothing there is nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.frontend.between import Between, standing_between
from tests.frontend.conftest import shown
from tests.pictures import crop, encode, photo
from tests.running import ROOT, RunningService


@pytest.fixture
def between(fitted: RunningService) -> Iterator[Between]:
    with standing_between(fitted.url) as server:
        yield server


Open = Callable[[str], AppTest]


@pytest.fixture
def open_front(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the front page as its bare address does; AppTest forgets the widgets of a page it was switched to first."""

    def open_front(url: str) -> AppTest:
        monkeypatch.setenv("DEEPFAKE_API_URL", url)
        return AppTest.from_file(str(ROOT / "frontend" / "app.py"), default_timeout=60).run()

    return open_front


def explained(prediction: dict[str, Any], body: bytes) -> None:
    """As with `explain` and `provenance`, which only requests that ask for them get."""
    prediction["stability"] = {"flips": 0.125, "tried": ["jpeg", "crop"]}
    if b'name="explain"' in body and b'name="provenance"' in body:
        heatmap = encode(Image.linear_gradient("L").resize((8, 8)))
        prediction["explanation"] = {"heatmap": base64.b64encode(heatmap).decode(), "note": "Look at the *edges*."}
        prediction["provenance"] = {"c2pa": False, "software": "<b>Paint</b>"}


def test_a_heat_map_has_a_slider_and_the_rest_is_text(open_front: Open, between: Between) -> None:
    between.alter = explained
    page = open_front(between.url)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    text = shown(page)
    assert "Look at the *edges*." in text
    assert "How stable the answer is" in text
    assert "What the file says of its origin" in text
    cells = [str(table.value.to_dict()).replace("\\", "") for table in page.table]
    assert any("flips" in cell and "0.125" in cell and "jpeg, crop" in cell for cell in cells)
    assert any("c2pa" in cell and "no" in cell and "<b>Paint</b>" in cell for cell in cells)
    [slider] = page.slider
    before = page.image[0].value
    slider.set_value(0).run()
    assert page.image[0].value != before
    assert not page.exception


def test_other_pictures_are_explained_when_that_is_asked_for(open_front: Open, between: Between) -> None:
    between.alter = explained
    page = open_front(between.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.png", photo(2)).run()
    assert len(page.slider) == 1
    [button] = [button for button in page.button if button.key.startswith("explain.")]
    button.click().run()
    assert len(page.slider) == 2
    assert len(between.asked) == 3


def test_a_service_that_explains_nothing_leaves_no_trace_of_it(open_front: Open, chosen: RunningService) -> None:
    page = open_front(chosen.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.png", photo(2)).run()
    assert not page.slider
    assert not page.table
    assert not [button for button in page.button if str(button.key).startswith("explain.")]
    assert not any(word in shown(page) for word in ("stable", "origin", "Explanation"))


def test_what_a_file_says_of_its_origin_stands_beside_the_verdict(open_front: Open, fitted: RunningService) -> None:
    exif = Image.Exif()
    exif[0x0131] = "**GIMP** <b>"
    page = open_front(fitted.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.jpg", encode(crop(2), "JPEG", exif=exif)).run()
    text = shown(page)
    assert "**EXIF software** says: edited: **GIMP** <b> (anybody can write, change or remove this)" in text
    assert "none of it proves that the picture is real" in text
    assert len([item for item in page.markdown if "What the file says of its origin" in item.value]) == 1


def test_a_heat_map_that_is_no_picture_leaves_the_picture_itself(open_front: Open, between: Between) -> None:
    def broken(prediction: dict[str, Any], body: bytes) -> None:
        prediction["explanation"] = {"heatmap": "bm90IGEgUE5H", "note": None}

    between.alter = broken
    page = open_front(between.url)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert not page.slider
    assert len(page.image) == 1


def test_an_answer_for_other_bytes_gets_no_report(open_front: Open, between: Between) -> None:
    page = open_front(between.url)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert len(page.get("download_button")) == 2

    def swap(prediction: dict[str, Any], body: bytes) -> None:
        prediction["sha256"] = "0" * 64

    between.alter = swap
    page = open_front(between.url)
    page.file_uploader[0].upload("a.png", photo(1)).run()
    assert not page.get("download_button")
    assert "There is no report for this picture" in shown(page)
