"""`/openapi.json` with every schema in it, and `/docs`: one page without scripts, readable without the internet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse

from backend.api.access import Access, find_access
from backend.api.schemas.common import Problem
from backend.api.schemas.datasets import SourceIn
from backend.api.schemas.enrol import EnrolIn
from backend.api.schemas.fingerprints import FingerprintIn
from backend.api.schemas.fit import FitIn
from backend.api.schemas.forms import (
    AttributeForm,
    DatasetForm,
    EdaForm,
    EnrolForm,
    FingerprintForm,
    FitForm,
    ModelForm,
    PredictForm,
)

_REF = "#/components/schemas/"
_JSON = (Problem, FitIn, SourceIn, EnrolIn, FingerprintIn)
_FORMS = (FitForm, DatasetForm, EnrolForm, PredictForm, EdaForm, ModelForm, FingerprintForm, AttributeForm)
_READ_AS_THEY_ARRIVE = (*_JSON, *_FORMS)
_METHODS = ("get", "post", "patch", "delete")

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
h2 { margin-top: 3rem; border-bottom: 1px solid #d0d7de; } code, pre { font-family: ui-monospace, monospace; }
pre { background: #f3f5f7; padding: .75rem; overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #e6e9ec; }
summary { cursor: pointer; padding: .4rem 0; } b { display: inline-block; min-width: 4.5rem; }
@media (prefers-color-scheme: dark) { body { background: #14171a; color: #e4e7ea; } pre { background: #22272c; } }
"""


def install(app: FastAPI) -> None:
    """Adds the schemas of bodies that are read as they arrive to the OpenAPI document, and the page at /docs."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of extending the document

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        return HTMLResponse(render(app.openapi()), headers={"Content-Security-Policy": policy})


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    _, extra = models_json_schema(
        [(model, "validation") for model in _READ_AS_THEY_ARRIVE], ref_template=_REF + "{model}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(extra["$defs"])
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, where the service needs one"}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _tidy(operation)
            _say_scope(operation, find_access(method.upper(), path))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _tidy(operation: dict[str, Any]) -> None:
    """Says what a success brings instead of "Successful Response", and drops FastAPI's own 422: ours is a problem."""
    operation["responses"].get("422", {}).get("content", {}).pop("application/json", None)
    for answer in operation["responses"].values():
        if answer["description"] == "Successful Response":
            answer["description"] = operation["description"].split("\n\n")[0].replace("\n", " ")


def _say_scope(operation: dict[str, Any], access: Access | None) -> None:
    """Adds the scope of the key that a route needs where keys are required; without them it is open."""
    if access is not None and access.scope is not None:
        operation["security"] = [{}, {"key": []}]
        operation["description"] += f"\n\nNeeds a key with the scope `{access.scope}` where keys are required."


def render(document: Mapping[str, Any]) -> str:
    """The OpenAPI document as one page of HTML."""
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info.get('summary', ''))}</p>",
        '<p>The same as a machine reads it: <a href="/openapi.json">/openapi.json</a>.</p>',
    ]
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                section = "".join(_render_operation(document, path, method, operation))
                by_tag.setdefault(operation["tags"][0], []).append(section)
    for tag, sections in by_tag.items():
        parts += [f"<h2>{escape(tag)}</h2>", *sections]
    parts.append("<h2>Schemas</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts += _render_schema(name, schema)
    return "".join([*parts, "</body></html>"])


def _render_operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
    yield f"{escape(operation['summary'])}</summary>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        rows = [(p["name"], _type_of(p["schema"]), p.get("description", "")) for p in parameters]
        yield _table(("Parameter", "Values", "Meaning"), rows)
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body: {escape(media_type)}, {_type_of(body['schema'])}</p>"
    answers = [
        (str(status), _answer_type(answer), answer["description"]) for status, answer in operation["responses"].items()
    ]
    yield _table(("Answer", "Body", "Meaning"), answers)
    yield f"<pre>{escape(_example(document, path, method, operation))}</pre></details>"


def _answer_type(answer: Mapping[str, Any]) -> str:
    return ", ".join(
        _type_of(body["schema"]) if body.get("schema") else escape(media_type)
        for media_type, body in answer.get("content", {}).items()
    )


def _type_of(schema: Mapping[str, Any]) -> str:
    """A short description of a JSON schema, as HTML."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return f'<a href="#{escape(name)}">{escape(name)}</a>'
    if "enum" in schema:
        return " | ".join(escape(str(value)) for value in schema["enum"])
    if "const" in schema:
        return escape(str(schema["const"]))
    if "anyOf" in schema:
        return " | ".join(_type_of(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type") or "any"))


def _render_schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> '
    yield f"{escape(schema.get('description', ''))}</summary>"
    required = set(schema.get("required", ()))
    rows = [
        (
            key,
            _type_of(value),
            value.get("description", "")
            + ("" if key in required or "default" not in value else f" Default: {json.dumps(value['default'])}."),
        )
        for key, value in schema.get("properties", {}).items()
    ]
    yield _table(("Field", "Values", "Meaning"), rows) + "</details>"


def _table(head: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> str:
    """A table whose second column is HTML already."""
    body = "".join(
        f"<tr><td><code>{escape(first)}</code></td><td>{second}</td><td>{escape(third)}</td></tr>"
        for first, second, third in rows
    )
    return f"<table><tr>{''.join(f'<th>{title}</th>' for title in head)}</tr>{body}</table>"


def _example(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    """A call with curl."""
    content = operation.get("requestBody", {}).get("content", {})
    implied = method == "get" or (method == "post" and content)
    words = ["curl"] if implied else ["curl", "-X", method.upper()]
    if "multipart/form-data" in content:
        schema = _resolve(document, content["multipart/form-data"]["schema"])
        fields = [f"-F {key}=@image.jpg" if key == "files" else f"-F {key}=…" for key in schema.get("required", ())]
        words += fields or ["-F archive=@images.zip"]
    elif "application/json" in content:
        schema = _resolve(document, content["application/json"]["schema"])
        example = {key: value.get("examples", ["…"])[0] for key, value in schema["properties"].items()}
        words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(example, ensure_ascii=False)}'"]
    return " ".join([*words, f"http://127.0.0.1:8000{path}"])


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].removeprefix(_REF)]
    return found
