"""POST /evaluations and the matrix against the running service: figures, lists, the card, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.running import RunningService

QUICK = {"extractor": "spectrum", "head": "logreg", "C": 1.0}


def post(service: RunningService, path: str, body: Any, wait: int = 240) -> httpx.Response:
    return httpx.post(f"{service.url}/evaluations{path}?wait={wait}", json=body, timeout=300)


@pytest.fixture(scope="module")
def model_id(fitted: RunningService) -> str:
    return str(httpx.get(f"{fitted.url}/models?q=fitted").json()["items"][0]["id"])


@pytest.fixture(scope="module")
def evaluation(fitted: RunningService, model_id: str) -> Iterator[dict[str, Any]]:
    answer = post(fitted, "", {"model_id": model_id, "dataset_ids": ["fitted"]})
    assert answer.status_code == 200, answer.text
    yield answer.json()
    httpx.delete(f"{fitted.url}/evaluations/{answer.json()['id']}")


def test_a_model_is_measured_by_generator(fitted: RunningService, evaluation: dict[str, Any], model_id: str) -> None:
    card = httpx.get(f"{fitted.url}/models/{model_id}").json()
    assert evaluation["model_id"] == model_id
    assert {row["generator"] for row in evaluation["generators"]} == set(card["generators"])
    assert all(row["seen"] and 0 <= row["recall"] <= 1 for row in evaluation["generators"])
    assert evaluation["excluded"]["in_training"] > 0
    assert evaluation["conclusion"] is None  # it has seen all of them
    assert card["held_out_generators"] is None
    assert httpx.get(f"{fitted.url}/evaluations/{evaluation['id']}").json() == evaluation
    assert httpx.get(f"{fitted.url}/jobs/{evaluation['id']}").json()["kind"] == "evaluate"


def test_the_list_has_it_without_its_figures(fitted: RunningService, evaluation: dict[str, Any], model_id: str) -> None:
    page = httpx.get(f"{fitted.url}/evaluations?model_id={model_id}&kind=evaluate").json()
    assert [item["id"] for item in page["items"]] == [evaluation["id"]]
    assert page["items"][0]["generators"] is None
    assert httpx.get(f"{fitted.url}/evaluations?kind=matrix&model_id={model_id}").json()["total"] == 0


def test_a_matrix_is_made_and_deleted(fitted: RunningService) -> None:
    known = httpx.get(f"{fitted.url}/datasets/fitted").json()["generators"]
    names = sorted(known)[:2]
    answer = post(fitted, "/matrix", {"dataset_ids": ["fitted"], "generators": names, "config": QUICK})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["generators"] == names
    assert [(row["kind"], row["generator"]) for row in found["rows"]] == [("alone", name) for name in names]
    assert found["conclusion"]["tests"] == 2
    path = f"{fitted.url}/evaluations/{found['id']}"
    assert httpx.delete(path).status_code == 204
    assert httpx.get(path).status_code == 404
    assert httpx.delete(path).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"model_id": "none", "dataset_ids": ["fitted"]}, 404, "not_found"),
        ("", {"model_id": "cifake-logreg", "dataset_ids": ["none"]}, 404, "not_found"),
        ("", {"model_id": "cifake-logreg", "dataset_ids": []}, 422, "request.invalid"),
        ("", {"model_id": "cifake-logreg", "dataset_ids": ["fitted"], "split": "train"}, 422, "request.invalid"),
        ("/matrix", {"dataset_ids": ["fitted"], "generators": ["autoencoder", "x"]}, 422, "invalid_input"),
        ("/matrix", {"dataset_ids": ["fitted"], "generators": ["autoencoder"]}, 422, "request.invalid"),
        ("/matrix", {"dataset_ids": ["fitted"], "config": {"head": "none"}}, 422, "config.unknown_head"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    fitted: RunningService, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = post(fitted, path, body, wait=0)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["hint"]
