"""PATCH /datasets/{id} against the running service: its answer, what other routes say then, and what is refused."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.pictures import dataset_zip
from tests.running import RunningService


@pytest.fixture
def dataset(running: RunningService) -> Iterator[str]:
    """Address of a fresh data set with 6 REAL images and 6 FAKE ones of one generator."""
    parts = {"archive": ("a.zip", dataset_zip(6, 3000)), "name": (None, "to be revised")}
    answer = httpx.post(f"{running.url}/datasets?wait=60", files=parts, timeout=90)
    assert answer.status_code == 200, answer.text
    address = f"{running.url}/datasets/{answer.json()['id']}"
    yield address
    assert httpx.delete(address, timeout=60).status_code == 204


def numbers(dataset: str, label: str) -> list[int]:
    return [row["row"] for row in httpx.get(f"{dataset}/images", params={"label": label}).json()["items"]]


def patch(dataset: str, changes: Any, **more: Any) -> httpx.Response:
    return httpx.patch(dataset, json={"changes": changes, **more}, timeout=60)


def test_every_route_shows_the_new_version(running: RunningService, dataset: str) -> None:
    before = httpx.get(dataset).json()
    assert httpx.get(f"{running.url}/eda", params={"dataset_id": before["id"]}, timeout=90).json()["images"] == 12
    real, fake = numbers(dataset, "REAL"), numbers(dataset, "FAKE")
    changes = [
        {"n": real[0], "label": "FAKE"},
        {"n": fake[0], "label": "REAL"},
        {"n": fake[1], "label": "REAL"},
        {"n": fake[2], "label": "DROP"},
    ]
    answer = patch(dataset, changes, version=1)
    assert answer.status_code == 200, answer.text
    info = answer.json()
    assert (info["version"], info["images"], info["dropped"]) == (2, 11, 1)
    assert info["counts"] == {"": {"REAL": 7, "FAKE": 4}}
    assert info["generators"] == {"": 1, "upsampler": 3}
    assert info["digest"] != before["digest"]
    assert httpx.get(dataset).json() == info
    assert info in httpx.get(f"{running.url}/datasets").json()["items"]
    assert numbers(dataset, "REAL") == sorted([*real[1:], *fake[:2]])
    assert numbers(dataset, "FAKE") == sorted([real[0], *fake[3:]])
    assert httpx.get(f"{dataset}/images").json()["total"] == 11
    assert httpx.get(f"{dataset}/images", params={"generator": "upsampler"}).json()["total"] == 3
    assert httpx.get(f"{dataset}/images/{fake[2]}").status_code == 200
    assert httpx.get(f"{dataset}/images/{fake[2]}/thumbnail").status_code == 200
    profile = httpx.get(f"{running.url}/eda", params={"dataset_id": info["id"]}, timeout=90).json()
    assert (profile["images"], profile["counts"]["by_class"]) == (11, {"REAL": 7, "FAKE": 4})
    exported = httpx.get(f"{dataset}/export", timeout=60).content
    names = zipfile.ZipFile(io.BytesIO(exported)).namelist()
    assert sum(name.startswith("REAL/") for name in names) == 7
    assert sum(name.startswith("FAKE/") for name in names) == 4


def test_a_fit_counts_only_what_is_left(running: RunningService, dataset: str) -> None:
    id = httpx.get(dataset).json()["id"]
    assert patch(dataset, [{"n": n, "label": "REAL"} for n in numbers(dataset, "FAKE")]).status_code == 200
    answer = httpx.post(f"{running.url}/fit", json={"dataset_id": id, "config": {"extractor": "spectrum"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.one_class")


def test_of_two_that_looked_at_the_same_version_one_is_refused(dataset: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(patch, dataset, [{"n": n, "label": "DROP"}], version=1) for n in range(8)]
        answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert (refused.json()["code"], refused.headers["content-type"]) == ("conflict", "application/problem+json")
    assert httpx.get(dataset).json()["images"] == 11
    with ThreadPoolExecutor(8) as pool:  # without a version all are made, one after the other
        assert all(pool.map(lambda n: patch(dataset, [{"n": n, "label": "FAKE"}]).is_success, range(8)))
    assert {0, 1, 2, 3, 4, 5, 6, 7} <= set(numbers(dataset, "FAKE"))


@pytest.mark.parametrize(
    ("body", "status", "what"),  # what: the code, or the field of an invalid request
    [
        ({"changes": []}, 422, "body.changes"),
        ({}, 422, "body.changes"),
        ({"changes": [{"n": 1, "label": "REAL"}, {"n": 1, "label": "DROP"}]}, 422, "body.changes"),
        ({"changes": [{"n": n, "label": "REAL"} for n in range(100_001)]}, 422, "body.changes"),
        ({"changes": [{"n": 0, "label": "real"}]}, 422, "body.changes.0.label"),
        ({"changes": [{"n": -1, "label": "REAL"}]}, 422, "body.changes.0.n"),
        ({"changes": [{"n": "1", "label": "REAL"}]}, 422, "body.changes.0.n"),
        ({"changes": [{"n": 2**31, "label": "REAL"}]}, 422, "body.changes.0.n"),
        ({"changes": [{"n": 0, "label": "REAL", "split": "test"}]}, 422, "body.changes.0.split"),
        ({"changes": [{"n": 0, "label": "DROP"}], "version": 0}, 422, "body.version"),
        ({"changes": [{"n": 0, "label": "DROP"}], "name": "x"}, 422, "body.name"),
        ({"changes": [{"n": 0, "label": "DROP"}, {"n": 12, "label": "DROP"}]}, 422, "dataset.label_mismatch"),
        ({"changes": [{"n": n, "label": "DROP"} for n in range(12)]}, 422, "dataset.no_images"),
        ({"changes": [{"n": 0, "label": "DROP"}], "version": 7}, 409, "conflict"),
    ],
)
def test_bad_changes_are_refused_and_none_is_made(dataset: str, body: Any, status: int, what: str) -> None:
    before = httpx.get(dataset).json()
    answer = httpx.patch(dataset, json=body, timeout=60)
    problem = answer.json()
    assert answer.status_code == status, answer.text[:500]
    if what.startswith("body"):
        assert (problem["code"], problem["errors"][0]["field"]) == ("request.invalid", what)
    else:
        assert problem["code"] == what
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["hint"]
    assert httpx.get(dataset).json() == before


def test_as_many_changes_as_are_allowed_fit_into_a_request(dataset: str) -> None:
    answer = patch(dataset, [{"n": n, "label": "REAL"} for n in range(200_000, 300_000)])
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.label_mismatch")  # not 413


def test_a_flood_of_faults_is_counted_not_echoed(dataset: str) -> None:
    answer = patch(dataset, [{"n": n, "label": "?"} for n in range(5000)]).json()
    assert len(answer["errors"]) == 100
    assert "4999 more" in answer["detail"]


def test_unknown_data_sets(running: RunningService) -> None:
    answer = patch(f"{running.url}/datasets/nothing", [{"n": 0, "label": "DROP"}])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_data_set_in_use_is_neither_revised_nor_deleted(running: RunningService, dataset: str) -> None:
    first = httpx.post(f"{running.url}/datasets", json={"name": "keeps it busy", "source": "demo"}).json()
    asked = {"dataset_id": httpx.get(dataset).json()["id"], "wait": 0}
    job = httpx.get(f"{running.url}/eda", params=asked)
    assert job.status_code == 202, job.text
    answers = [patch(dataset, [{"n": 0, "label": "DROP"}]), httpx.delete(dataset)]
    for id in (job.json()["id"], first["id"]):
        httpx.delete(f"{running.url}/jobs/{id}")
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "conflict")] * 2
    assert job.json()["id"] in answers[0].json()["detail"]
    assert patch(dataset, [{"n": 0, "label": "DROP"}]).status_code == 200
    deadline = time.monotonic() + 60
    while httpx.get(f"{running.url}/jobs/{first['id']}").json()["finished_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
