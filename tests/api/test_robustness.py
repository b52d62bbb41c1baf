"""POST and GET /robustness against the running service: measured, read again, refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.core.robustness import BATTERY
from tests.api.leftovers import leftovers
from tests.running import RunningService


def measure(service: RunningService, wait: int = 240, **body: Any) -> httpx.Response:
    asked = {"model_id": active(service), "dataset_id": "fitted", "images": 24, **body}
    return httpx.post(f"{service.url}/robustness?wait={wait}", json=asked, timeout=300)


def active(service: RunningService) -> str:
    return str(httpx.get(f"{service.url}/ready", timeout=30).json()["model_id"])


def test_a_battery_is_measured_and_read_again(chosen: RunningService) -> None:
    answer = measure(chosen)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["images"] == {"REAL": 12, "FAKE": 12}
    assert result["split"] == "test"
    assert result["excluded"] == {"in_training": 0}
    assert [(row["corruption"], row["strength"]) for row in result["rows"][1:]] == [
        (each.name, each.strength) for each in BATTERY
    ]
    query = {"model_id": active(chosen), "dataset_id": "fitted"}
    again = httpx.get(f"{chosen.url}/robustness", params=query, timeout=30)
    assert again.json() == result
    repeated = measure(chosen).json()
    assert repeated["rows"] == result["rows"]  # the same draw, the same noise
    assert leftovers(chosen) == []


def test_unchanged_images_are_judged_as_in_the_fit(chosen: RunningService) -> None:
    card = httpx.get(f"{chosen.url}/models/{active(chosen)}", timeout=30).json()
    result = measure(chosen, images=1000).json()
    assert sum(result["images"].values()) == card["metrics"]["test"]["n"]
    # a fit's features are rounded to float16: an image at the threshold may fall on the other side
    assert result["rows"][0]["accuracy"] == pytest.approx(card["accuracy"]["test"], abs=0.01)
    assert card["accuracy"]["test"] > 0.65


def test_without_waiting_it_is_a_job(fitted: RunningService) -> None:
    answer = measure(fitted, wait=0)
    assert answer.status_code == 202
    job = answer.json()
    assert job["kind"] == "robustness"
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    httpx.delete(f"{fitted.url}/jobs/{job['id']}", timeout=30)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"model_id": "nothing"}, 404), ({"dataset_id": "nothing"}, 404), ({"images": 1}, 422), ({"colour": "red"}, 422)],
)
def test_what_cannot_be_measured_is_refused(fitted: RunningService, body: dict[str, Any], status: int) -> None:
    answer = measure(fitted, **body)
    assert answer.status_code == status
    assert answer.json()["hint"] or answer.json()["errors"]


def test_what_was_not_measured_is_not_there(fitted: RunningService) -> None:
    query = {"model_id": "cifake-logreg", "dataset_id": "fitted"}
    answer = httpx.get(f"{fitted.url}/robustness", params=query, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "POST /robustness" in answer.json()["hint"]
