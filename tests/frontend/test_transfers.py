"""Uploads in the background: they end with a job or a reason, can be stopped, and names come out free and short."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from frontend.client import Client
from frontend.data.transfers import MAX_NAME, Transfer, free_name, start_transfer, stem_of
from frontend.uploads import Upload
from tests.frontend.conftest import Answering
from tests.frontend.zips import pack
from tests.running import RunningService


def wait_for(reached: Callable[[], bool]) -> None:
    """Returns once it is so; fails after a minute."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def finish(transfer: Transfer) -> Transfer:
    """The transfer once its thread has ended it."""
    wait_for(lambda: transfer.ended)
    return transfer


def test_a_large_archive_arrives_whole_and_its_bytes_are_counted(fitted: RunningService) -> None:
    archive = pack([f"{label}/{n}.png" for label in ("REAL", "FAKE") for n in range(24)], side=200)
    assert len(archive) > 4 << 20
    client = Client(fitted.url)
    transfer = finish(start_transfer(client, "sent whole", Upload(archive=("a.zip", memoryview(archive)))))
    assert transfer.error is None
    assert transfer.sent == transfer.total > len(archive)
    job = client.wait(transfer.job_id, timeout_s=60)
    dataset = client.dataset(job["result"]["dataset_id"])
    client.delete_dataset(dataset["id"])
    assert dataset["images"] == 48


def test_a_refusal_is_kept_for_the_page(fitted: RunningService) -> None:
    transfer = finish(start_transfer(Client(fitted.url), "not a zip", Upload(archive=("a.zip", b"no archive"))))
    assert transfer.job_id == ""
    assert transfer.error is not None
    assert "zip" in transfer.error.detail


def test_a_service_that_is_away_is_a_reason_too() -> None:
    transfer = finish(start_transfer(Client("http://127.0.0.1:9"), "x", Upload(archive=("a.zip", b"x"))))
    assert transfer.error is not None
    assert transfer.error.status == 0


def test_a_stopped_upload_sends_nothing_more(answering: Answering) -> None:
    transfer = Transfer("stopped")
    transfer.stop()
    client, upload = Client(answering.url), Upload(archive=("a.zip", bytes(8 << 20)))
    transfer._run(lambda on_sent: client.import_images(transfer.name, upload, on_sent=on_sent))
    assert transfer.ended
    assert (transfer.job_id, transfer.error, transfer.sent) == ("", None, 0)
    assert all(len(body) < 8 << 20 for *_, body in answering.requests)


def test_the_key_of_the_visitor_goes_with_the_upload(answering: Answering) -> None:
    answering.answer(202, {"id": "job-1"})
    transfer = finish(start_transfer(Client(answering.url, "my-key"), "named", Upload(archive=("a.zip", b"PK"))))
    method, path, headers, body = answering.requests[0]
    assert (transfer.job_id, method, path) == ("job-1", "POST", "/datasets")
    assert headers["Authorization"] == "Bearer my-key"
    assert b'name="name"\r\n\r\nnamed\r\n' in body


def test_parquet_files_are_sent_from_memory(answering: Answering) -> None:
    answering.answer(202, {"id": "job-2"})
    Client(answering.url).import_images("p", Upload(parquet=[("one.parquet", b"PAR1"), ("two.parquet", b"PAR1")]))
    body = answering.requests[0][3]
    assert body.count(b'name="parquet"') == 2
    assert b'filename="two.parquet"' in body
    assert json.dumps("p").encode() not in body


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("photos", [], "photos"),
        ("photos", ["photos", "photos 2"], "photos 3"),
        ("  two \n lines\x00 ", [], "two lines"),
        ("x" * 150, [], "x" * MAX_NAME),
        ("x" * 150, ["x" * MAX_NAME], "x" * (MAX_NAME - 2) + " 2"),
    ],
)
def test_a_suggested_name_is_free_short_and_on_one_line(wanted: str, taken: list[str], name: str) -> None:
    assert free_name(wanted, taken) == name


@pytest.mark.parametrize(
    ("filename", "stem"), [("a.zip", "a"), ("C:\\x\\b.tar.gz", "b.tar"), ("folder/c", "c"), (".zip", ".zip")]
)
def test_a_data_set_is_called_like_its_file(filename: str, stem: str) -> None:
    assert stem_of(filename) == stem
