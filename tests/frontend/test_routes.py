"""Every method of the client is called: what it really sends is what the service's OpenAPI document describes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from backend.api.main import create_app
from backend.settings import Settings
from frontend.client import Client
from frontend.uploads import Upload
from tests.frontend.conftest import Answering

IMAGES = [("a.png", b"a"), ("b.png", b"b")]
LABELS = ["REAL", "FAKE"]
MADE_OF_OTHERS = {"wait", "active_model"}

CALLS: dict[str, Callable[[Client, Path], Any]] = {
    "health": lambda c, _: c.health(),
    "ready": lambda c, _: c.ready(),
    "options": lambda c, _: c.options(),
    "metrics": lambda c, _: c.metrics(),
    "audit": lambda c, _: c.audit(since="2026-01-31"),
    "predict": lambda c, _: c.predict(IMAGES, model_id="m"),
    "set_active": lambda c, _: c.set_active("m"),
    "datasets": lambda c, _: c.datasets(q="x"),
    "dataset": lambda c, _: c.dataset("d"),
    "import_source": lambda c, _: c.import_source("name", "demo"),
    "import_images": lambda c, f: c.import_images("name", Upload(f, [f], IMAGES, LABELS)),
    "revise_dataset": lambda c, _: c.revise_dataset("d", {12: "REAL", 13: "DROP"}, version=1),
    "delete_dataset": lambda c, _: c.delete_dataset("d"),
    "export_dataset": lambda c, f: c.export_dataset("d", f.with_name("out")),
    "dataset_images": lambda c, _: c.dataset_images("d", label="REAL", split="train", generator="g"),
    "dataset_image": lambda c, _: c.dataset_image("d", 0),
    "thumbnail": lambda c, _: c.thumbnail("d", 0),
    "eda": lambda c, _: c.eda("d"),
    "eda_images": lambda c, _: c.eda_images(IMAGES, LABELS),
    "measure_robustness": lambda c, _: c.measure_robustness("m", "d", images=50, wait_s=1),
    "robustness": lambda c, _: c.robustness("m", "d"),
    "fit": lambda c, _: c.fit("d", {"head": "svm"}, wait_s=1),
    "fit_images": lambda c, f: c.fit_images(Upload(f, [f], IMAGES, LABELS), {"head": "svm"}, name="n"),
    "enrol": lambda c, _: c.enrol("m", "d", "g", wait_s=1),
    "enrol_images": lambda c, _: c.enrol_images("m", Upload(files=IMAGES), "g", wait_s=1),
    "models": lambda c, _: c.models(q="x", sort="name"),
    "model": lambda c, _: c.model("m"),
    "update_model": lambda c, _: c.update_model("m", name="n", notes="t"),
    "delete_model": lambda c, _: c.delete_model("m"),
    "export_model": lambda c, f: c.export_model("m", f.with_name("out")),
    "import_model": lambda c, f: c.import_model(f),
    "model_predictions": lambda c, _: c.model_predictions("m", split="test", cell="fp"),
    "compare_models": lambda c, _: c.compare_models("m", "n", split="validation"),
    "evaluate": lambda c, _: c.evaluate("m", ["d"], wait_s=1),
    "cross_evaluate": lambda c, _: c.cross_evaluate(["d"], generators=["g", "h"], config={"head": "svm"}),
    "evaluations": lambda c, _: c.evaluations(model_id="m", kind="evaluate"),
    "evaluation": lambda c, _: c.evaluation("e"),
    "delete_evaluation": lambda c, _: c.delete_evaluation("e"),
    "enrol_fingerprint": lambda c, _: c.enrol_fingerprint("g", "d", source_generator="h", denoiser="median", wait_s=1),
    "enrol_fingerprint_images": lambda c, f: c.enrol_fingerprint_images("g", Upload(f, [f], IMAGES), name="n"),
    "fingerprints": lambda c, _: c.fingerprints(q="x", denoiser="median", sort="-count"),
    "fingerprint": lambda c, _: c.fingerprint("f"),
    "fingerprint_picture": lambda c, _: c.fingerprint_picture("f", "residual"),
    "compare_fingerprints": lambda c, _: c.compare_fingerprints(denoiser="median"),
    "attribute": lambda c, _: c.attribute(IMAGES, batch=True, false_attribution=0.01, denoiser="median"),
    "delete_fingerprint": lambda c, _: c.delete_fingerprint("f"),
    "jobs": lambda c, _: c.jobs(state="done", kind="fit"),
    "job": lambda c, _: c.job("j"),
    "cancel_job": lambda c, _: c.cancel_job("j"),
    "retry_job": lambda c, _: c.retry_job("j"),
}


def operation_of(openapi: dict[str, Any], method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The template of a path and its operation."""
    for template, operations in openapi["paths"].items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            return template, operations[method.lower()]
    raise AssertionError(f"the service has no {method} {path}")


def schema_of(openapi: dict[str, Any], operation: dict[str, Any], media_type: str) -> dict[str, Any]:
    reference = operation["requestBody"]["content"][media_type]["schema"]["$ref"]
    schema: dict[str, Any] = openapi["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return schema


def fields_of(headers: dict[str, str], body: bytes) -> tuple[str, set[str]]:
    """Media type of a body and the names of its fields."""
    kind = headers["Content-Type"]
    if kind == "application/json":
        return kind, set(json.loads(body))
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=HTTP)
    parts = message.get_payload()
    return kind.split(";", maxsplit=1)[0], {
        str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
        for part in parts
    }


def test_every_method_of_the_client_is_tried_here() -> None:
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert methods - MADE_OF_OTHERS == set(CALLS)


def test_the_client_has_every_route_and_asks_only_for_what_exists(answering: Answering, tmp_path: Path) -> None:
    openapi = create_app(Settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models")).openapi()
    file = tmp_path / "file.zip"
    file.write_bytes(b"PK")
    used: set[tuple[str, str]] = set()
    for name, call in CALLS.items():
        answering.answer(200, {})
        call(Client(answering.url), file)
        method, target, headers, body = answering.requests[-1]
        parts = urlsplit(target)
        template, operation = operation_of(openapi, method, parts.path)
        used.add((method.lower(), template))
        declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "query"}
        assert set(parse_qs(parts.query)) <= declared, name
        if body:
            media_type, fields = fields_of(headers, body)
            schema = schema_of(openapi, operation, media_type)
            assert fields <= set(schema["properties"]), name
            assert set(schema.get("required", [])) <= fields, name
    assert used == {(method, path) for path, operations in openapi["paths"].items() for method in operations}
