"""One model's page against the real service: its card, its images by cell, and the refit after relabelling."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from frontend.client import Client
from frontend.exports import Fetching
from frontend.models.actions import export_of
from frontend.uploads import Upload
from tests.frontend.between import standing_between
from tests.frontend.conftest import Open, shown
from tests.pictures import encode
from tests.running import RunningService

NAME = "confused"


def get(service: RunningService, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{service.url}{path}", timeout=60).json()
    return answer


def noise_archive() -> bytes:
    """A zip of pictures of which nobody can tell REAL from FAKE: a model on them makes many mistakes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for split, images in (("train", 40), ("test", 12)):
            for label in ("REAL", "FAKE"):
                for i in range(images):
                    picture = io.BytesIO()
                    Image.effect_noise((32, 32), 60).convert("RGB").save(picture, "PNG")
                    archive.writestr(f"{split}/{label}/{i}.png", picture.getvalue())
    return buffer.getvalue()


def picture_of_lines(n: int) -> bytes:
    """Noise of which every second line is dark."""
    pixels = np.random.default_rng(n).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    pixels[::2] //= 4
    return encode(pixels)


@pytest.fixture
def confused(fitted: RunningService) -> Iterator[dict[str, Any]]:
    """The card of a model that makes mistakes, on a data set of its own; both are removed afterwards."""
    service = Client(fitted.url)
    imported = service.wait(service.import_images(NAME, Upload(archive=("noise.zip", noise_archive())))["id"])
    dataset_id = str(imported["result"]["dataset_id"])
    config = {"name": NAME, "extractor": "spectrum", "head": "logreg", "C": 0.001}
    yield service.fit(dataset_id, config, wait_s=60)
    for job in service.jobs(limit=200)["items"]:
        if job["state"] in ("queued", "running"):
            service.wait(job["id"])
    for model in get(fitted, f"/models?q={NAME}&limit=200")["items"]:
        if model["dataset"]["id"] == dataset_id:
            service.delete_model(model["id"])
    if get(fitted, f"/datasets?q={dataset_id}")["items"]:
        service.delete_dataset(dataset_id)


def mistakes(card: dict[str, Any], split: str = "test") -> str:
    """The cell of wrong answers with the most images."""
    confusion = card["metrics"][split]["confusion"]
    cell = max(("fp", "fn"), key=lambda name: confusion[name])
    assert confusion[cell], "the model makes no mistake: take a worse one"
    return cell


def boxes(page: AppTest) -> list[Any]:
    """The boxes below the pictures."""
    return [box for box in page.selectbox if str(box.key).startswith("relabel.")]


def test_the_page_says_what_the_model_is_and_what_it_does_not_know(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    card = get(fitted, f"/models/{model_id}")
    page = open_page(fitted.url, "model", id=model_id)
    text = shown(page)
    assert page.title[0].value == "fitted"
    assert "What it does not know" in text
    for generator in card["generators"]:
        assert generator in text
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Accuracy"] == f"{card['accuracy']['test'] * 100:.1f} %"
    figures = page.table[0].value.set_index("Figure")
    assert figures.loc["Accuracy", "Training"] == f"{card['accuracy']['train'] * 100:.1f} %"
    assert card["digest"] in page.table[-1].value.to_string(max_colwidth=None).replace("\\", "")


def test_the_page_says_how_far_the_model_can_be_trusted(open_page: Open, fitted: RunningService) -> None:
    card = get(fitted, f"/models/{get(fitted, '/models?q=fitted')['items'][0]['id']}")
    text = shown(open_page(fitted.url, "model", id=card["id"])).replace("\\", "")
    assert "probabilities by Platt scaling" in text
    assert f"unsure; on the rest it is right in {100 * card['metrics']['test']['sure_accuracy']:.1f} %" in text
    assert f"too few real test images had no part in making it ({card['fpr_promise']['images']})" in text
    assert f"a part retouched {100 * card['edited']['kinds'][-1]['recall']:.1f} %" in text
    assert ("Whole images only" in text) is card["edited"]["whole_images_only"]


def test_generators_that_the_fit_left_out_stand_beside_the_accuracy(open_page: Open, fitted: RunningService) -> None:
    card = get(fitted, f"/models/{get(fitted, '/models?q=fitted')['items'][0]['id']}")
    left_out = card["left_out_generators"]
    page = open_page(fitted.url, "model", id=card["id"])
    assert f"left each of its {len(card['generators'])} generators out" in shown(page)
    assert f"least of all of {left_out['worst']}" in shown(page).replace("\\", "")
    [tile] = [tile for tile in page.metric if tile.label == "Generators left out"]
    assert tile.value == f"{100 * left_out['recall']:.1f} %"


def test_a_generator_is_taught_in_a_form_and_the_gain_is_shown(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    page = open_page(fitted.url, "model", id=confused["id"])
    teach = next(button for button in page.button if button.label == "Teach")
    teach.click().run()
    assert "Name the generator and choose its pictures first." in shown(page)
    pictures = [(f"{n}.png", picture_of_lines(n), "image/png") for n in range(12)]
    page.text_input(key=f"enrol.generator.{confused['id']}").set_value("lines")
    page.file_uploader(key=f"enrol.files.{confused['id']}").set_value(pictures)
    next(button for button in page.button if button.label == "Teach").click().run()
    job = Client(fitted.url).wait(str(page.query_params["job"]))
    assert job["state"] == "done", job["reason"]
    page = open_page(fitted.url, "model", id=job["result"]["model_id"])
    assert "It was taught lines from 12 pictures." in shown(page)
    gain = next(table.value for table in page.table if "Before" in table.value.columns)
    assert list(gain["Figure"])[2] == "Accuracy on the old test pictures"
    assert float(gain["After"][0].replace("\\", "")) > 0.9
    Client(fitted.url).delete_model(str(job["result"]["model_id"]))
    [brought] = get(fitted, "/datasets?q=lines")["items"]
    Client(fitted.url).delete_dataset(brought["id"])


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_promise_is_told_with_what_it_rests_on(fitted: RunningService, language: str) -> None:
    script = """
import json, sys
import streamlit as st
from frontend.models.trust import show_trust
st.session_state["lang"] = LANGUAGE
show_trust(json.loads(CARD))
"""
    card = get(fitted, f"/models/{get(fitted, '/models?q=fitted')['items'][0]['id']}")
    promise = {**card["fpr_promise"], "images": 10_000, "false_positives": 387, "bound": 0.042}
    calibration = {"kind": "isotonic", "images": 5_000, "losses": {"platt": 0.1, "temperature": 0.2, "isotonic": 0.09}}
    card |= {"fpr_promise": promise, "calibration": calibration, "config": {**card["config"], "target_fpr": 0.04}}
    code = script.replace("LANGUAGE", repr(language)).replace("CARD", repr(json.dumps(card)))
    page = AppTest.from_string(code, default_timeout=60).run()
    assert not page.exception
    text = shown(page).replace("\\", "")
    assert all(figure in text for figure in ("4.20 %", "95 %", "10\u202f000", "387", "4.00 %", "5\u202f000"))
    assert {"en": "for images like these", "ru": "похожи на эти"}[language] in text


def test_the_model_in_use_is_marked_and_cannot_be_deleted(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page = open_page(fitted.url, "model", id=model_id)
    assert "Checks pictures now" in shown(page)
    assert "cannot be deleted" in shown(page)


def test_every_cell_of_the_matrix_shows_its_count(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    for split in ("test", "train"):
        page = open_page(fitted.url, "model", id=model_id, split=split)
        confusion = get(fitted, f"/models/{model_id}")["metrics"][split]["confusion"]
        for cell, images in confusion.items():
            label = page.button(key=f"confusion.{cell}").label.replace("\\", "").replace("\u202f", "")
            assert f": {images} (" in label


def test_a_cell_opens_its_images_and_its_address_can_be_shared(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page = open_page(fitted.url, "model", id=model_id)
    assert not boxes(page)
    page.segmented_control(key="confusion.split").set_value("train").run()
    page.button(key="confusion.tp").click().run()
    assert (page.query_params["cell"], page.query_params["split"]) == ("tp", "train")
    shared = open_page(fitted.url, "model", id=model_id, cell="tp", split="train")
    first = get(fitted, f"/models/{model_id}/predictions?split=train&cell=tp&limit=24")["items"]
    dataset_id = get(fitted, f"/models/{model_id}")["dataset"]["id"]
    assert [box.key for box in boxes(page)] == [f"relabel.{dataset_id}.{row['row']}" for row in first]
    assert [box.key for box in boxes(shared)] == [box.key for box in boxes(page)]


def test_an_opened_cell_is_marked_without_another_kind_of_button_as_that_would_lose_the_focus(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    page = open_page(fitted.url, "model", id=confused["id"], cell="fp")
    opened, other = page.button(key="confusion.fp"), page.button(key="confusion.fn")
    assert opened.label.startswith("**")
    assert not other.label.startswith("**")
    assert opened.proto.type == other.proto.type


def test_the_next_page_shows_the_next_images(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page = open_page(fitted.url, "model", id=model_id, cell="tp", split="train")
    page.pagination[0].set_value(2).run()
    second = get(fitted, f"/models/{model_id}/predictions?split=train&cell=tp&limit=24&offset=24")["items"]
    assert [str(box.key).rpartition(".")[2] for box in boxes(page)] == [str(row["row"]) for row in second]


def test_the_original_opens_large(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page = open_page(fitted.url, "model", id=model_id, cell="tp", split="train")
    row = get(fitted, f"/models/{model_id}/predictions?split=train&cell=tp&limit=1")["items"][0]
    page.button(key=f"confusion.open.{row['row']}").click().run()
    assert f"Image {row['path']}, labelled FAKE" in shown(page)


def test_choices_are_collected_over_pages_and_can_be_forgotten(open_page: Open, fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page = open_page(fitted.url, "model", id=model_id, cell="tp", split="train")
    first = boxes(page)[0].key
    boxes(page)[0].set_value("REAL").run()
    page.pagination[0].set_value(2).run()
    boxes(page)[0].set_value("DROP").run()
    assert "Changes chosen: 2" in shown(page)
    page.pagination[0].set_value(1).run()
    assert page.selectbox(key=first).value == "REAL"
    page.button(key="relabel.forget").click().run()
    assert "Changes chosen" not in shown(page)
    assert page.selectbox(key=first).value == ""


def test_relabelled_images_make_a_version_and_a_fit_on_it(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    cell = mistakes(confused)
    page = open_page(fitted.url, "model", id=confused["id"], cell=cell)
    box = boxes(page)[0]
    row = int(str(box.key).rpartition(".")[2])
    wanted = "FAKE" if cell == "fp" else "REAL"
    box.set_value(wanted).run()
    page.button(key="relabel.refit").click().run()
    job_id = str(page.query_params["job"])
    assert get(fitted, "/datasets?q=" + NAME)["items"][0]["version"] == 2
    images = get(fitted, f"/datasets/{confused['dataset']['id']}/images?limit=1&offset={row}")["items"]
    assert [(image["row"], image["label"]) for image in images] == [(row, wanted)]
    Client(fitted.url).wait(job_id)
    again = next(c for c in get(fitted, "/models?limit=200")["items"] if c["name"] == f"{NAME} · v2")
    assert again["dataset"]["version"] == 2
    assert again["config"] | {"name": ""} == confused["config"] | {"name": ""}
    page = open_page(fitted.url, "models", compare=f"{confused['id']},{again['id']}")
    assert "different versions of the data set" in page.warning[0].value
    page = open_page(fitted.url, "model", id=confused["id"], cell=cell)  # the older model's row numbers stay valid
    assert "The data set has changed since" in shown(page)
    assert len(boxes(page)) == confused["metrics"]["test"]["confusion"][cell]


def test_where_the_data_set_moved_on_the_choices_stay(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    page = open_page(fitted.url, "model", id=confused["id"], cell=mistakes(confused))
    boxes(page)[0].set_value("DROP").run()
    other = get(fitted, f"/models/{confused['id']}/predictions?split=train&limit=1")["items"][0]["row"]
    change = {"changes": [{"n": other, "label": "DROP"}]}
    requests.patch(f"{fitted.url}/datasets/{confused['dataset']['id']}", json=change, timeout=60)
    page.button(key="relabel.refit").click().run()
    assert "it is at version 2 now" in shown(page)
    assert "Changes chosen: 1" in shown(page)
    page.button(key="relabel.refit").click().run()
    assert get(fitted, f"/datasets/{confused['dataset']['id']}")["version"] == 3
    assert page.query_params["job"]


def test_of_a_data_set_that_is_gone_it_says_so(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    requests.delete(f"{fitted.url}/datasets/{confused['dataset']['id']}", timeout=60)
    page = open_page(fitted.url, "model", id=confused["id"], cell=mistakes(confused))
    assert "The pictures cannot be shown" in shown(page)
    assert not boxes(page)


def test_it_can_be_renamed_annotated_used_and_deleted(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    page = open_page(fitted.url, "model", id=confused["id"])
    page.text_input(key=f"name.{confused['id']}").set_value("renamed")
    page.text_area(key=f"notes.{confused['id']}").set_value("see *issue* 3")
    next(button for button in page.button if button.label == "Save").click().run()
    assert page.title[0].value == "renamed"
    assert "see *issue* 3" in [text.value for text in page.text]
    active = get(fitted, "/models?q=fitted")["items"][0]["id"]
    page.button(key=f"use.{confused['id']}").click().run()
    try:
        assert get(fitted, f"/models/{confused['id']}")["active"]
        assert "Checks pictures now" in shown(page)
    finally:
        requests.post(f"{fitted.url}/set", json={"model_id": active}, timeout=60)
    page.run()
    page.button(key=f"delete.{confused['id']}").click().run()
    assert page.title[0].value == "Models"
    assert requests.get(f"{fitted.url}/models/{confused['id']}", timeout=60).status_code == 404


def test_an_empty_name_is_refused_and_the_notes_stay(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    page = open_page(fitted.url, "model", id=confused["id"])
    page.text_input(key=f"name.{confused['id']}").set_value("  ")
    page.text_area(key=f"notes.{confused['id']}").set_value("typed")
    next(button for button in page.button if button.label == "Save").click().run()
    assert len(page.error) == 1
    assert page.text_area(key=f"notes.{confused['id']}").value == "typed"
    assert get(fitted, f"/models/{confused['id']}")["name"] == NAME


def test_what_is_typed_stays_where_the_service_goes_away_in_between(
    open_page: Open, fitted: RunningService, confused: dict[str, Any]
) -> None:
    with standing_between(fitted.url) as between:
        between.deaf_to = "PATCH"
        page = open_page(between.url, "model", id=confused["id"])
        page.text_area(key=f"notes.{confused['id']}").set_value("typed")
        next(button for button in page.button if button.label == "Save").click().run()
        assert "does not answer" in shown(page)
        assert page.button(key="retry")
        assert page.text_area(key=f"notes.{confused['id']}").value == "typed"


def test_the_export_is_the_services_zip(fitted: RunningService) -> None:
    model_id = get(fitted, "/models?q=fitted")["items"][0]["id"]
    fetching = Fetching("export")
    fetching.run(export_of(Client(fitted.url), model_id))
    with zipfile.ZipFile(io.BytesIO(fetching.content or b"")) as archive:
        assert any(name.endswith("card.json") for name in archive.namelist())


def test_a_model_without_test_figures_shows_its_validation_figures(open_page: Open, fitted: RunningService) -> None:
    config = {"name": "untested", "extractor": "spectrum", "head": "logreg_sgd", "epochs": 3, "evaluate_test": False}
    asked = {"dataset_id": "fitted", "config": config}
    model = requests.post(f"{fitted.url}/fit?wait=240", json=asked, timeout=300).json()
    try:
        page = open_page(fitted.url, "model", id=model["id"])
        text = shown(page)
        assert "not measured on test images" in text
        assert not page.metric
        assert "Loss of each epoch" in text
        assert "Choice of C" in text
    finally:
        requests.delete(f"{fitted.url}/models/{model['id']}", timeout=60)


def test_the_shipped_model_shows_its_figures_without_its_pictures(open_page: Open, fitted: RunningService) -> None:
    shipped = next((c for c in get(fitted, "/models?limit=200")["items"] if c.get("shipped")), None)
    if shipped is None:
        pytest.skip("no model comes with the project")
    page = open_page(fitted.url, "model", id=shipped["id"], cell="fp")
    text = shown(page)
    assert "By what the picture shows" in text
    assert "The pictures cannot be shown" in text


def test_a_model_that_does_not_exist_is_a_sentence(open_page: Open, fitted: RunningService) -> None:
    assert "There is nothing at this address" in shown(open_page(fitted.url, "model", id="no-such-model"))


def test_without_an_id_it_leads_to_the_list(open_page: Open, fitted: RunningService) -> None:
    assert "Choose a model" in shown(open_page(fitted.url, "model"))


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    yield
    st.cache_data.clear()
