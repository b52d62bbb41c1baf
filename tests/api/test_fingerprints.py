"""POST /fingerprints and what goes with it against the running service: from a zip to an attribution, and refusals."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.running import RunningService
from tests.traced import traced_png, traced_zip

SOURCES = ("checks", "dots", "waves")


def enrol(service: RunningService, fields: dict[str, str], archive: bytes, wait: int = 240) -> httpx.Response:
    files = {"archive": ("images.zip", archive)}
    return httpx.post(f"{service.url}/fingerprints?wait={wait}", data=fields, files=files, timeout=300)


def attribute(service: RunningService, images: list[bytes], **fields: str) -> httpx.Response:
    files = [("files", (f"{number}.png", image)) for number, image in enumerate(images)]
    return httpx.post(f"{service.url}/fingerprints/attribute", data=fields, files=files, timeout=120)


def tiny() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((9, 9), 50).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def enrolled(running: RunningService) -> Iterator[dict[str, dict[str, Any]]]:
    """Three sources from zips without class folders; all of it is removed at the end."""
    found = {}
    for source in SOURCES:
        answer = enrol(running, {"generator": source}, traced_zip(source, 24))
        assert answer.status_code == 200, answer.text
        found[source] = answer.json()
    yield found
    for one in found.values():
        assert httpx.delete(f"{running.url}/fingerprints/{one['id']}").status_code == 204
        httpx.delete(f"{running.url}/datasets/{one['dataset']['id']}")


def test_a_generator_is_enrolled_listed_and_seen(running: RunningService, enrolled: dict[str, dict[str, Any]]) -> None:
    waves = enrolled["waves"]
    assert (waves["generator"], waves["label"], waves["count"]) == ("waves", "FAKE", 24)
    assert (waves["height"], waves["width"]) == (32, 32)
    page = httpx.get(f"{running.url}/fingerprints?q=WAVE&sort=-count").json()
    assert [(item["id"], item["radial"], item["others"]) for item in page["items"]] == [(waves["id"], None, None)]
    shown = httpx.get(f"{running.url}/fingerprints/{waves['id']}").json()
    assert shown["own"]["mean"] > shown["others"]["mean"]
    assert len(shown["radial"]) > 4
    for picture in ("residual", "spectrum", "autocorrelation"):
        answer = httpx.get(f"{running.url}/fingerprints/{waves['id']}/pictures/{picture}")
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).width >= 32
    assert httpx.get(f"{running.url}/fingerprints/{waves['id']}/pictures/face").status_code == 422


def test_a_batch_and_single_images_are_attributed(running: RunningService, enrolled: dict[str, dict[str, Any]]) -> None:
    images = [traced_png("dots", 500 + number) for number in range(8)]
    answer = attribute(running, images, batch="true", false_attribution="0.1")
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["attributions"]
    assert (found["source"], found["images"], found["false_attribution"]) == ("dots", 8, 0.1)
    assert found["files"][7] == {"index": 7, "filename": "7.png"}
    assert found["matches"][0]["id"] == enrolled["dots"]["id"]
    singles = attribute(running, [*images[:2], b"no image"]).json()
    assert [one["files"][0]["index"] for one in singles["attributions"]] == [0, 1]
    assert [(error["index"], error["code"]) for error in singles["errors"]] == [(2, "image.not_an_image")]
    assert attribute(running, [b"no image"]).status_code == 415


def test_all_are_compared(running: RunningService, enrolled: dict[str, dict[str, Any]]) -> None:
    found = httpx.get(f"{running.url}/fingerprints/comparison").json()
    assert sorted(found["names"]) == sorted(SOURCES)
    assert sorted(found["order"]) == [0, 1, 2]
    assert [row[place] for place, row in enumerate(found["correlation"])] == [1.0, 1.0, 1.0]
    assert found["labels"] == ["FAKE"] * 3
    assert found["indistinguishable"] == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "config"),
        ({"generator": "x", "label": "MAYBE"}, 422, "upload.fields"),
        ({"generator": "x", "labels": "[]"}, 422, "upload.fields"),
        ({"generator": "x", "denoiser": "bm3d"}, 422, "config"),
        ({"generator": "waves"}, 409, "conflict"),
    ],
)
def test_what_cannot_be_enrolled_is_refused_at_once(
    running: RunningService, enrolled: dict[str, dict[str, Any]], fields: dict[str, str], status: int, code: str
) -> None:
    answer = enrol(running, fields, traced_zip("x", 1), wait=0)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["hint"]


def test_what_the_images_lack_is_said_by_the_job(running: RunningService) -> None:
    few = enrol(running, {"generator": "few", "name": "few"}, traced_zip("few", 4))
    assert (few.status_code, few.json()["code"]) == (422, "dataset.too_few_images")
    assert "32 x 32 pixels that can be used: 4;" in few.json()["detail"]
    files = [("files", (f"{number}.png", tiny())) for number in range(12)]
    fields = {"generator": "tiny", "denoiser": "wavelet", "name": "tiny", "label": "REAL"}
    small = httpx.post(f"{running.url}/fingerprints?wait=240", data=fields, files=files, timeout=300)
    assert (small.status_code, small.json()["code"]) == (422, "image.too_small")
    body = {"generator": "g", "dataset_id": "tiny", "source_generator": "flux"}
    none = httpx.post(f"{running.url}/fingerprints?wait=240", json=body, timeout=300)
    assert (none.status_code, none.json()["code"]) == (422, "dataset.no_images")
    for name in ("few", "tiny"):
        httpx.delete(f"{running.url}/datasets/{httpx.get(f'{running.url}/datasets/{name}').json()['id']}")
    assert httpx.post(f"{running.url}/fingerprints", json={**body, "dataset_id": "none"}).status_code == 404
    assert httpx.post(f"{running.url}/fingerprints", json={**body, "kind": 1}).status_code == 422


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"batch": "perhaps"}, 422, "upload.fields"),
        ({"false_attribution": "few"}, 422, "upload.fields"),
        ({"false_attribution": "2"}, 422, "config"),
        ({"denoiser": "npr"}, 404, "not_found"),
        ({"model_id": "x"}, 422, "upload.fields"),
    ],
)
def test_wrong_questions_are_refused(
    running: RunningService, enrolled: dict[str, dict[str, Any]], fields: dict[str, str], status: int, code: str
) -> None:
    answer = attribute(running, [traced_png("dots", 1)], **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["hint"]
