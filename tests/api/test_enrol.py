"""POST /enrol with the images themselves: what comes back, and what is refused before a job is made."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.leftovers import leftovers
from tests.pictures import Pixels, crop, encode, photo, zipped
from tests.running import RunningService


def striped(n: int) -> bytes:
    """A picture by a generator that the model has never seen: every second line is dark."""
    pixels: Pixels = crop(n)
    pixels[::2] //= 4
    return encode(pixels)


@pytest.fixture(scope="module")
def model_id(fitted: RunningService) -> str:
    items = httpx.get(f"{fitted.url}/models?q=fitted").json()["items"]
    return next(str(model["id"]) for model in items if model["name"] == "fitted")


def send(service: RunningService, fields: dict[str, str], files: list[tuple[str, bytes]], wait: int = 0) -> Any:
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
    parts += [("archive" if name.endswith(".zip") else "files", (name, data)) for name, data in files]
    return httpx.post(f"{service.url}/enrol?wait={wait}", files=parts, timeout=150)


def test_a_zip_of_pictures_makes_a_model_that_names_their_generator(fitted: RunningService, model_id: str) -> None:
    members = [(f"any folder/{n}.png", striped(n)) for n in range(16)] + [("REAL/0.png", photo(500))]
    fields = {"model_id": model_id, "generator": "stripes", "name": "with stripes"}
    answer = send(fitted, fields, [("stripes.zip", zipped(members))], wait=120)
    assert answer.status_code == 200, answer.text
    card = answer.json()
    assert (card["name"], card["enrolment"]["into"], card["enrolment"]["generator"]) == (
        "with stripes",
        model_id,
        "stripes",
    )
    assert (card["enrolled"][0]["images"], card["enrolled"][0]["excluded"]) == (16, 0)
    brought = httpx.get(f"{fitted.url}/datasets/{card['enrolled'][0]['dataset_id']}").json()
    assert brought["counts"][""] == {"REAL": 1, "FAKE": 16}
    asked = {"files": ("new.png", striped(900))}
    [told] = httpx.post(f"{fitted.url}/predict", files=asked, data={"model_id": card["id"]}).json()["predictions"]
    assert (told["label"], told["closest_generator"]) == ("FAKE", "stripes")
    assert leftovers(fitted) == []


def test_what_cannot_be_enrolled_is_refused_at_once(fitted: RunningService, model_id: str) -> None:
    jobs = httpx.get(f"{fitted.url}/jobs").json()["total"]
    fields, few = {"model_id": model_id, "generator": "g"}, [(f"{n}.png", striped(n)) for n in range(3)]
    wrong = [
        (fields, few, 422, "dataset.too_few_images"),
        (fields, [], 422, "upload.fields"),
        ({**fields, "model_id": "nobody"}, few * 4, 404, "not_found"),
        ({**fields, "generator": " "}, few * 4, 422, "config"),
        ({"model_id": model_id}, few * 4, 422, "request.invalid"),
        ({**fields, "dataset_id": "d"}, few * 4, 422, "upload.fields"),
        ({**fields, "labels": '["REAL"]'}, few * 4, 422, "dataset.label_mismatch"),
    ]
    for given, files, status, code in wrong:
        answer = send(fitted, given, files)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["hint"]
    text = httpx.post(f"{fitted.url}/enrol", content=b"x", headers={"content-type": "text/plain"})
    assert text.status_code == 415
    assert httpx.get(f"{fitted.url}/jobs").json()["total"] == jobs
    assert leftovers(fitted) == []
