"""The page Data: a visitor adds data sets in three ways, is told what went wrong, finds, exports and deletes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import SupportsIndex

import pytest
from streamlit.testing.v1 import AppTest

from frontend.client import Client
from frontend.data.add_data import WAY
from frontend.data.dataset_actions import export
from frontend.data.imports import SENDING
from frontend.data.transfers import Transfer
from frontend.exports import FETCHING, Fetching
from frontend.transport import Json
from tests.frontend.conftest import Answering, Open, shown
from tests.frontend.zips import pack, picture, run_until
from tests.running import RunningService

BOTH = [f"{label}/{n}.png" for label in ("REAL", "FAKE/gan") for n in range(3)]
LIMITS = {"max_upload_bytes": 5 << 20, "max_files": 10, "min_images_per_class": 10}
OPTIONS = {"limits": LIMITS, "sources": [{"name": "demo", "help": "a small set"}]}
NOTHING = {"items": [], "total": 0, "limit": 50, "offset": 0}


@pytest.fixture
def client(fitted: RunningService) -> Iterator[Client]:
    """A client; what a test adds beside "fitted" is deleted after it."""
    service = Client(fitted.url)
    yield service
    for job in service.jobs(kind="import", limit=200)["items"]:
        if job["state"] in ("queued", "running"):
            service.cancel_job(job["id"])
    for dataset in service.datasets(limit=200)["items"]:
        if dataset["name"] != "fitted":
            service.delete_dataset(dataset["id"])


def choose_archive(page: AppTest, content: bytes, filename: str = "holiday.zip") -> AppTest:
    """The page with a file in the uploader of archives."""
    page.file_uploader[0].set_value([(filename, content, "application/zip")])
    return page.run()


def name_field(page: AppTest, way: str) -> str:
    """What stands in the field for the name of one of the three ways."""
    return str(next(field.value for field in page.text_input if str(field.key).startswith(f"add.{way}.name")))


def shown_names(page: AppTest) -> list[str]:
    """Names in the table of data sets."""
    return list(page.dataframe[0].value["Name"]) if page.dataframe else []


def press(page: AppTest, key: str) -> AppTest:
    """The page after a click on the button of that key."""
    page.button(key=key).click()
    return page.run()


def test_a_zip_becomes_a_data_set_that_one_can_look_at_and_train_on(
    fitted: RunningService, client: Client, open_page: Open
) -> None:
    page = choose_archive(open_page(fitted.url, "datasets"), pack(BOTH))
    assert name_field(page, "archive") == "holiday"
    page = run_until(press(page, "add.archive.start"), lambda page: "“holiday” is there." in shown(page))
    dataset = client.dataset("holiday")
    links = {link.proto.query_string for link in page.page_link}
    assert {f"id={dataset['id']}", f"dataset={dataset['id']}"} <= links
    assert dataset["generators"] == {"gan": 3}
    assert name_field(page, "archive") == ""  # the next form is empty
    assert shown_names(page)[0] == "holiday"


def test_a_name_that_is_taken_gets_a_number(fitted: RunningService, client: Client, open_page: Open) -> None:
    page = choose_archive(open_page(fitted.url, "datasets"), pack(BOTH), "fitted.zip")
    assert name_field(page, "archive") == "fitted 2"


def test_a_typed_name_is_kept_when_another_file_is_chosen(
    fitted: RunningService, client: Client, open_page: Open
) -> None:
    page = open_page(fitted.url, "datasets")
    field = next(field for field in page.text_input if str(field.key).startswith("add.archive.name"))
    field.set_value("my own")
    page = choose_archive(page.run(), pack(BOTH))
    assert name_field(page, "archive") == "my own"


def test_a_taken_name_is_said_before_anything_is_sent(fitted: RunningService, client: Client, open_page: Open) -> None:
    page = choose_archive(open_page(fitted.url, "datasets"), pack(BOTH))
    next(field for field in page.text_input if str(field.key).startswith("add.archive.name")).set_value("fitted")
    page = press(page, "add.archive.start")
    assert "There is a data set named “fitted” already." in shown(page)
    assert name_field(page, "archive") == "fitted"
    assert page.file_uploader[0].value


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no archive at all", "zip"), (pack(["loose.png"]), "no file in a REAL/ or FAKE/ folder")]
)
def test_a_useless_archive_is_explained_and_stays_chosen(
    fitted: RunningService, client: Client, open_page: Open, content: bytes, reason: str
) -> None:
    page = press(choose_archive(open_page(fitted.url, "datasets"), content), "add.archive.start")
    page = run_until(page, lambda page: bool(page.error))
    assert reason in shown(page)
    assert page.file_uploader[0].value
    assert name_field(page, "archive") == "holiday"
    assert not page.button(key="add.archive.start").disabled


def test_files_that_are_let_go_by_leaving_the_page_are_not_said_to_be_chosen(
    fitted: RunningService, client: Client, open_page: Open
) -> None:
    page = press(choose_archive(open_page(fitted.url, "datasets"), b"no archive at all"), "add.archive.start")
    page = run_until(page, lambda page: bool(page.error))
    assert "Everything is still chosen." in shown(page)
    page.switch_page("screens/jobs.py").run()
    said = shown(page.switch_page("screens/datasets.py").run())
    assert "still chosen" not in said
    assert "choose them again" in said


def test_an_import_that_fails_says_why(fitted: RunningService, client: Client, open_page: Open) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("REAL/broken.png", b"these bytes are no picture")
    page = press(choose_archive(open_page(fitted.url, "datasets"), stream.getvalue()), "add.archive.start")
    page = run_until(page, lambda page: "could not be imported" in shown(page))
    assert client.jobs(kind="import", limit=1)["items"][0]["reason"] in shown(page)
    put_away = next(button for button in page.button if str(button.key).startswith("put_away."))
    put_away.click()
    assert "could not be imported" not in shown(page.run())


def test_single_pictures_are_labelled_by_the_side_they_are_put_on(
    fitted: RunningService, client: Client, open_page: Open
) -> None:
    page = open_page(fitted.url, "datasets")
    page.file_uploader[1].set_value([(f"r{n}.png", picture(n), "image/png") for n in range(3)])
    page.file_uploader[2].set_value([(f"f{n}.png", picture(n + 9), "image/png") for n in range(2)])
    page = press(page.run(), "add.pictures.start")
    run_until(page, lambda page: "“pictures” is there." in shown(page))
    assert client.dataset("pictures")["counts"] == {"": {"REAL": 3, "FAKE": 2}}


def test_a_known_source_is_imported_and_found_again_after_a_reload(
    fitted: RunningService, client: Client, open_page: Open
) -> None:
    page = open_page(fitted.url, "datasets")
    assert any("a small set made on the spot" in caption for caption in page.radio[0].proto.captions)
    press(page, "add.source.start")
    again = open_page(fitted.url, "datasets")  # a new session: nothing but the service remembers
    found = run_until(again, lambda page: "is being imported" in shown(page) or "demo" in shown_names(page))
    run_until(found, lambda page: "demo" in shown_names(page))
    assert client.dataset("demo")["source"] == "demo"


class ByPath(list[tuple[int, bytes] | str]):
    """Answers of the fake service that go by the request's path, however often and in whatever order a page asks."""

    def __init__(self, state: Answering, documents: dict[str, Json]) -> None:
        super().__init__(["by path"])
        self._state, self._documents = state, documents

    def pop(self, index: SupportsIndex = -1) -> tuple[int, bytes] | str:
        path = self._state.requests[-1][1]
        found = next((answer for beginning, answer in self._documents.items() if path.startswith(beginning)), NOTHING)
        return 200, json.dumps(found).encode()


def pretend(answering: Answering, documents: dict[str, Json]) -> None:
    """Lets the fake service answer so to addresses that begin so, with an empty list to all others."""
    answering.answers = ByPath(answering, {"/options": OPTIONS, **documents})


def test_a_running_import_of_somebody_else_is_shown_with_a_way_to_cancel_it(
    answering: Answering, open_page: Open
) -> None:
    job = {"id": "j1", "kind": "import", "state": "running", "params": {"name": "theirs"}, "cancel_requested": False}
    job |= {"progress": {"stage": "import", "done": 5, "total": 10, "images_per_second": None, "seconds_left": 2}}
    job |= {"attempts": 1}
    running = {"items": [job], "total": 1}
    pretend(answering, {"/jobs/j1": job, "/jobs?state=running": running})
    page = open_page(answering.url, "datasets")
    assert "“theirs” is being imported" in shown(page)
    assert page.button(key="cancel.j1")


def test_what_the_service_takes_at_most_is_said_and_the_first_data_set_is_suggested(
    answering: Answering, open_page: Open
) -> None:
    pretend(answering, {})
    page = open_page(answering.url, "datasets")
    assert "at most 5.2 MB in all" in page.file_uploader[0].label.replace("\\", "")
    assert "take the source “demo”" in shown(page)


def test_while_the_service_is_away_the_chosen_files_stay(answering: Answering, open_page: Open) -> None:
    pretend(answering, {})
    page = choose_archive(open_page(answering.url, "datasets"), pack(BOTH))
    answering.answers = []  # it hangs up from now on
    page.run()
    assert "does not answer" in shown(page)
    assert page.file_uploader[0].value
    pretend(answering, {})
    assert "does not answer" not in shown(page.run())
    assert page.file_uploader[0].value
    assert name_field(page, "archive") == "holiday"


def test_an_upload_that_arrived_is_followed_although_the_service_went_away_at_once(
    answering: Answering, open_page: Open
) -> None:
    pretend(answering, {})
    page = choose_archive(open_page(answering.url, "datasets"), pack(BOTH))
    arrived = Transfer("holiday")
    arrived.job_id, arrived.ended = "j1", True
    page.session_state[SENDING], page.session_state[WAY] = arrived, "archive"
    answering.answers = []  # it hangs up from now on
    page.run()
    assert "does not answer" in shown(page)
    job = {"id": "j1", "kind": "import", "state": "failed", "params": {"name": "holiday"}}
    pretend(answering, {"/jobs/j1": job | {"reason": "The disk is full.", "error_code": ""}})
    assert "“holiday” could not be imported: The disk is full." in shown(page.run())


def test_too_much_is_refused_before_anything_is_sent(answering: Answering, open_page: Open) -> None:
    pretend(answering, {})
    page = open_page(answering.url, "datasets")
    halves = [(f"{n}.parquet", b"PAR1" * (750 << 10), "application/octet-stream") for n in range(2)]  # 3 MB each
    page.file_uploader[0].set_value(halves)
    page.run()
    page = press(page, "add.archive.start")
    assert "Together this is 6.1 MB" in shown(page)
    assert page.file_uploader[0].value
    assert all(request[0] == "GET" for request in answering.requests)


def test_two_archives_at_once_are_refused(fitted: RunningService, open_page: Open) -> None:
    page = open_page(fitted.url, "datasets")
    page.file_uploader[0].set_value([(f"{n}.zip", pack(BOTH), "application/zip") for n in range(2)])
    assert "several archives become several data sets" in shown(page.run())
    assert page.button(key="add.archive.start").disabled


def test_a_search_narrows_the_list_and_says_when_nothing_is_left(fitted: RunningService, open_page: Open) -> None:
    page = open_page(fitted.url, "datasets")
    assert shown_names(page) == ["fitted"]
    page.text_input(key="datasets.q").set_value("nowhere")
    assert "No data set has “nowhere” in its name." in shown(page.run())


def test_many_data_sets_come_in_pages(answering: Answering, open_page: Open) -> None:
    item = {"version": 1, "created_at": "2026-01-02T03:04:05Z", "source": "zip", "images": 2, "bytes": 10}
    item |= {"counts": {"": {"REAL": 1, "FAKE": 1}}, "generators": {"": 1}}
    items = [{"id": f"d{n}", "name": f"set {n}"} | item for n in range(50)]
    pretend(answering, {"/datasets?limit=50&offset=0": {"items": items, "total": 120}})
    page = open_page(answering.url, "datasets")
    assert page.pagination[0].num_pages == 3
    assert "1 to 50 of 120" in shown(page)
    pretend(answering, {"/datasets?limit=50&offset=100": {"items": items[:20], "total": 120}})
    page.pagination[0].set_value(3)
    assert "101 to 120 of 120" in shown(page.run())
    assert "offset=100" in "".join(path for _, path, *_ in answering.requests)


@pytest.mark.parametrize("format", ["zip", "parquet"])
def test_an_export_holds_the_images_and_leaves_no_file_behind(
    fitted: RunningService,
    client: Client,
    tmp_path: Path,
    format: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fetching = Fetching("export")
    fetching.run(export(client, "fitted", format))
    assert (fetching.content or b"")[:4] == (b"PK\x03\x04" if format == "zip" else b"PAR1")
    assert not list(tmp_path.iterdir())


def export_key(page: AppTest) -> str:
    """The key of the button that has the zip made."""
    return next(str(button.key) for button in page.button if str(button.key).startswith("export.zip."))


def test_an_export_is_made_by_one_button_and_saved_by_another(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "dataset", id="fitted")
    assert not page.get("download_button")
    page = press(page, export_key(page))
    for _ in range(100):
        if saving := page.get("download_button"):
            break
        page.run()
    assert saving[0].proto.label.startswith("Save fitted")
    assert saving[0].proto.url


def test_an_export_that_the_service_refuses_is_a_sentence(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url, "dataset", id="fitted")
    refused = Fetching(export_key(page))
    refused.run(lambda target: Client(fitted.url).export_dataset("gone", target))
    page.session_state[FETCHING] = refused
    said = shown(page.run())
    assert "The file could not be made: There is no data set 'gone'." in said
    assert page.button(key=refused.key).label == "Zip with REAL and FAKE folders"


def test_the_service_being_away_is_a_sentence(open_page: Open) -> None:
    page = open_page("http://127.0.0.1:9", "datasets")
    assert "does not answer" in shown(page)
