"""Requests that contradict each other at the same time: one wins, and every answer fits what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.pictures import photo
from tests.running import RunningService


@pytest.fixture
def models(fitted: RunningService) -> Iterator[Callable[[], str]]:
    """Makes models of this test's own; afterwards they are gone, and the model that was active is so again."""
    active = active_model(fitted)
    made: list[str] = []

    def make() -> str:
        config = {"name": f"race {len(made)}", "extractor": "spectrum", "head": "logreg", "C": 1.0}
        answer = httpx.post(f"{fitted.url}/fit?wait=60", json={"dataset_id": "fitted", "config": config}, timeout=90)
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return made[-1]

    yield make
    assert httpx.post(f"{fitted.url}/set", json={"model_id": active}).status_code == 200
    for model in made:
        assert httpx.delete(f"{fitted.url}/models/{model}").status_code in (200, 204, 404)


def active_model(service: RunningService) -> str:
    active = [card["id"] for card in httpx.get(f"{service.url}/models").json()["items"] if card["active"]]
    assert len(active) == 1
    return str(active[0])


def predict(service: RunningService, model: str | None = None) -> httpx.Response:
    fields = {} if model is None else {"model_id": model}
    return httpx.post(f"{service.url}/predict", files={"files": ("a", photo(1))}, data=fields, timeout=30)


def test_of_two_choices_at_once_one_wins(fitted: RunningService, models: Callable[[], str]) -> None:
    choices = [models(), active_model(fitted)] * 8
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda model: httpx.post(f"{fitted.url}/set", json={"model_id": model}, timeout=30), choices)
        )
    for model, answer in zip(choices, answers, strict=True):
        assert (answer.status_code, answer.json()["id"]) == (200, model)
    assert active_model(fitted) in choices
    assert predict(fitted).json()["model_id"] == active_model(fitted)


def test_a_model_deleted_while_it_predicts_answers_or_is_not_found(
    fitted: RunningService, models: Callable[[], str]
) -> None:
    model, stop = models(), threading.Event()

    def ask() -> list[tuple[int, str]]:
        seen = []
        while not stop.is_set():
            answer = predict(fitted, model)
            seen.append((answer.status_code, answer.json().get("model_id", "")))
        return seen

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        threading.Event().wait(0.5)
        assert httpx.delete(f"{fitted.url}/models/{model}", timeout=30).status_code in (200, 204)
        threading.Event().wait(0.5)
        stop.set()
        seen = [future.result() for future in asking]
    assert {answer for answers in seen for answer in answers} == {(200, model), (404, "")}
    assert all(answers == sorted(answers) for answers in seen)  # once it is not found, it never answers again


def test_choosing_and_deleting_a_model_at_once_never_leaves_the_service_without_one(
    fitted: RunningService, models: Callable[[], str]
) -> None:
    before = active_model(fitted)
    for _ in range(2):
        model = models()
        with ThreadPoolExecutor(2) as threads:
            choice = threads.submit(httpx.post, f"{fitted.url}/set", json={"model_id": model}, timeout=30)
            removal = threads.submit(httpx.delete, f"{fitted.url}/models/{model}", timeout=30)
        statuses = (choice.result().status_code, removal.result().status_code)
        assert statuses in ((200, 409), (404, 200), (404, 204)), statuses
        assert active_model(fitted) == (model if statuses[0] == 200 else before)
        assert predict(fitted).status_code == 200
        httpx.post(f"{fitted.url}/set", json={"model_id": before})
