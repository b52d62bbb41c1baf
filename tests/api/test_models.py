"""/models and /set against the running service: list, search, sort, change, choose, export, delete."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx
import pytest

from backend.api.routes.models import sort_cards
from tests.api.leftovers import leftovers
from tests.running import RunningService


@pytest.fixture(scope="module")
def other(fitted: RunningService) -> dict[str, Any]:
    """A second model, not active."""
    config = {"extractor": "spectrum", "head": "svm", "C": 0.01, "name": "The other", "notes": "Zebra"}
    answer = httpx.post(f"{fitted.url}/fit?wait=90", json={"dataset_id": "fitted", "config": config}, timeout=120)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_list_search_and_sort(fitted: RunningService, other: dict[str, Any]) -> None:
    url = f"{fitted.url}/models"
    everything = httpx.get(url).json()
    assert everything["total"] == len(everything["items"]) >= 2
    assert sum(card["active"] for card in everything["items"]) == 1
    assert everything["items"][0]["id"] == other["id"]  # newest first
    for wanted in ("the OTHER", other["id"], "zebra"):
        found = httpx.get(url, params={"q": wanted}).json()
        assert [card["id"] for card in found["items"]] == [other["id"]]
    best = [card["accuracy"]["test"] for card in httpx.get(url, params={"sort": "-accuracy"}).json()["items"]]
    assert best == sorted(best, reverse=True)
    page = httpx.get(url, params={"sort": "created_at", "limit": 1, "offset": 1}).json()
    assert (len(page["items"]), page["total"]) == (1, everything["total"])
    assert httpx.get(url, params={"sort": "colour"}).json()["errors"][0]["field"] == "query.sort"


def test_models_without_a_figure_come_last() -> None:
    cards = [{"accuracy": {"test": value}} for value in (0.5, None, 0.9)]
    assert [c["accuracy"]["test"] for c in sort_cards(cards, "accuracy")] == [0.5, 0.9, None]
    assert [c["accuracy"]["test"] for c in sort_cards(cards, "-accuracy")] == [0.9, 0.5, None]


def test_a_list_has_figures_and_a_single_card_its_curves(fitted: RunningService, other: dict[str, Any]) -> None:
    short = httpx.get(f"{fitted.url}/models").json()["items"][0]["metrics"]["test"]
    long = httpx.get(f"{fitted.url}/models", params={"curves": True}).json()["items"][0]["metrics"]["test"]
    assert set(long) - set(short) == {"roc", "reliability"}
    assert long == httpx.get(f"{fitted.url}/models/{other['id']}").json()["metrics"]["test"]


def test_the_digest_says_whether_two_models_answer_alike(fitted: RunningService, other: dict[str, Any]) -> None:
    alike: dict[str, list[Any]] = {}
    for card in httpx.get(f"{fitted.url}/models").json()["items"]:
        deciding = [card[name] for name in ("extractor", "threshold", "calibration", "metrics")]
        alike.setdefault(card["digest"], []).append(deciding)
    assert all(len(digest) == 64 for digest in alike)
    assert all(deciding == same[0] for same in alike.values() for deciding in same)  # another test may fit one twice
    assert len({json.dumps(same[0], sort_keys=True) for same in alike.values()}) == len(alike) > 1
    url = f"{fitted.url}/models/{other['id']}"
    assert httpx.patch(url, json={"notes": "changed"}).json()["digest"] == other["digest"]
    httpx.patch(url, json={"notes": other["notes"]})


def test_rename(fitted: RunningService, other: dict[str, Any]) -> None:
    url = f"{fitted.url}/models/{other['id']}"
    changed = httpx.patch(url, json={"notes": "Ürgent\nnote"}).json()
    assert (changed["name"], changed["notes"]) == (other["name"], "Ürgent\nnote")
    assert httpx.patch(url, json={"name": "Another"}).json()["name"] == "Another"
    assert httpx.get(url).json()["notes"] == "Ürgent\nnote"
    httpx.patch(url, json={"name": other["name"], "notes": other["notes"]})
    for body in ({"name": ""}, {"active": True}, {"threshold": 0.1}, []):
        assert httpx.patch(url, json=body).status_code == 422
    assert httpx.patch(f"{fitted.url}/models/nothing", json={"name": "x"}).status_code == 404


def test_set_changes_who_predicts(fitted: RunningService, other: dict[str, Any]) -> None:
    before = httpx.get(f"{fitted.url}/ready").json()["model_id"]
    assert httpx.post(f"{fitted.url}/set", json={"model_id": other["id"]}).json()["active"] is True
    assert httpx.get(f"{fitted.url}/ready").json()["model_id"] == other["id"]
    answer = httpx.delete(f"{fitted.url}/models/{other['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert httpx.post(f"{fitted.url}/set", json={"model_id": before}).status_code == 200
    answer = httpx.post(f"{fitted.url}/set", json={"model_id": "nothing"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert httpx.get(f"{fitted.url}/ready").json()["model_id"] == before
    for body in ({}, {"model_id": 3}, {"model_id": before, "path": "/etc"}, None):
        assert httpx.post(f"{fitted.url}/set", json=body).json()["code"] == "request.invalid"


def test_export(fitted: RunningService, other: dict[str, Any]) -> None:
    answer = httpx.get(f"{fitted.url}/models/{other['id']}/export", timeout=60)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        card = json.loads(archive.read(f"{other['id']}/card.json"))
        assert f"{other['id']}/head.safetensors" in archive.namelist()
    assert card["id"] == other["id"]
    assert leftovers(fitted) == []
    assert httpx.get(f"{fitted.url}/models/nothing/export").status_code == 404


def test_evaluated_images(fitted: RunningService, other: dict[str, Any]) -> None:
    url = f"{fitted.url}/models/{other['id']}/predictions"
    confusion = other["metrics"]["test"]["confusion"]
    for cell, count in confusion.items():
        page = httpx.get(url, params={"split": "test", "cell": cell, "limit": 1000}).json()
        assert page["total"] == len(page["items"]) == count
        label, predicted = (
            {"tp": "FAKE", "fp": "REAL", "fn": "FAKE", "tn": "REAL"}[cell],
            "FAKE" if cell[1] == "p" else "REAL",
        )
        assert all((row["label"], row["predicted"]) == (label, predicted) for row in page["items"])
    everything = httpx.get(url, params={"limit": 5, "offset": 2}).json()
    assert everything["total"] == other["dataset"]["images"]
    row = everything["items"][0]
    image = httpx.get(f"{fitted.url}/datasets/{other['dataset']['id']}/images/{row['row']}")
    assert image.status_code == 200
    assert httpx.get(url, params={"cell": "xx"}).status_code == 422
    assert httpx.get(url, params={"split": "xx"}).status_code == 422
    assert httpx.get(f"{fitted.url}/models/nothing/predictions").status_code == 404


def test_two_models_are_compared_image_by_image(fitted: RunningService, other: dict[str, Any]) -> None:
    [first] = [card for card in httpx.get(f"{fitted.url}/models?q=fitted").json()["items"] if card["name"] == "fitted"]
    answer = httpx.get(f"{fitted.url}/models/{first['id']}/against/{other['id']}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["model_id"], found["other_id"], found["split"]) == (first["id"], other["id"], "test")
    kinds = ("both_right", "only_first", "only_second", "neither")
    assert sum(found[kind] for kind in kinds) == found["n"] == first["metrics"]["test"]["n"]  # one seed, one split
    assert found["accuracy_first"] == pytest.approx(first["accuracy"]["test"])
    assert found["accuracy_second"] == pytest.approx(other["accuracy"]["test"])
    low, high = found["interval"]
    assert low <= found["difference"] <= high
    turned = httpx.get(f"{fitted.url}/models/{other['id']}/against/{first['id']}").json()
    assert (turned["only_first"], turned["p"]) == (found["only_second"], found["p"])
    train = httpx.get(f"{fitted.url}/models/{first['id']}/against/{other['id']}?split=train").json()
    assert train["n"] == first["metrics"]["train"]["n"]


def test_models_that_cannot_be_compared_are_told_why(fitted: RunningService, other: dict[str, Any]) -> None:
    url = f"{fitted.url}/models/{other['id']}/against"
    for stranger in (other["id"], *(["cifake-logreg"] if fitted.has_shipped_model else [])):
        answer = httpx.get(f"{url}/{stranger}")
        assert (answer.status_code, answer.json()["code"]) == (422, "models.not_comparable")
        assert answer.json()["hint"]
    assert httpx.get(f"{url}/nothing").json()["code"] == "not_found"
    assert httpx.get(f"{url}/{other['id']}?split=all").json()["code"] == "request.invalid"


def test_delete(fitted: RunningService) -> None:
    config = {"extractor": "spectrum", "C": 1.0, "name": "short-lived"}
    made = httpx.post(f"{fitted.url}/fit?wait=90", json={"dataset_id": "fitted", "config": config}, timeout=120).json()
    url = f"{fitted.url}/models/{made['id']}"
    assert httpx.delete(url).status_code == 204
    assert httpx.get(url).status_code == 404
    assert httpx.delete(url).status_code == 404
    assert not (fitted.folder / "models" / made["id"]).exists()
