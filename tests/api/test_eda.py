"""/eda against the running service: of a data set, and of images that are not kept."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.leftovers import leftovers
from tests.pictures import dataset_zip, fake, photo, pixel_bomb
from tests.running import RunningService


@pytest.fixture(scope="module")
def dataset_id(running: RunningService) -> str:
    parts = {"archive": ("a.zip", dataset_zip(12, 300)), "name": (None, "to profile")}
    answer = httpx.post(f"{running.url}/datasets?wait=60", files=parts, timeout=90)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_only_the_first_question_makes_a_job(running: RunningService, dataset_id: str) -> None:
    url = f"{running.url}/eda?dataset_id={dataset_id}"
    first = httpx.get(f"{url}&wait=0")
    assert first.status_code == 202
    assert first.json()["kind"] == "profile"
    with ThreadPoolExecutor(4) as pool:
        profiles = list(pool.map(lambda _: httpx.get(url, timeout=90).json(), range(4)))
    assert all(profile == profiles[0] for profile in profiles)
    profile = profiles[0]
    assert (profile["dataset_id"], profile["images"]) == (dataset_id, 24)
    assert profile["counts"]["by_class"] == {"REAL": 12, "FAKE": 12}
    made = httpx.get(f"{running.url}/jobs?kind=profile").json()["items"]
    assert len([job for job in made if job["params"]["dataset_id"] == dataset_id]) == 1
    assert httpx.get(f"{url}&wait=0").json() == profile


def test_a_profile_is_not_made_where_that_is_not_wanted_and_brings_an_audit(running: RunningService) -> None:
    parts = {"archive": ("b.zip", dataset_zip(8, 900)), "name": (None, "to audit")}
    made = httpx.post(f"{running.url}/datasets?wait=60", files=parts, timeout=90).json()
    url = f"{running.url}/eda?dataset_id={made['id']}"
    refused = httpx.get(f"{url}&make=false")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    audit = httpx.get(url, timeout=90).json()["audit"]
    assert "generators.one" in {finding["code"] for finding in audit["findings"]}
    assert httpx.get(f"{url}&make=false").json()["audit"] == audit


def test_unknown_data_set(running: RunningService) -> None:
    answer = httpx.get(f"{running.url}/eda?dataset_id=nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = httpx.get(f"{running.url}/eda")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.dataset_id")


def test_images_are_profiled_without_keeping_them(running: RunningService) -> None:
    files = [("files", (f"{n}.png", photo(n))) for n in range(4)] + [("files", (f"{n}.png", fake(n))) for n in range(3)]
    files.insert(2, ("files", ("bad.png", b"bad")))
    files.append(("files", ("bomb.png", pixel_bomb())))
    before = httpx.get(f"{running.url}/datasets").json()["total"]
    labels = json.dumps(["REAL"] * 5 + ["FAKE"] * 4)
    answer = httpx.post(f"{running.url}/eda", files=[*files, ("labels", (None, labels))], timeout=60)
    assert answer.status_code == 200, answer.text
    profile = answer.json()
    assert profile["dataset_id"] is None
    assert profile["counts"]["by_class"] == {"REAL": 4, "FAKE": 3}
    assert [(fault["index"], fault["code"]) for fault in profile["errors"]] == [
        (2, "image.not_an_image"),
        (8, "image.too_many_pixels"),
    ]
    assert len(profile["channels"]["all"]["mean"]) == 3
    assert "generators.unknown" in {finding["code"] for finding in profile["audit"]["findings"]}
    assert profile["audit"]["balance"]["classes"] == {"REAL": 4, "FAKE": 3}
    assert httpx.get(f"{running.url}/datasets").json()["total"] == before
    assert leftovers(running) == []


def test_labels_are_optional_but_must_fit(running: RunningService) -> None:
    one = ("files", ("a.png", photo(1)))
    unlabelled = httpx.post(f"{running.url}/eda", files=[one]).json()
    assert (unlabelled["counts"]["by_class"], unlabelled["audit"]) == ({"": 1}, None)
    answer = httpx.post(f"{running.url}/eda", files=[one, ("labels", (None, '["REAL", "FAKE"]'))])
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.label_mismatch")


def test_nothing_readable(running: RunningService) -> None:
    answer = httpx.post(f"{running.url}/eda", files=[("files", ("a", b"x")), ("files", ("b", b"y"))])
    assert (answer.status_code, answer.json()["code"]) == (415, "image.not_an_image")
    assert len(answer.json()["errors"]) == 2
