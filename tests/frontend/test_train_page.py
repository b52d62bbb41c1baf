"""The page that trains: a form made of what the service offers, the job as it goes on, and its result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from streamlit.testing.v1 import AppTest

from frontend.formatting import count
from tests.frontend.conftest import BETWEEN_DRAWINGS_S, Answering, Open, shown
from tests.running import RunningService

Json = dict[str, Any]
Fit = Callable[..., Json]
FINISHED = ("done", "failed", "cancelled")
HOSTILE = "**bold** [x](http://evil.example) :red[y] <b>"


@pytest.fixture
def fit(fitted: RunningService) -> Fit:
    """Starts a fit on "fitted" with the given config, and waits for its end unless `wait` is false."""

    def fit(*, wait: bool = True, **config: Any) -> Json:
        body = {"dataset_id": "fitted", "config": config}
        job: Json = requests.post(f"{fitted.url}/fit", json=body, timeout=60).json()
        while wait and job["state"] not in FINISHED:
            time.sleep(0.1)
            job = requests.get(f"{fitted.url}/jobs/{job['id']}", timeout=60).json()
        return job

    return fit


@pytest.fixture(autouse=True)
def left_as_found(fitted: RunningService) -> Iterator[None]:
    """Stops what a test started, removes its models and sets the active one as it was."""
    before = requests.get(f"{fitted.url}/models", timeout=30).json()["items"]
    yield
    for state in ("running", "queued"):
        for job in requests.get(f"{fitted.url}/jobs", params={"state": state}, timeout=30).json()["items"]:
            requests.delete(f"{fitted.url}/jobs/{job['id']}", timeout=30)
            while requests.get(f"{fitted.url}/jobs/{job['id']}", timeout=30).json()["state"] not in FINISHED:
                time.sleep(0.1)
    active = next(card["id"] for card in before if card["active"])
    requests.post(f"{fitted.url}/set", json={"model_id": active}, timeout=60)
    for card in requests.get(f"{fitted.url}/models", timeout=30).json()["items"]:
        if card["id"] not in {card["id"] for card in before}:
            requests.delete(f"{fitted.url}/models/{card['id']}", timeout=30)


def id_of(fitted: RunningService) -> str:
    """The id of "fitted", which need not be the newest data set: other tests use the same server."""
    known = requests.get(f"{fitted.url}/datasets", timeout=30).json()["items"]
    return next(str(info["id"]) for info in known if info["name"] == "fitted")


def button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def labels(page: AppTest) -> list[str]:
    widgets = [*page.selectbox, *page.multiselect, *page.number_input, *page.slider, *page.toggle, *page.text_input]
    return [widget.label.replace("\\", "") for widget in widgets]


def field(page: AppTest, label: str) -> Any:
    widgets = [*page.selectbox, *page.multiselect, *page.number_input, *page.slider, *page.toggle, *page.text_input]
    return next(widget for widget in widgets if widget.label.replace("\\", "") == label)


def job_of(page: AppTest) -> str:
    given = page.query_params["job"]
    return str(given[0] if isinstance(given, list) else given)


def finish(page: AppTest, service: RunningService) -> str:
    """Draws the page again until its job has ended; the state it ended in."""
    url = f"{service.url}/jobs/{job_of(page)}"
    while (state := requests.get(url, timeout=30).json()["state"]) not in FINISHED:
        time.sleep(BETWEEN_DRAWINGS_S)
        page.run()
    page.run()
    return str(state)


def links(page: AppTest) -> list[tuple[str, str]]:
    """Label and query of every link to a page."""
    protos = [element.proto for element in page.get("page_link")]
    return [(proto.label.replace("\\", ""), proto.query_string) for proto in protos]


def test_from_the_form_to_a_model_that_answers(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    field(page, "How the images are read").set_value(["spectrum"]).run()
    field(page, "Classifier").set_value("logreg_sgd").run()
    field(page, "Epochs").set_value(3).run()
    field(page, "Name of the model").set_value(HOSTILE).run()
    button(page, "Start training").click().run()
    assert not page.exception
    assert finish(page, fitted) == "done"
    text = shown(page)
    assert f"The detector {HOSTILE} is ready." in text
    card = next(
        card for card in requests.get(f"{fitted.url}/models", timeout=30).json()["items"] if card["name"] == HOSTILE
    )
    assert card["config"]["head"]["epochs"] == 3
    assert f"{card['accuracy']['test'] * 100:.1f} %" in text
    assert "Loss of each epoch" in text
    button(page, "Use this model").click().run()
    assert requests.get(f"{fitted.url}/ready", timeout=30).json()["model_id"] == card["id"]
    assert "answers on the page Check pictures" in shown(page)
    button(page, "Train another").click().run()
    assert "job" not in page.query_params
    assert field(page, "Epochs").value == 3
    assert "Start training" in [button.label for button in page.button]


def test_the_form_shows_only_settings_that_are_used(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    assert {"Pretrained network", "Input size, pixels a side", "Pooling"} <= set(labels(page))
    assert "Epochs" not in labels(page)
    field(page, "Classifier").set_value("svm_rbf").run()
    assert {"Components of the kernel", "Width of the kernel (gamma)"} <= set(labels(page))
    field(page, "Classifier").set_value("mlp").run()
    assert (field(page, "Hidden layers").value, field(page, "Learning rate").value) == ("512, 128", 0.001)
    assert "Components of the kernel" not in labels(page)
    field(page, "How the images are read").set_value(["spectrum", "npr"]).run()
    assert "Pretrained network" not in labels(page)
    assert {"Rings of frequency", "Directions"} <= set(labels(page))
    text = shown(page)
    assert "spectrum: Power by frequency" in text
    assert "npr: Neighbouring-pixel" in text


def test_c_is_chosen_unless_asked_for(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    assert not page.select_slider
    field(page, "Choose C for me").set_value(False).run()
    assert page.select_slider[0].value == 1.0


def test_a_data_set_is_chosen_by_the_address_and_keeps_it(open_page: Open, fitted: RunningService) -> None:
    wanted = requests.get(f"{fitted.url}/datasets/{id_of(fitted)}", timeout=30).json()
    page = open_page(fitted.url, "train", dataset=wanted["id"])
    assert field(page, "Data set").value == wanted["id"]
    assert f"features of {count(wanted['images'])} images" in shown(page)
    page = open_page(fitted.url, "train", dataset="gone-12345678")
    assert "no data set gone-12345678 any more" in shown(page)
    field(page, "Data set").set_value(wanted["id"]).run()
    assert not button(page, "Start training").disabled


def test_what_was_chosen_outlives_a_visit_to_another_page(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    field(page, "How the images are read").set_value(["residual"]).run()
    field(page, "Name of the model").set_value("kept").run()
    page.switch_page("screens/jobs.py").run()
    page.switch_page("screens/train.py").run()
    assert field(page, "How the images are read").value == ["residual"]
    assert field(page, "Name of the model").value == "kept"


def test_another_language_renames_what_is_chosen_and_keeps_it(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    field(page, "Classifier").set_value("svm").run()
    page.session_state["lang"] = "ru"
    page.run()
    head = field(page, "Классификатор")
    assert head.value == "svm"
    assert "Линейный SVM (svm)" in head.options
    assert "Предобученная сеть (cnn)" in field(page, "Способ чтения изображений").options


def test_without_an_extractor_or_a_name_that_is_typed_it_cannot_start(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    field(page, "How the images are read").set_value([]).run()
    assert button(page, "Start training").disabled
    assert "at least one way to read the images" in shown(page)
    field(page, "How the images are read").set_value(["cnn"]).run()
    assert not button(page, "Start training").disabled
    field(page, "Pretrained network").set_value("").run()
    assert button(page, "Start training").disabled
    assert "“Pretrained network” is still empty." in shown(page)
    assert "may have to be downloaded" in shown(page)
    field(page, "Name of the network").set_value("resnet18").run()
    assert not button(page, "Start training").disabled


def test_what_the_service_refuses_stands_beside_the_form_which_stays_as_it_was(
    open_page: Open, fitted: RunningService
) -> None:
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    field(page, "Stages of the network").set_value("").run()
    field(page, "Names of the stages").set_value("stem, nonsense").run()
    field(page, "Pretrained network").set_value("").run()
    field(page, "Name of the network").set_value("no such network!").run()
    button(page, "Start training").click().run()
    if "job" in page.query_params:  # taken, and refused by the job
        assert finish(page, fitted) == "failed"
        assert "Change the settings" in shown(page)
    assert page.error
    assert field(page, "Names of the stages").value == "stem, nonsense"
    assert field(page, "Name of the network").value == "no such network!"


def test_a_failed_fit_says_why_can_be_repeated_and_fills_the_form(
    open_page: Open, fitted: RunningService, fit: Fit
) -> None:
    failed = fit(extractor={"name": "cnn", "backbone": "no_such_network"}, head="svm", C=0.05, seed=9)
    assert failed["state"] == "failed"
    page = open_page(fitted.url, "train", job=failed["id"])  # as after a reload: the session knows nothing
    assert failed["reason"] in shown(page)
    assert field(page, "Classifier").value == "svm"
    assert field(page, "Name of the network").value == "no_such_network"
    assert page.select_slider[0].value == 0.05
    assert field(page, "Seed").value == 9
    field(page, "Seed").set_value(10).run()
    assert field(page, "Seed").value == 10
    button(page, "Try again").click().run()
    assert not page.exception
    assert job_of(page) == failed["id"]
    assert finish(page, fitted) == "failed"
    assert field(page, "Seed").value == 10


def test_a_reload_finds_the_running_fit_and_cancels_it(open_page: Open, fitted: RunningService, fit: Fit) -> None:
    job = fit(wait=False, input_size=128, stages=["stem"], name=HOSTILE)  # takes time: its network is exported first
    page = open_page(fitted.url, "train", job=job["id"])
    text = shown(page)
    assert f"Training: {HOSTILE} · fitted" in text
    assert "Computing features: " in text
    assert "this address finds it again" in text
    assert not page.multiselect
    other = open_page(fitted.url, "train")  # without the job's address: a link to it
    assert (f"Training: {HOSTILE} · fitted", f"job={job['id']}") in links(other)
    button(page, "Cancel").click().run()
    assert not page.exception
    assert finish(page, fitted) == "cancelled"
    assert "It was cancelled" in shown(page)
    assert field(page, "Input size, pixels a side").value == 128
    button(page, "Try again").click().run()
    assert "Cancel" in [button.label for button in page.button]


def test_a_job_that_is_gone_leaves_the_form_usable(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "train", job="nothing-12345678", dataset=id_of(fitted))
    assert "nothing at this address" in shown(page)
    assert not button(page, "Start training").disabled


def test_another_kind_of_job_is_not_shown_as_a_training(open_page: Open, fitted: RunningService) -> None:
    job = requests.get(f"{fitted.url}/jobs", params={"kind": "import"}, timeout=30).json()["items"][0]
    page = open_page(fitted.url, "train", job=job["id"])
    assert "no training" in shown(page)
    assert ("Everything about this job", f"id={job['id']}") in links(page)


def test_a_model_that_was_deleted_since_is_no_error(open_page: Open, fitted: RunningService, fit: Fit) -> None:
    job = fit(extractor="spectrum", C=1.0)
    assert requests.delete(f"{fitted.url}/models/{job['result']['model_id']}", timeout=30).ok
    page = open_page(fitted.url, "train", job=job["id"])
    assert "deleted since" in shown(page)
    assert not page.error


def test_a_fit_that_left_the_test_images_unread_says_so(open_page: Open, fitted: RunningService, fit: Fit) -> None:
    job = fit(extractor="spectrum", C=1.0, evaluate_test=False)
    text = shown(open_page(fitted.url, "train", job=job["id"]))
    assert "were left unread, as asked" in text
    assert "Time it took" in text


def test_the_audit_is_shown_before_training_or_offered(open_page: Open, fitted: RunningService) -> None:
    url, dataset = fitted.url, id_of(fitted)
    known = requests.get(f"{url}/eda", params={"dataset_id": dataset, "make": "false"}, timeout=30)
    page = open_page(url, "train", dataset=dataset)
    if known.status_code == 404:
        page.button(key=next(item.key for item in page.button if str(item.key).startswith("train.audit"))).click().run()
        while "being measured" in shown(page):
            time.sleep(BETWEEN_DRAWINGS_S)
            page.run()
    profile = requests.get(f"{url}/eda", params={"dataset_id": dataset}, timeout=60).json()
    serious = [found for found in profile["audit"]["findings"] if found["severity"] != "info"]
    assert all(found["title"] in shown(page) for found in serious)
    assert ("Before you train" in shown(page)) == bool(serious)
    assert not button(page, "Start training").disabled


def test_where_there_is_no_data_set_it_says_where_to_make_one(open_page: Open, answering: Answering) -> None:
    nothing = {"items": [], "total": 0, "limit": 5, "offset": 0}
    for document in (nothing, nothing, {"limits": {}}, nothing, nothing):  # running, queued, options, data sets, frame
        answering.answer(200, document)
    page = open_page(answering.url, "train")
    assert "no data set to train on yet" in shown(page)
    assert not page.error
    assert "Go to Data" in [label for label, _ in links(page)]


def test_a_data_set_of_one_class_disables_the_button_and_says_why(
    open_page: Open, fitted: RunningService, answering: Answering
) -> None:
    options = requests.get(f"{fitted.url}/options", timeout=30).json()
    known = requests.get(f"{fitted.url}/datasets", timeout=30).json()
    info = {**known["items"][0], "name": HOSTILE, "counts": {"": {"REAL": 40, "FAKE": 0}}}
    nothing = {"items": [], "total": 0, "limit": 5, "offset": 0}
    for document in (nothing, nothing, options, {**known, "items": [info], "total": 1}, nothing):
        answering.answer(200, document)
    page = open_page(answering.url, "train")
    assert button(page, "Start training").disabled
    assert "no FAKE images" in shown(page)
    assert field(page, "Data set").options == [f"{HOSTILE} · images: {info['images']:,}".replace(",", "\u202f")]


def test_while_the_service_is_away_the_job_is_still_followed(open_page: Open, answering: Answering) -> None:
    config = {"name": "x", "head": {"name": "logreg"}}
    job = {"id": "a" * 16, "kind": "fit", "state": "running", "params": {"dataset_id": "d", "config": config}}
    answering.answer(200, job)
    answering.answer(200, {"items": [], "total": 0, "limit": 5, "offset": 0})
    page = open_page(answering.url, "train", job=job["id"])  # then the service hangs up
    assert "This page keeps asking" in shown(page)
    assert "Training: x · d" in shown(page)


def test_defaults_are_not_sent_and_a_refusal_is_a_sentence(
    open_page: Open, fitted: RunningService, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = requests.get(f"{fitted.url}/options", timeout=30).json()
    known = requests.get(f"{fitted.url}/datasets", timeout=30).json()
    nothing = {"items": [], "total": 0, "limit": 5, "offset": 0}
    page = open_page(fitted.url, "train", dataset=id_of(fitted))
    for document in (nothing, nothing, options, known):
        answering.answer(200, document)
    answering.answer(422, {"code": "config", "detail": "**No.**", "hint": "Do so."})
    monkeypatch.setenv("DEEPFAKE_API_URL", answering.url)
    button(page, "Start training").click().run()
    sent = [json.loads(body) for method, _, _, body in answering.requests if method == "POST"]
    assert sent == [{"dataset_id": id_of(fitted), "config": {}}]
    assert "**No.** Do so." in shown(page)
    assert "job" not in page.query_params
