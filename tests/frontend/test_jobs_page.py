"""The pages of all jobs and of one: what runs, what failed and why, what was asked; cancel and try again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from streamlit.testing.v1 import AppTest

from frontend.job_view import seconds_taken, title_of
from frontend.texts import plain
from tests.frontend.conftest import BETWEEN_DRAWINGS_S, Answering, Open, shown
from tests.running import RunningService

Json = dict[str, Any]
Fit = Callable[..., Json]
FINISHED = ("done", "failed", "cancelled")
HOSTILE = "**bold** [x](http://evil.example) :red[y] <b>|"
NOTHING: Json = {"items": [], "total": 0, "limit": 50, "offset": 0}


def get(service: RunningService, path: str, **params: str) -> Json:
    answer: Json = requests.get(f"{service.url}{path}", params=params, timeout=30).json()
    return answer


def ended(service: RunningService, job: Json) -> Json:
    """The job once it has ended."""
    while job["state"] not in FINISHED:
        time.sleep(0.1)
        job = get(service, f"/jobs/{job['id']}")
    return job


@pytest.fixture
def fit(fitted: RunningService) -> Iterator[Fit]:
    """Starts a fit on "fitted" and waits for its end unless `wait` is false; nothing of it is left."""
    started: list[Json] = []

    def fit(*, wait: bool = True, **config: Any) -> Json:
        body = {"dataset_id": "fitted", "config": config}
        job: Json = requests.post(f"{fitted.url}/fit", json=body, timeout=60).json()
        started.append(job)
        return ended(fitted, job) if wait else job

    yield fit
    for job in reversed(started):
        requests.delete(f"{fitted.url}/jobs/{job['id']}", timeout=30)
        if (result := ended(fitted, get(fitted, f"/jobs/{job['id']}"))["result"]) is not None:
            requests.delete(f"{fitted.url}/models/{result['model_id']}", timeout=30)


@pytest.fixture(scope="module")
def broken(fitted: RunningService) -> Json:
    """A fit that failed: there is no such network."""
    config = {"extractor": {"name": "cnn", "backbone": "no_such_network"}, "name": HOSTILE}
    asked = {"dataset_id": "fitted", "config": config}
    return ended(fitted, requests.post(f"{fitted.url}/fit", json=asked, timeout=60).json())


@pytest.fixture
def failed(fitted: RunningService, broken: Json) -> Json:
    """The same, after whoever tried it again."""
    return ended(fitted, get(fitted, f"/jobs/{broken['id']}"))


def by_key(page: AppTest, key: str) -> Any:
    return next(button for button in page.button if button.key == key)


def links(page: AppTest) -> dict[str, str]:
    """Label of every link to a page -> its query."""
    protos = [element.proto for element in page.get("page_link")]
    return {proto.label: proto.query_string for proto in protos}


def linked(page: AppTest) -> list[str]:
    """The queries of the links to jobs, in their order."""
    queries = [element.proto.query_string for element in page.get("page_link")]
    return [query for query in queries if query.startswith("id=")]


def cells(page: AppTest) -> list[str]:
    return [str(cell).replace("\\", "") for table in page.table for row in table.value.to_numpy() for cell in row]


def test_every_job_is_listed_with_a_link_and_a_failure_with_its_reason(
    open_page: Open, fitted: RunningService, failed: Json
) -> None:
    page = open_page(fitted.url, "jobs")
    text = shown(page)
    assert failed["reason"] in text
    assert {"Done", "Failed"} <= {word for word in ("Done", "Failed", "Running") if word in text}
    assert links(page)[plain(f"Training: {HOSTILE} · fitted")] == f"id={failed['id']}"  # escaped: never markup
    assert f"id={get(fitted, '/jobs', kind='import')['items'][0]['id']}" in linked(page)


def test_filters_keep_jobs_of_one_state_and_kind(open_page: Open, fitted: RunningService, failed: Json) -> None:
    page = open_page(fitted.url, "jobs")
    page.selectbox(key="jobs.state.en").set_value("failed").run()
    found = get(fitted, "/jobs", state="failed")
    assert linked(page) == [f"id={job['id']}" for job in found["items"]]
    page.selectbox(key="jobs.kind.en").set_value("import").run()
    assert f"id={failed['id']}" not in linked(page)
    page.selectbox(key="jobs.state.en").set_value("running").run()
    assert "Nothing runs at the moment." in shown(page)


def test_a_failed_job_is_tried_again_from_the_list(open_page: Open, fitted: RunningService, failed: Json) -> None:
    page = open_page(fitted.url, "jobs")
    by_key(page, f"retry.{failed['id']}").click().run()
    assert not page.exception
    again = get(fitted, f"/jobs/{failed['id']}")
    assert again["state"] in ("queued", "running") or again["started_at"] > failed["finished_at"]


def test_what_runs_stands_on_top_and_is_cancelled_there(open_page: Open, fitted: RunningService, fit: Fit) -> None:
    running = fit(wait=False, input_size=128)
    waiting = fit(wait=False, extractor="spectrum", name="the second")
    while get(fitted, f"/jobs/{running['id']}")["state"] == "queued":
        time.sleep(0.1)
    page = open_page(fitted.url, "jobs")
    assert linked(page)[:2] == [f"id={running['id']}", f"id={waiting['id']}"]
    by_key(page, f"cancel.{waiting['id']}").click().run()
    assert get(fitted, f"/jobs/{waiting['id']}")["state"] == "cancelled"
    assert "It stops within" not in shown(page)
    by_key(page, f"cancel.{running['id']}").click().run()
    while (state := get(fitted, f"/jobs/{running['id']}")["state"]) == "running":
        time.sleep(BETWEEN_DRAWINGS_S)
        assert "It stops within seconds." in shown(page.run()) or get(fitted, f"/jobs/{running['id']}")["finished_at"]
    assert state == "cancelled"
    assert "Nothing runs at the moment." in shown(page.run())


def test_a_refused_action_says_why_and_stays_said(open_page: Open, answering: Answering) -> None:
    job = {
        "id": "a" * 16,
        "kind": "import",
        "state": "failed",
        "params": {"name": HOSTILE, "source": {"kind": "zip"}},
        "result": None,
        "reason": "**Broken.**",
        "error_code": "archive.broken",
        "progress": None,
        "created_at": "2026-11-24T08:58:55Z",
        "started_at": "2026-11-24T08:58:55Z",
        "finished_at": "2026-11-24T08:59:55Z",
        "attempts": 1,
        "cancel_requested": False,
    }
    listed = {**NOTHING, "items": [job], "total": 1}
    draw = [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, listed, NOTHING]  # the last: the frame's running jobs
    page = draw_with(open_page, answering, draw)
    text = shown(page)
    assert "**Broken.**" in text
    assert "took 60 s" in text
    answering.answers.clear()
    answering.answer(409, {"code": "conflict", "detail": "The files are gone.", "hint": "Send them again."})
    for document in draw:
        answering.answer(200, document)
    by_key(page, f"retry.{job['id']}").click().run()
    assert "The files are gone. Send them again." in shown(page)


def draw_with(open_page: Open, answering: Answering, documents: list[Json]) -> AppTest:
    for document in documents:
        answering.answer(200, document)
    return open_page(answering.url, "jobs")


def test_more_jobs_than_fit_come_in_pages(open_page: Open, fitted: RunningService, answering: Answering) -> None:
    job = get(fitted, "/jobs", state="done")["items"][0]
    page_of = {"items": [{**job, "id": f"{n:016}"} for n in range(20)], "total": 45, "limit": 20, "offset": 0}
    page = draw_with(open_page, answering, [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, page_of, NOTHING])
    assert "1 to 20 of 45" in shown(page)
    assert page.get("pagination")


def test_one_job_tells_what_was_asked_in_words(open_page: Open, fitted: RunningService, fit: Fit) -> None:
    job = fit(extractor="spectrum", head="logreg", C=0.05, target_fpr=0.01, notes="my *notes*", name=HOSTILE)
    page = open_page(fitted.url, "job", id=job["id"])
    text, table = shown(page), cells(page)
    assert f"Training: {HOSTILE} · fitted" in text
    assert {"Logistic regression (logreg)", "0.05", "1 %", "Spectrum (spectrum)", "fitted", HOSTILE} <= set(table)
    assert "my *notes*" in [text.value for text in page.text]
    found = links(page)
    assert found["Open the model"] == f"id={job['result']['model_id']}"
    assert found["Show on the page Train"] == f"job={job['id']}"
    assert found["Open the data set"] == f"id={job['result']['dataset_id']}"


def test_a_failed_job_tells_its_code_and_is_tried_again(open_page: Open, fitted: RunningService, failed: Json) -> None:
    page = open_page(fitted.url, "job", id=failed["id"])
    assert failed["reason"] in shown(page)
    assert failed["error_code"] in cells(page)
    by_key(page, f"retry.{failed['id']}").click().run()
    while get(fitted, f"/jobs/{failed['id']}")["state"] not in FINISHED:
        time.sleep(BETWEEN_DRAWINGS_S)
        assert not page.run().exception
    assert failed["reason"] in shown(page.run())


def test_an_import_tells_where_its_images_came_from(open_page: Open, fitted: RunningService) -> None:
    imports = get(fitted, "/jobs", kind="import", limit=200)["items"]
    job = next(job for job in imports if job["params"]["name"] == "fitted")
    page = open_page(fitted.url, "job", id=job["id"])
    assert {"fitted", "the demonstration set"} <= set(cells(page))
    assert "Open the model" not in links(page)


def test_without_an_id_or_with_a_wrong_one_it_shows_the_way(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "job")
    assert "names no job" in shown(page)
    assert "All jobs" in links(page)
    assert "nothing at this address" in shown(open_page(fitted.url, "job", id="nothing-12345678"))


def test_both_pages_speak_russian(open_page: Open, fitted: RunningService, failed: Json) -> None:
    page = open_page(fitted.url, "job", id=failed["id"])
    page.session_state["lang"] = "ru"
    assert "Что было задано" in shown(page.run())
    assert "Логистическая регрессия (logreg)" in cells(page)
    page.switch_page("screens/jobs.py").run()
    assert "Завершённые" in shown(page)
    assert page.selectbox(key="jobs.state.ru").options[0] == "все"


def test_a_job_of_a_kind_from_a_later_version_has_a_title() -> None:
    assert title_of({"kind": "sweep", "params": {}}, {}) == "sweep"
    assert title_of({"kind": "profile", "params": {"dataset_id": "x"}}, {"x": "cats"}) == "Profile of a data set: cats"


def test_the_time_of_a_running_job_goes_on() -> None:
    times = {"started_at": "2026-11-24T08:58:55.5Z", "finished_at": None}
    assert seconds_taken(times, datetime(2026, 11, 24, 8, 59, 0, tzinfo=UTC)) == 4.5
    assert seconds_taken(times, datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)) == 0.0  # its clock is ahead of ours
    assert seconds_taken({"started_at": None, "finished_at": None}) is None
