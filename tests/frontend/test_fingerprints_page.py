"""The page of fingerprints: its charts and words for made-up figures, and enrolling and asking on a real service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from frontend.charts.fingerprints import branches, draw_correlations, draw_tree
from frontend.client import Client
from frontend.uploads import Upload
from tests.frontend.conftest import Open, shown
from tests.running import RunningService
from tests.traced import traced_png, traced_zip

SOURCES = {"dots": "FAKE", "waves": "FAKE", "phone": "REAL"}


@pytest.fixture(scope="module")
def enrolled(running: RunningService) -> Iterator[dict[str, dict[str, Any]]]:
    """Two generators and a camera; all of it is removed at the end."""
    client, found = Client(running.url), {}
    for source, label in SOURCES.items():
        upload = Upload(archive=("images.zip", traced_zip(source, 20)))
        result = client.wait(client.enrol_fingerprint_images(source, upload, label=label)["id"])["result"]
        found[source] = client.fingerprint(result["fingerprint_id"])
    yield found
    for one in found.values():
        client.delete_fingerprint(one["id"])
        client.delete_dataset(one["dataset"]["id"])


def test_the_heat_map_has_a_cell_for_each_pair_in_the_trees_order() -> None:
    chart = draw_correlations(["b", "a"], [[1.0, 0.2], [0.2, 1.0]]).to_dict()
    values = next(iter(chart["datasets"].values())) if "datasets" in chart else chart["data"]["values"]
    assert [(value["first"], value["second"], value["correlation"]) for value in values] == [
        ("b", "b", 1.0),
        ("b", "a", 0.2),
        ("a", "b", 0.2),
        ("a", "a", 1.0),
    ]
    assert chart["layer"][0]["encoding"]["x"]["sort"] == ["b", "a"]


def test_the_tree_joins_neighbours_first() -> None:
    order, linkage = [2, 0, 1], [[0.0, 1.0, 0.2, 2.0], [2.0, 3.0, 0.9, 3.0]]  # 0 and 1 stand at 1 and 2, 2 at 0
    assert branches(order, linkage) == [
        {"from": 0.0, "to": 0.2, "low": 1.0, "high": 1.0},
        {"from": 0.0, "to": 0.2, "low": 2.0, "high": 2.0},
        {"from": 0.2, "to": 0.2, "low": 1.0, "high": 2.0},
        {"from": 0.0, "to": 0.9, "low": 0.0, "high": 0.0},
        {"from": 0.2, "to": 0.9, "low": 1.5, "high": 1.5},
        {"from": 0.9, "to": 0.9, "low": 0.0, "high": 1.5},
    ]
    chart = draw_tree(["a", "b", 'c"'], order, linkage).to_dict()
    assert chart["encoding"]["y"]["axis"]["labelExpr"] == '["c\\"", "a", "b"][datum.value]'


def test_what_is_enrolled_is_seen_and_pictures_are_asked_about(
    open_page: Open, running: RunningService, enrolled: dict[str, dict[str, Any]]
) -> None:
    page = open_page(running.url, "fingerprints")
    text = shown(page)
    assert "20 images of 32 × 32 pixels, denoiser gaussian" in text
    assert "phone (REAL)" in text
    assert "Correlation of each two fingerprints" in text
    assert "Fingerprints that meet further left have more in common" in text
    assert len(page.image) == 5  # REAL beside each generator, and REAL itself
    uploader = next(one for one in page.file_uploader if one.key == "fingerprints.files")
    uploader.set_value([(f"{n}.png", traced_png("waves", 300 + n), "image/png") for n in range(6)]).run()
    page.toggle(key="fingerprints.batch").set_value(True).run()
    next(button for button in page.button if button.label == "Who made it?").click().run()
    assert "Made by waves, as far as your pictures (6) tell" in shown(page)
    page.toggle(key="fingerprints.batch").set_value(False).run()
    assert "Made by" not in shown(page)  # that was the answer to another question
    next(button for button in page.button if button.label == "Who made it?").click().run()
    assert any("Best match" in str(table.value) for table in page.table)


def test_a_generator_of_a_data_set_is_enrolled_from_the_page(
    open_page: Open, running: RunningService, enrolled: dict[str, dict[str, Any]]
) -> None:
    page = open_page(running.url, "fingerprints")
    page.selectbox(key="fingerprints.way.en").set_value("dataset").run()
    page.button(key="enrol.start").click().run()
    assert "Give the source a name." in shown(page)
    page.text_input(key="fingerprints.name").set_value("points").run()
    page.selectbox(key="fingerprints.dataset.en").set_value(enrolled["dots"]["dataset"]["id"]).run()
    page.button(key="enrol.start").click().run()
    client = Client(running.url)
    [job] = client.jobs(kind="fingerprint", limit=1)["items"]
    assert client.wait(job["id"])["params"]["generator"] == "points"
    page = page.run()
    text = shown(page)
    assert "points is enrolled." in text
    assert "cannot be told apart" in text
    client.delete_fingerprint(client.fingerprints(q="points")["items"][0]["id"])
