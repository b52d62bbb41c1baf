"""The page of one data set: figures, findings, charts, pictures, outliers, duplicates, deletion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from frontend.client import Client
from frontend.texts import TEXTS
from frontend.transport import ApiError, Json
from frontend.uploads import Upload
from tests.frontend.conftest import Answering, Open, shown
from tests.frontend.test_datasets_page import pretend
from tests.frontend.zips import picture, run_until
from tests.running import RunningService

PARTS = ("summary", "pictures", "colour", "measures", "spectrum", "files", "outliers", "duplicates")
DATASET = {
    "id": "d1",
    "name": "pretended",
    "version": 1,
    "created_at": "2026-01-02T03:04:05Z",
    "source": "zip",
    "images": 2,
    "bytes": 10,
    "counts": {"": {"REAL": 1, "FAKE": 1}},
    "generators": {"": 1},
    "skipped": {"count": 0, "first": []},
}


@pytest.fixture(scope="module")
def twins(fitted: RunningService) -> Iterator[Json]:
    """A data set with a broken file, two generators, and a test image that is in train too."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for split, first in (("train", 0), ("test", 5)):  # number 5 is in both
            for n in range(first, first + 6):
                archive.writestr(f"{split}/REAL/r{n}.png", picture(n + 100 * (split == "test"), 16))
                archive.writestr(f"{split}/FAKE/{'gan' if n % 2 else 'sdxl'}/f{n}.png", picture(1000 + n, 24))
        archive.writestr("train/REAL/broken <b>.png", b"no picture")
    client = Client(fitted.url)
    job = client.import_images("twins", Upload(archive=("twins.zip", stream.getvalue())))
    dataset = client.dataset(client.wait(job["id"], timeout_s=120)["result"]["dataset_id"])
    client.eda(dataset["id"], wait_s=120)
    yield dataset
    client.delete_dataset(dataset["id"])


def open_part(open_page: Open, service: RunningService, dataset: Json, part: str, **query: str) -> AppTest:
    """A part of the data set's page, once its profile is there."""
    page = open_page(service.url, "dataset", id=dataset["id"], part=part, **query)
    return run_until(page, lambda page: TEXTS["profile.making"].en not in shown(page))


def test_the_header_says_what_is_in_it_and_what_was_left_out(
    fitted: RunningService, twins: Json, open_page: Open
) -> None:
    page = open_part(open_page, fitted, twins, "summary")
    assert page.title[0].value == "twins"
    assert [metric.value for metric in page.metric] == ["24", "12", "12"]
    text = shown(page)
    assert "Generators of the FAKE images: gan, sdxl" in text
    assert "train/REAL/broken <b>.png: " in text
    assert "Size alone tells the classes apart" in text
    assert "in train as well, pixel for pixel: 1." in text


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_drawn_in_both_languages(
    fitted: RunningService, twins: Json, open_page: Open, part: str, language: str
) -> None:
    page = open_page(fitted.url, "dataset", id=twins["id"], part=part)
    page.session_state["lang"] = language
    page.run()
    assert not page.exception
    assert not page.error
    assert TEXTS[f"dataset.part.{part}"].of(language) in [
        option.content for group in page.button_group for option in group.proto.options
    ]


def test_the_address_says_which_part_is_shown_so_that_going_back_works(
    fitted: RunningService, twins: Json, open_page: Open
) -> None:
    page = open_part(open_page, fitted, twins, "files")
    page.button_group(key="dataset.part").set_value("colour").run()
    assert page.query_params["part"] == "colour"
    page.query_params["part"] = "files"  # the browser's button
    page.run()
    assert page.query_params["part"] == "files"
    assert "Formats" in [heading.value for heading in page.subheader]


@pytest.mark.parametrize(("part", "charts"), [("colour", 3), ("measures", 6), ("spectrum", 4), ("files", 1)])
def test_charts_have_alternatives_for_screen_readers(
    fitted: RunningService, twins: Json, open_page: Open, part: str, charts: int
) -> None:
    page = open_part(open_page, fitted, twins, part)
    found = page.get("vega_lite_chart")
    assert len(found) >= charts
    assert all(chart.proto.alt for chart in found)


def test_channels_stand_beside_imagenets_and_the_original_table(
    fitted: RunningService, twins: Json, open_page: Open
) -> None:
    page = open_part(open_page, fitted, twins, "colour")
    table = page.dataframe[0].value.set_index("Images")
    assert table.loc["ImageNet", "Dev. R"] == 0.229
    assert table.loc["Original CIFAKE, train", "Mean B"] == 0.418
    assert list(table.index[:5]) == ["All", "REAL", "FAKE", "Split train", "Split test"]
    assert "0.299, which is a slip for 0.229" in shown(page)


def test_pictures_are_chosen_by_class_generator_and_split(fitted: RunningService, twins: Json, open_page: Open) -> None:
    page = open_part(open_page, fitted, twins, "pictures")
    assert len(page.image) == 24
    page.button_group(key="pictures.class").set_value("FAKE")
    page.button_group(key=f"pictures.split.{twins['id']}").set_value("test")
    page.run()
    page.selectbox(key=f"pictures.generator.{twins['id']}").set_value("gan")
    text = shown(page.run())
    assert "1 to 3 of 3" in text
    assert "FAKE · gan · test · 24 × 24 · f5.png" in text
    assert "sdxl" not in "".join(caption.value for caption in page.caption if "24 ×" in caption.value)


def test_equal_images_stand_side_by_side(fitted: RunningService, twins: Json, open_page: Open) -> None:
    page = open_part(open_page, fitted, twins, "duplicates")
    text = shown(page)
    assert "Equal images: 2, in train and in test" in text
    assert "FAKE · train · f5.png" in text
    assert "FAKE · test · f5.png" in text
    assert len(page.image) == 2


def test_a_profile_that_is_being_made_does_not_block_the_page(answering: Answering, open_page: Open) -> None:
    job = {"id": "p1", "kind": "profile", "state": "running", "cancel_requested": False, "attempts": 1, "params": {}}
    job |= {"progress": {"stage": "profile", "done": 1, "total": 4, "images_per_second": None, "seconds_left": 3}}
    pretend(answering, {"/datasets/d1": DATASET, "/eda": job, "/jobs/p1": job})
    page = open_page(answering.url, "dataset", id="d1")
    assert TEXTS["profile.making"].en in shown(page)
    assert page.title[0].value == "pretended"


def test_a_failed_profile_is_said_and_only_made_again_when_asked(answering: Answering, open_page: Open) -> None:
    job = {"id": "p1", "kind": "profile", "state": "failed", "cancel_requested": False, "attempts": 1, "params": {}}
    job |= {"progress": None, "reason": "The disk is full."}
    pretend(answering, {"/datasets/d1": DATASET, "/eda": job, "/jobs/p1": job})
    page = open_page(answering.url, "dataset", id="d1")
    assert "could not be measured: The disk is full." in shown(page)
    asked = sum(path.startswith("/eda") for _, path, *_ in answering.requests)
    assert asked == 1
    page.run()
    assert sum(path.startswith("/eda") for _, path, *_ in answering.requests) == 1
    page.button(key="profile.again").click()
    page.run()
    assert sum(path.startswith("/eda") for _, path, *_ in answering.requests) == 2


def test_the_audits_findings_come_first_and_are_never_markup(
    fitted: RunningService, twins: Json, answering: Answering, open_page: Open
) -> None:
    profile = Client(fitted.url).eda(twins["id"])
    findings = [{"severity": "warning", "title": "Only *one* size", "detail": "See <b>sizes</b>."}]
    profile["audit"] = {"findings": findings}
    pretend(answering, {"/datasets/d1": DATASET, "/eda": profile})
    page = open_page(answering.url, "dataset", id="d1")
    assert page.warning[0].value == r"**Only \*one\* size**  " + "\n" + r"See \<b\>sizes\<\/b\>\."
    assert page.subheader[0].value == TEXTS["profile.audit"].en


def test_a_data_set_of_one_class_cannot_be_trained_on(answering: Answering, open_page: Open) -> None:
    pretend(answering, {"/datasets/d1": DATASET | {"counts": {"": {"REAL": 0, "FAKE": 2}}}})
    page = open_page(answering.url, "dataset", id="d1", part="pictures")
    train = next(link for link in page.page_link if link.label == TEXTS["dataset.train"].en)
    assert train.disabled


def test_deleting_says_what_goes_and_leads_back_to_the_list(fitted: RunningService, open_page: Open) -> None:
    client = Client(fitted.url)
    files = [("r.png", picture(1)), ("f.png", picture(2))]
    job = client.import_images("soon gone", Upload(files=files, labels=["REAL", "FAKE"]))
    dataset = client.dataset(client.wait(job["id"], timeout_s=60)["result"]["dataset_id"])
    page = open_page(fitted.url, "dataset", id=dataset["id"], part="pictures")
    assert "This deletes the data set “soon gone” for good: its images (2)" in shown(page)
    page.button(key=f"delete.{dataset['id']}").click()
    page.run()
    assert page.title[0].value == TEXTS["nav.datasets"].en
    with pytest.raises(ApiError):
        client.dataset(dataset["id"])


def test_an_unknown_data_set_is_a_sentence(fitted: RunningService, open_page: Open) -> None:
    assert "There is nothing at this address" in shown(open_page(fitted.url, "dataset", id="nowhere"))


def test_without_an_id_the_page_says_where_to_choose(fitted: RunningService, open_page: Open) -> None:
    assert TEXTS["dataset.unasked"].en in shown(open_page(fitted.url, "dataset"))
