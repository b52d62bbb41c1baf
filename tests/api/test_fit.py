"""POST /fit against the running service: with images, with a data set, in time and not; and what must be refused."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import pytest

from tests.api.leftovers import leftovers
from tests.pictures import dataset_zip, fake, photo, zip_bomb, zipped
from tests.running import RunningService

QUICK = {"extractor": "spectrum", "head": "logreg", "C": 0.1}
"""A configuration without a network: a fit takes a second."""


def send(service: RunningService, config: Any = QUICK, wait: int = 0, **parts: Any) -> httpx.Response:
    given = {field: values if isinstance(values, list) else [values] for field, values in parts.items()}
    files = [(field, value) for field, values in given.items() for value in values]
    text = config if isinstance(config, str) else json.dumps(config)
    return httpx.post(f"{service.url}/fit?wait={wait}", files=[*files, ("config", (None, text))], timeout=120)


def fit(service: RunningService, dataset_id: str, wait: int = 0, **config: Any) -> httpx.Response:
    body = {"dataset_id": dataset_id, "config": {**QUICK, **config}}
    return httpx.post(f"{service.url}/fit?wait={wait}", json=body, timeout=120)


@pytest.fixture(scope="module")
def card(running: RunningService) -> dict[str, Any]:
    """The model that images of a request made."""
    config = {**QUICK, "name": "from a zip", "notes": "a note", "seed": 3}
    archive = ("a.zip", dataset_zip(40, 1000))
    answer = send(running, config, wait=90, archive=archive, name=(None, "sent along"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_images_and_configuration_make_a_model(running: RunningService, card: dict[str, Any]) -> None:
    assert (card["name"], card["notes"], card["seed"]) == ("from a zip", "a note", 3)
    assert (card["activation"], card["loss"]) == ("sigmoid", "log_loss")
    assert card["dataset"]["name"] == "sent along"
    assert card["config"]["head"]["C"] == 0.1
    assert set(card["accuracy"]) == {"train", "validation", "test"}
    assert card["metrics"]["test"]["n"] > 0
    assert httpx.get(f"{running.url}/models/{card['id']}").json() == card
    asked = {"dataset_id": card["dataset"]["id"], "make": False}
    findings = httpx.get(f"{running.url}/eda", params=asked).json()["audit"]["findings"]
    assert card["audit"] == [{key: found[key] for key in ("code", "severity", "title")} for found in findings]
    assert httpx.get(f"{running.url}/datasets/{card['dataset']['id']}").json()["images"] == 80
    assert leftovers(running) == []


def test_a_data_set_is_fitted_again(running: RunningService, card: dict[str, Any]) -> None:
    answer = fit(running, card["dataset"]["id"], head="svm", name="again")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    deadline = time.monotonic() + 60
    while job["state"] not in ("done", "failed") and time.monotonic() < deadline:
        time.sleep(0.1)
        job = httpx.get(f"{running.url}/jobs/{job['id']}").json()
    assert job["state"] == "done", job
    model = httpx.get(f"{running.url}/models/{job['result']['model_id']}").json()
    assert (model["activation"], model["loss"]) == ("identity", "hinge")


def test_a_network_is_named_with_the_digest_of_its_weights(running: RunningService, card: dict[str, Any]) -> None:
    model = fit(running, card["dataset"]["id"], wait=90, extractor="cnn", name="network").json()
    assert model["backbone"] == "tf_efficientnet_lite0"
    assert re.fullmatch("[0-9a-f]{64}", model["backbone_digest"])
    assert (card["backbone"], card["backbone_digest"]) == (None, None)


def test_files_with_labels(running: RunningService) -> None:
    files = [(f"{n}.png", photo(n)) for n in range(1100, 1120)] + [(f"{n}.png", fake(n)) for n in range(1100, 1120)]
    labels = (None, json.dumps(["REAL"] * 20 + ["FAKE"] * 20))
    answer = send(running, wait=90, files=files, labels=labels)
    assert answer.status_code == 200, answer.text
    assert answer.json()["dataset"]["images"] == 40


def test_defaults_are_those_of_the_schema(running: RunningService, card: dict[str, Any]) -> None:
    schemas = httpx.get(f"{running.url}/openapi.json").json()["components"]["schemas"]
    properties = schemas["FitConfigIn"]["properties"]
    assert all(field["description"] for field in properties.values())
    answer = httpx.post(f"{running.url}/fit", json={"dataset_id": card["dataset"]["id"]})
    assert answer.status_code == 202
    params = answer.json()["params"]["config"]
    assert params["validation_fraction"] == properties["validation_fraction"]["default"]
    assert params["head"]["name"] == properties["head"]["default"]
    httpx.delete(f"{running.url}/jobs/{answer.json()['id']}")


BAD_CONFIGS: list[tuple[dict[str, Any], int, str]] = [
    ({"extractor": "magic"}, 422, "config.unknown_extractor"),
    ({"extractor": {"name": "magic"}}, 422, "config.unknown_extractor"),
    ({"extractor": ["spectrum", "magic"]}, 422, "config.unknown_extractor"),
    ({"extractor": {"name": "spectrum", "magic": 1}}, 422, "config"),
    ({"extractor": {"spec": "spectrum"}}, 422, "config.unknown_extractor"),
    ({"extractor": []}, 422, "config"),
    ({"extractor": "spectrum", "backbone": "tf_efficientnet_lite0"}, 422, "config"),
    ({"extractor": "cnn", "backbone": "hf-hub:someone/something"}, 422, "config.unknown_backbone"),
    ({"extractor": "cnn", "backbone": "local-dir:/etc"}, 422, "config.unknown_backbone"),
    ({"extractor": "cnn", "backbone": "../../etc/passwd"}, 422, "config.unknown_backbone"),
    ({"extractor": {"name": "cnn", "stages": [3]}}, 422, "config"),
    ({"extractor": ["cnn", "concat"]}, 422, "config"),
    ({"extractor": {"name": "concat", "parts": ["spectrum", "npr"]}}, 422, "config"),
    ({"extractor": "cnn", "stages": "everything"}, 422, "config"),
    ({"extractor": "cnn", "input_size": 1}, 422, "config"),
    ({"extractor": "cnn", "pooling": ["magic"]}, 422, "config"),
    ({"head": "magic"}, 422, "config.unknown_head"),
    ({"head": "logreg", "C": 0}, 422, "request.invalid"),
    ({"C": "many"}, 422, "request.invalid"),
    ({"class_weight": "heavy"}, 422, "request.invalid"),
    ({"epochs": 0}, 422, "request.invalid"),
    ({"validation_fraction": 0.9}, 422, "request.invalid"),
    ({"target_fpr": 1}, 422, "request.invalid"),
    ({"target_fpr": 0.51}, 422, "request.invalid"),
    ({"target_fpr": 0.00009}, 422, "request.invalid"),
    ({"seed": -1}, 422, "request.invalid"),
    ({"nonsense": 1}, 422, "request.invalid"),
    ({"name": "x" * 101}, 422, "request.invalid"),
    ({"name": "a\x1b[2Jb"}, 422, "request.invalid"),
    ({"name": "a\r\nb"}, 422, "request.invalid"),
]


@pytest.mark.parametrize(("config", "status", "code"), BAD_CONFIGS)
def test_a_wrong_configuration_is_refused_at_once(
    running: RunningService, card: dict[str, Any], config: dict[str, Any], status: int, code: str
) -> None:
    jobs = httpx.get(f"{running.url}/jobs").json()["total"]
    by_name = httpx.post(f"{running.url}/fit", json={"dataset_id": card["dataset"]["id"], "config": config})
    with_images = send(running, config, archive=("a.zip", dataset_zip(12)))
    for answer in (by_name, with_images):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), answer.text
        assert problem["hint"]
    if code == "request.invalid":
        assert by_name.json()["errors"][0]["field"].startswith("body.config.")
        assert with_images.json()["errors"][0]["field"].startswith("config.")
    assert httpx.get(f"{running.url}/jobs").json()["total"] == jobs
    assert leftovers(running) == []


def test_extractors_side_by_side(running: RunningService, card: dict[str, Any]) -> None:
    answer = fit(running, card["dataset"]["id"], wait=60, extractor=["spectrum", {"name": "npr"}])
    assert answer.status_code == 200, answer.text
    parts = answer.json()["config"]["extractor"]["parts"]
    assert [part["name"] for part in parts] == ["spectrum", "npr"]


def test_an_unknown_name_lists_the_known_ones(running: RunningService) -> None:
    for config, known in (({"head": "magic"}, "svm_rbf"), ({"extractor": "magic"}, "spectrum")):
        assert known in send(running, config, archive=("a.zip", dataset_zip(12))).json()["hint"]


def bad_images() -> dict[str, tuple[dict[str, Any], int, str]]:
    def labelled(real: int, fakes: int) -> dict[str, Any]:
        files = [(f"{n}.png", photo(n)) for n in range(real + fakes)]
        return {"files": files, "labels": (None, json.dumps(["REAL"] * real + ["FAKE"] * fakes))}

    def zip_of(real: int, fakes: int) -> dict[str, Any]:
        names = [f"REAL/{n}.png" for n in range(real)] + [f"FAKE/{n}.png" for n in range(fakes)]
        return {"archive": ("a.zip", zipped([(name, photo(n)) for n, name in enumerate(names)]))}

    return {
        "one class, files": (labelled(12, 0), 422, "dataset.one_class"),
        "one class, zip": (zip_of(0, 12), 422, "dataset.one_class"),
        "three images, files": (labelled(2, 1), 422, "dataset.too_few_images"),
        "three images, zip": (zip_of(1, 2), 422, "dataset.too_few_images"),
        "nine of a class": (labelled(9, 12), 422, "dataset.too_few_images"),
        "a zip bomb": ({"archive": ("a.zip", zip_bomb())}, 413, "archive.too_large"),
        "no images": ({}, 422, "upload.fields"),
        "a missing label": ({"files": [("a.png", photo(1))], "labels": (None, "[]")}, 422, "dataset.label_mismatch"),
    }


@pytest.mark.parametrize("case", sorted(bad_images()))
def test_images_that_cannot_be_fitted_are_refused_at_once(running: RunningService, case: str) -> None:
    parts, status, code = bad_images()[case]
    jobs = httpx.get(f"{running.url}/jobs").json()["total"]
    answer = send(running, **parts)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert httpx.get(f"{running.url}/jobs").json()["total"] == jobs
    assert leftovers(running) == []


def test_a_data_set_too_small_is_refused_at_once(running: RunningService) -> None:
    parts = {"archive": ("a.zip", dataset_zip(3, 1300)), "name": (None, "tiny")}
    assert httpx.post(f"{running.url}/datasets?wait=60", files=parts, timeout=90).status_code == 200
    answer = fit(running, "tiny")
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.too_few_images")


def test_a_class_that_turns_out_unreadable_is_a_failed_job(running: RunningService) -> None:
    members = [(f"REAL/{n}.png", photo(n)) for n in range(15)] + [(f"FAKE/{n}.png", b"nothing") for n in range(15)]
    answer = send(running, wait=60, archive=("a.zip", zipped(members)), name=(None, "half unreadable"))
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.one_class")
    assert "FAKE" in answer.json()["detail"]


def test_other_requests(running: RunningService, card: dict[str, Any]) -> None:
    answer = fit(running, "no-such-data-set")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = httpx.post(f"{running.url}/fit", json={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.dataset_id")
    answer = httpx.post(f"{running.url}/fit", content=b"[", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")
    answer = httpx.post(f"{running.url}/fit", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type")
    answer = send(running, "{", archive=("a.zip", dataset_zip(12)))
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")
    answer = httpx.post(f"{running.url}/fit?wait=601", json={"dataset_id": card["dataset"]["id"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.wait")
    answer = send(running, archive=("a.zip", dataset_zip(12)), name=(None, "sent along"))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
