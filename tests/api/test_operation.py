"""Health, readiness, metrics, options, and the documents that describe the API."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.api.main import create_app
from backend.api.schemas.common import Problem
from backend.core.extractors import EXTRACTORS
from backend.core.heads import HEADS
from backend.settings import load_settings
from tests.pictures import photo
from tests.running import ROOT, RunningService


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(load_settings()).openapi()


def test_health_and_readiness(fitted: RunningService) -> None:
    assert httpx.get(f"{fitted.url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{fitted.url}/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert all(check["ok"] for check in ready.json()["checks"].values())


def samples_of(service: RunningService) -> dict[tuple[str, ...], float]:
    """(name, label values by the labels' names...) -> value of every sample of the metrics."""
    answer = httpx.get(f"{service.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics(fitted: RunningService) -> None:
    httpx.get(f"{fitted.url}/models/nothing")
    httpx.post(f"{fitted.url}/predict", files={"files": ("a.png", photo(1))})
    samples = samples_of(fitted)
    assert samples["deepfake_requests_total", "GET", "/models/{model_id}", "404"] >= 1
    assert samples["deepfake_request_seconds_count", "POST", "/predict"] >= 1
    assert sum(value for name, value in samples.items() if name[0] == "deepfake_predictions_total") >= 1
    assert samples["deepfake_jobs", "done"] >= 2
    assert samples["deepfake_jobs", "running"] == 0
    assert ("deepfake_job_images_per_second",) in samples
    assert samples["deepfake_images_waiting",] == 0
    assert samples["deepfake_batch_images_count",] >= 1
    assert samples["deepfake_database_up",] == 1
    assert samples["deepfake_disk_free_bytes",] > 0
    active = httpx.get(f"{fitted.url}/ready").json()["model_id"]
    assert samples["deepfake_active_model_info", active] == 1


def test_drift_is_seen(fitted: RunningService) -> None:
    """A hundred times the same picture is nothing like the images that the model was tested with."""
    active = httpx.get(f"{fitted.url}/ready").json()["model_id"]
    files = [("files", ("a.png", photo(1)))] * 120
    answers = httpx.post(f"{fitted.url}/predict", files=files, timeout=60).json()["predictions"]
    samples = samples_of(fitted)
    verdict = answers[0]["verdict"]
    assert samples["deepfake_verdict_share", active, verdict, "1000"] > 0.1
    now = sum(samples["deepfake_verdict_share", active, name, "1000"] for name in ("real", "fake", "unsure"))
    assert now == pytest.approx(1)
    before = [samples["deepfake_verdict_share_expected", active, name] for name in ("real", "fake", "unsure")]
    assert sum(before) == pytest.approx(1)
    assert samples["deepfake_score_psi", active, "1000"] > 0.25


def test_every_metric_is_explained(fitted: RunningService) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    families = re.findall(
        r"^# TYPE (deepfake_\w+?)(?:_created|_total)? ", httpx.get(f"{fitted.url}/metrics").text, re.M
    )
    assert not {name for name in families if f"`{name}`" not in text}


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_monitor_may_ask_without_wanting_the_text(running: RunningService, path: str) -> None:
    answer, whole = httpx.head(f"{running.url}{path}"), httpx.get(f"{running.url}{path}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole.content))


def test_methods_that_no_route_has_are_counted_as_one(running: RunningService) -> None:
    for method in ("PROPFIND", "MKCOL"):
        assert httpx.request(method, f"{running.url}/models").status_code == 405
    text = httpx.get(f"{running.url}/metrics").text
    assert 'method="other"' in text
    assert "PROPFIND" not in text


def test_a_body_of_another_type_is_explained(running: RunningService) -> None:
    """`curl -d` sends a form unless told otherwise."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{running.url}/set", content=b'{"model_id": "x"}', headers=form)
    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type")
    assert "application/json" in answer.json()["hint"]
    answer = httpx.post(f"{running.url}/set", content=b'"x"', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


def test_options_list_what_the_tables_hold(running: RunningService) -> None:
    options = httpx.get(f"{running.url}/options").json()
    assert [row["name"] for row in options["extractors"]] == list(EXTRACTORS)
    assert [row["name"] for row in options["heads"]] == list(HEADS)
    assert {"demo", "cifake"} <= {row["name"] for row in options["sources"]}
    assert "JPEG" in options["formats"]
    assert options["limits"]["max_files"] == 1000
    assert options["limits"]["max_examined_files"] == 16
    for table in ("extractors", "backbones", "stages", "heads", "sources"):
        assert all(row["help"] for row in options[table]), table
    assert all(option["help"] for row in options["extractors"] for option in row["options"])
    assert {option for row in options["heads"] for option in row["options"]} <= options["defaults"].keys()
    assert options["defaults"]["head"] in HEADS
    assert str(running.folder) not in str(options)


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            answers = operation["responses"]
            assert all(answer["description"] != "Successful Response" for answer in answers.values()), where
            if "202" in answers:
                assert answers["202"]["content"]["application/json"]["schema"], where
            assert any(status.startswith("2") for status in answers), where
            assert {"403", "421", "500"} <= answers.keys(), where
            for status, answer in answers.items():
                if status[0] in "45":
                    assert list(answer["content"]) == ["application/problem+json"], (where, status)
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (where, parameter["name"])
            if method in ("post", "patch") and path != "/jobs/{job_id}/retry":
                assert operation["requestBody"]["required"], where


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in re.findall(r"'#/components/schemas/([^']+)'", str(document)):
        assert name in schemas
    assert {"FitIn", "FitConfigIn", "FitForm", "PredictForm", "DatasetForm", "Problem"} <= schemas.keys()


def test_the_contract_has_all_its_routes(document: dict[str, Any]) -> None:
    routes = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert routes == {
        ("post", "/fit"),
        ("patch", "/datasets/{dataset_id}"),
        ("post", "/set"),
        ("post", "/predict"),
        ("get", "/audit"),
        ("get", "/models"),
        ("post", "/models"),
        ("get", "/models/{model_id}"),
        ("patch", "/models/{model_id}"),
        ("delete", "/models/{model_id}"),
        ("get", "/models/{model_id}/export"),
        ("get", "/models/{model_id}/predictions"),
        ("get", "/models/{model_id}/against/{other_id}"),
        ("get", "/eda"),
        ("post", "/eda"),
        ("get", "/datasets"),
        ("post", "/datasets"),
        ("get", "/datasets/{dataset_id}"),
        ("delete", "/datasets/{dataset_id}"),
        ("get", "/datasets/{dataset_id}/export"),
        ("get", "/datasets/{dataset_id}/images"),
        ("get", "/datasets/{dataset_id}/images/{n}"),
        ("get", "/datasets/{dataset_id}/images/{n}/thumbnail"),
        ("post", "/evaluations"),
        ("post", "/evaluations/matrix"),
        ("get", "/evaluations"),
        ("get", "/evaluations/{evaluation_id}"),
        ("delete", "/evaluations/{evaluation_id}"),
        ("post", "/robustness"),
        ("get", "/robustness"),
        ("post", "/enrol"),
        ("post", "/fingerprints"),
        ("get", "/fingerprints"),
        ("get", "/fingerprints/comparison"),
        ("post", "/fingerprints/attribute"),
        ("get", "/fingerprints/{fingerprint_id}"),
        ("delete", "/fingerprints/{fingerprint_id}"),
        ("get", "/fingerprints/{fingerprint_id}/pictures/{picture}"),
        ("get", "/jobs"),
        ("get", "/jobs/{job_id}"),
        ("delete", "/jobs/{job_id}"),
        ("post", "/jobs/{job_id}/retry"),
        ("get", "/options"),
        ("get", "/health"),
        ("get", "/ready"),
        ("get", "/metrics"),
    }


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def test_docs_need_no_internet(running: RunningService, document: dict[str, Any]) -> None:
    answer = httpx.get(f"{running.url}/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = _Links()
    page.feed(answer.text)
    assert "script" not in page.tags
    assert all(target == "/openapi.json" or target.removeprefix("#") in page.ids for target in page.targets)
    assert all(f"<code>{path}</code>" in answer.text for path in document["paths"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "route.unknown"),
        ("GET", "/", 404, "route.unknown"),
        ("GET", "/models/", 404, "route.unknown"),
        ("GET", "/models/..%2f..%2fetc%2fpasswd", 404, "route.unknown"),
        ("PUT", "/models", 405, "route.method"),
        ("GET", "/fit", 405, "route.method"),
        ("DELETE", "/eda", 405, "route.method"),
    ],
)
def test_everything_else_is_a_problem(running: RunningService, method: str, path: str, status: int, code: str) -> None:
    answer = httpx.request(method, running.url + path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    Problem.model_validate(answer.json())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
