"""/datasets against the running service: import in every way, list, show, export, delete; and what must be refused."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.api.leftovers import leftovers
from tests.pictures import crop, dataset_zip, encode, fake, photo, zip_bomb, zipped
from tests.running import RunningService


def send(service: RunningService, name: str | None, wait: int = 60, **parts: Any) -> httpx.Response:
    given = {field: values if isinstance(values, list) else [values] for field, values in parts.items()}
    files = [(field, value) for field, values in given.items() for value in values]
    fields = [] if name is None else [("name", (None, name))]
    return httpx.post(f"{service.url}/datasets?wait={wait}", files=fields + files, timeout=120)


@pytest.fixture(scope="module")
def imported(running: RunningService) -> dict[str, Any]:
    answer = send(running, "crops", archive=("crops.zip", dataset_zip(30)))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_zip_is_imported(running: RunningService, imported: dict[str, Any]) -> None:
    assert (imported["name"], imported["images"], imported["source"]) == ("crops", 60, "zip")
    assert imported["counts"] == {"": {"REAL": 30, "FAKE": 30}}
    assert imported["generators"] == {"upsampler": 30}
    assert imported["skipped"]["count"] == 0
    assert httpx.get(f"{running.url}/datasets/{imported['id']}").json() == imported
    assert httpx.get(f"{running.url}/datasets?q=CROP").json()["items"] == [imported]
    assert httpx.get(f"{running.url}/datasets?q=nothing").json()["total"] == 0
    assert leftovers(running) == []


def test_without_wait_there_is_a_job(running: RunningService) -> None:
    answer = send(running, "job", wait=0, archive=("a.zip", dataset_zip(5, 100)))
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert job["kind"] == "import"
    assert str(running.folder) not in answer.text  # no path of the server
    deadline = time.monotonic() + 60
    while job["state"] != "done" and time.monotonic() < deadline:
        time.sleep(0.1)
        job = httpx.get(f"{running.url}{answer.headers['location']}").json()
    assert httpx.get(f"{running.url}/datasets/{job['result']['dataset_id']}").json()["images"] == 10
    assert str(running.folder) not in str(job)


def test_files_with_labels(running: RunningService) -> None:
    files = [(f"{n}.png", photo(n)) for n in range(3)] + [("same.png", fake(n)) for n in range(3)]
    labels = json.dumps(["REAL"] * 3 + ["FAKE"] * 3)
    answer = send(running, "files", files=files, labels=(None, labels))
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"] == {"": {"REAL": 3, "FAKE": 3}}
    rows = httpx.get(f"{running.url}/datasets/{answer.json()['id']}/images").json()["items"]
    assert [row["path"] for row in rows] == ["0.png", "1.png", "2.png", "same.png", "same.png", "same.png"]


def test_parquet(running: RunningService) -> None:
    def table(first: int) -> bytes:
        buffer = io.BytesIO()
        images = [photo(first), fake(first)]
        pq.write_table(pa.table({"image": images, "label": ["REAL", "FAKE"]}), buffer)
        return buffer.getvalue()

    answer = send(running, "parquet", parquet=[("a.parquet", table(1)), ("b.parquet", table(2))])
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"] == {"": {"REAL": 2, "FAKE": 2}}
    assert leftovers(running) == []


def test_bad_images_are_skipped_and_named(running: RunningService) -> None:
    members = [(f"REAL/{n}.png", photo(n)) for n in range(3)] + [("FAKE/a.png", fake(1)), ("FAKE/bad.jpg", b"nothing")]
    info = send(running, "partly bad", archive=("x.zip", zipped(members))).json()
    assert info["images"] == 4
    assert info["skipped"]["count"] == 1
    (skipped,) = info["skipped"]["first"]
    assert (skipped["filename"], skipped["code"]) == ("FAKE/bad.jpg", "image.not_an_image")


def bad_uploads() -> dict[str, tuple[dict[str, Any], int, str]]:
    whole = dataset_zip(5)
    archive = {"archive": ("a.zip", whole)}
    pictures = [("a.png", photo(1)), ("b.png", fake(1))]

    slip = zipped([("../REAL/a.png", photo(1)), ("FAKE/b.png", fake(1))])

    def zip_of(data: bytes) -> dict[str, Any]:
        return {"archive": ("a.zip", data)}

    def labelled(labels: str) -> dict[str, Any]:
        return {"files": pictures, "labels": (None, labels)}

    return {
        "no zip": (zip_of(b"no zip"), 422, "archive.broken"),
        "an empty zip": (zip_of(b""), 422, "archive.broken"),
        "half a zip": (zip_of(whole[: len(whole) // 2]), 422, "archive.broken"),
        "a zip bomb": (zip_of(zip_bomb()), 413, "archive.too_large"),
        "a zip slip": (zip_of(slip), 422, "archive.unsafe_name"),
        "an absolute name": (zip_of(zipped([("/etc/REAL/a.png", photo(1))])), 422, "archive.unsafe_name"),
        "a zip without classes": (zip_of(zipped([("cats/a.png", photo(1))])), 422, "dataset.no_images"),
        "no parquet": ({"parquet": ("a.parquet", b"nothing")}, 422, "archive.broken"),
        "no labels": ({"files": pictures}, 422, "dataset.label_mismatch"),
        "too few labels": (labelled('["REAL"]'), 422, "dataset.label_mismatch"),
        "unknown labels": (labelled('["REAL", "cat"]'), 422, "dataset.label_mismatch"),
        "labels that are no list": (labelled('{"a.png": "REAL"}'), 422, "dataset.label_mismatch"),
        "labels that are no JSON": (labelled("REAL,FAKE"), 422, "dataset.label_mismatch"),
        "labels nested without end": (labelled("[" * 500_000), 422, "dataset.label_mismatch"),
        "labels with a zip": ({**archive, "labels": (None, "[]")}, 422, "upload.fields"),
        "a zip and files": ({**archive, "files": pictures}, 422, "upload.fields"),
        "two zips": ({"archive": [("a.zip", whole), ("b.zip", whole)]}, 422, "upload.fields"),
        "another field": ({**archive, "path": (None, "/etc")}, 422, "upload.fields"),
        "a file in another field": ({"images": pictures}, 422, "upload.fields"),
        "no images": ({}, 422, "upload.fields"),
        "too many files": ({"files": [("a", b"x")] * 1001, "labels": (None, "[]")}, 413, "upload.too_many_files"),
    }


@pytest.mark.parametrize("case", sorted(bad_uploads()))
def test_a_bad_upload_is_refused_at_once_and_leaves_nothing(running: RunningService, case: str) -> None:
    parts, status, code = bad_uploads()[case]
    jobs = httpx.get(f"{running.url}/jobs").json()["total"]
    answer = send(running, "bad", wait=0, **parts)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]
    assert httpx.get(f"{running.url}/jobs").json()["total"] == jobs  # never a job that fails later
    assert leftovers(running) == []


def test_nothing_readable_is_a_failed_job_that_says_why(running: RunningService) -> None:
    members = [("REAL/a.jpg", b"nothing"), ("FAKE/b.jpg", encode(crop(1)[:1, :1]))]
    answer = send(running, "nothing readable", archive=("x.zip", zipped(members)))
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset.no_images")
    job = httpx.get(f"{running.url}/jobs/{answer.json()['job_id']}").json()
    assert (job["state"], job["error_code"]) == ("failed", "dataset.no_images")
    assert httpx.get(f"{running.url}/datasets", params={"q": "nothing readable"}).json()["total"] == 0
    assert leftovers(running) == []


@pytest.mark.parametrize("name", ["", " ", "x" * 101, None])
def test_names_are_checked(running: RunningService, name: str | None) -> None:
    answer = send(running, name, archive=("a.zip", dataset_zip(3)))
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert leftovers(running) == []


def test_a_name_is_taken_once(running: RunningService, imported: dict[str, Any]) -> None:
    answer = send(running, imported["name"], archive=("a.zip", dataset_zip(3)))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    answer = httpx.post(f"{running.url}/datasets", json={"name": imported["name"], "source": "demo"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "source": "folder"}, "body.source"),
        ({"name": "x", "source": "zip", "path": "/etc"}, "body.source"),
        ({"name": "x", "source": "demo", "path": "/etc"}, "body.path"),
        ({"source": "demo"}, "body.name"),
        ([], "body"),
    ],
)
def test_no_path_of_the_server_and_no_unknown_source(running: RunningService, body: Any, field: str) -> None:
    answer = httpx.post(f"{running.url}/datasets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert field in [fault["field"] for fault in answer.json()["errors"]]


def test_other_bodies(running: RunningService) -> None:
    answer = httpx.post(f"{running.url}/datasets", content=b"x", headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type")
    answer = httpx.post(f"{running.url}/datasets", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")


def test_images_are_listed_shown_and_shrunk(running: RunningService, imported: dict[str, Any]) -> None:
    url = f"{running.url}/datasets/{imported['id']}/images"
    page = httpx.get(url, params={"limit": 7, "offset": 55}).json()
    assert (len(page["items"]), page["total"]) == (5, 60)
    fakes = httpx.get(url, params={"label": "FAKE", "generator": "upsampler", "limit": 1000}).json()
    assert fakes["total"] == 30
    assert {row["label"] for row in fakes["items"]} == {"FAKE"}
    assert httpx.get(url, params={"split": "test"}).json()["total"] == 0
    row = fakes["items"][3]
    file = httpx.get(f"{url}/{row['row']}")
    assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
    assert file.content == fake(int(Path(row["path"]).stem))
    small = httpx.get(f"{url}/{row['row']}/thumbnail?size=16")
    with Image.open(io.BytesIO(small.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (16, 16))


def test_what_is_not_there(running: RunningService, imported: dict[str, Any]) -> None:
    for path in ("nothing", "nothing/images", "nothing/export", "nothing/images/0", f"{imported['id']}/images/60"):
        answer = httpx.get(f"{running.url}/datasets/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    for path in (f"{imported['id']}/images/-1", f"{imported['id']}/images/x", "..%2f..%2fetc", "a%00b"):
        assert httpx.get(f"{running.url}/datasets/{path}").status_code in (404, 422), path
    assert httpx.get(f"{running.url}/datasets?limit=0").status_code == 422
    assert httpx.get(f"{running.url}/datasets?limit=1001").status_code == 422
    assert httpx.get(f"{running.url}/datasets/{imported['id']}/images/0/thumbnail?size=9999").status_code == 422


@pytest.mark.parametrize("format", ["zip", "parquet"])
def test_an_export_imports_back(running: RunningService, imported: dict[str, Any], format: str) -> None:
    answer = httpx.get(f"{running.url}/datasets/{imported['id']}/export", params={"format": format}, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{imported["id"]}.{format}"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert leftovers(running) == []
    if format == "zip":
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        assert sum(name.endswith(".png") for name in names) == 60
    field = "archive" if format == "zip" else "parquet"
    again = send(running, f"again {format}", **{field: (f"x.{format}", answer.content)}).json()
    assert again["counts"] == imported["counts"]
    assert again["generators"] == imported["generators"]


def test_delete(running: RunningService) -> None:
    info = send(running, "short-lived", archive=("a.zip", dataset_zip(3, 200))).json()
    assert httpx.delete(f"{running.url}/datasets/{info['id']}").status_code == 204
    assert httpx.get(f"{running.url}/datasets/{info['id']}").status_code == 404
    assert httpx.delete(f"{running.url}/datasets/{info['id']}").status_code == 404
    assert not (running.folder / "data" / "datasets" / info["id"]).exists()
    assert send(running, "short-lived", archive=("a.zip", dataset_zip(3, 200))).status_code == 200
