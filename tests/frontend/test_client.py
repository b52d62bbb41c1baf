"""The client against answers that the real service gives only on bad days."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from frontend.client import Client, pages
from frontend.transport import ApiError
from tests.frontend.conftest import Answering

JOB = {"id": "0123456789abcdef", "kind": "fit", "progress": None, "reason": None, "error_code": None, "result": None}


def test_a_problem_document_becomes_an_error_with_all_it_says(answering: Answering) -> None:
    answering.answer(415, {"code": "image.not_an_image", "detail": "No image.", "hint": "Send one.", "status": 415})
    with pytest.raises(ApiError) as caught:
        Client(answering.url).predict([("a.txt", b"hello")])
    assert (caught.value.code, caught.value.detail, caught.value.hint, caught.value.status) == (
        "image.not_an_image",
        "No image.",
        "Send one.",
        415,
    )


@pytest.mark.parametrize("body", [b"<html>nginx</html>", b'"a string"', b""])
@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_of_another_program_is_said_to_be_that(answering: Answering, status: int, body: bytes) -> None:
    answering.answers.append((status, body))
    with pytest.raises(ApiError, match="did not answer as the service does") as caught:
        Client(answering.url).options()
    assert (caught.value.code, caught.value.status) == ("service.answer", status)


def test_nobody_listening_is_an_error_that_says_how_to_start() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ApiError) as caught:
            Client(url).health()
    assert (caught.value.code, caught.value.status) == ("service.down", 0)
    assert "make run" in caught.value.hint


def test_a_broken_connection_is_tried_again_for_get_only(answering: Answering) -> None:
    answering.answers += ["hang up", "hang up"]
    answering.answer(200, {"status": "ok"})
    assert Client(answering.url).health() == {"status": "ok"}
    answering.answers += ["hang up"]
    with pytest.raises(ApiError) as caught:
        Client(answering.url).set_active("some-model")
    assert caught.value.code == "service.down"
    assert [method for method, *_ in answering.requests] == ["GET", "GET", "GET", "POST"]


def test_an_answer_that_breaks_off_is_asked_for_again(answering: Answering) -> None:
    answering.answers += ["break off"]
    answering.answer(200, {"status": "ok"})
    assert Client(answering.url).health() == {"status": "ok"}
    answering.answers += ["break off"] * 3
    with pytest.raises(ApiError) as caught:
        Client(answering.url).health()
    assert caught.value.code == "service.down"


def test_wait_reports_progress_outlives_a_restart_and_returns_the_job(answering: Answering) -> None:
    answering.answer(200, {**JOB, "state": "running"})
    answering.answers += ["hang up"] * 3  # one GET and its two retries: the service is being restarted
    answering.answer(200, {**JOB, "state": "running"})
    answering.answer(200, {**JOB, "state": "done", "result": {"model_id": "m"}})
    seen: list[str] = []
    job = Client(answering.url).wait(JOB["id"], on_progress=lambda job: seen.append(job["state"]), every_s=0.01)
    assert job["result"] == {"model_id": "m"}
    assert seen == ["running", "running", "done"]


def test_wait_raises_the_jobs_own_reason(answering: Answering) -> None:
    answering.answer(200, {**JOB, "state": "failed", "reason": "Only FAKE images.", "error_code": "dataset.one_class"})
    with pytest.raises(ApiError, match=r"Only FAKE images\.") as caught:
        Client(answering.url).wait(JOB["id"])
    assert caught.value.code == "dataset.one_class"


def test_wait_ends_after_its_time(answering: Answering) -> None:
    answering.answers += [(200, b'{"state": "running"}')] * 50
    with pytest.raises(ApiError) as caught:
        Client(answering.url).wait(JOB["id"], timeout_s=0.1, every_s=0.02)
    assert caught.value.code == "job.still_running"


def test_an_unknown_id_is_one_segment_of_the_path(answering: Answering) -> None:
    answering.answer(404, {"code": "not_found", "detail": "No."})
    with pytest.raises(ApiError):
        Client(answering.url).model("../set?x=1#y")
    assert answering.requests[0][1] == "/models/..%2Fset%3Fx%3D1%23y"


def test_pages_goes_through_all_of_them(answering: Answering) -> None:
    answering.answer(200, {"items": [{"id": 1}, {"id": 2}], "total": 3})
    answering.answer(200, {"items": [{"id": 3}], "total": 3})
    assert [item["id"] for item in pages(Client(answering.url).models, size=2)] == [1, 2, 3]
    assert [path.split("&", 1)[1] for _, path, _, _ in answering.requests] == ["limit=2&offset=0", "limit=2&offset=2"]


def test_a_download_that_breaks_off_leaves_no_file(answering: Answering, tmp_path: Path) -> None:
    answering.answer(404, {"code": "not_found", "detail": "No."})
    with pytest.raises(ApiError):
        Client(answering.url).export_model("m", tmp_path / "m.zip")
    answering.answers.append((200, b"PK..."))
    assert Client(answering.url).export_model("m", tmp_path / "m.zip").read_bytes() == b"PK..."
    assert [path.name for path in tmp_path.iterdir()] == ["m.zip"]
