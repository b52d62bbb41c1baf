"""Shapes that every noun shares: problems and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


def _one_line(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise ValueError("Write it in one line, without control characters")
    return text


OneLine = Annotated[str, AfterValidator(_one_line)]
"""Text that a table, a terminal and a log show as it is."""


class FieldFault(Strict):
    """One value that does not fit."""

    field: str = Field(description="Where it stands, as a dotted path", examples=["body.config.C"])
    code: str = Field(examples=["greater_than"])
    message: str = Field(examples=["Input should be greater than 0"])


class Problem(BaseModel):
    """A refusal, as RFC 9457 describes it. `code` is stable; `hint` says what would be right."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:deepfake:problem:image.not_an_image",
                    "title": "Unsupported Media Type",
                    "status": 415,
                    "detail": "The file is not an image that is read here.",
                    "code": "image.not_an_image",
                    "hint": "Allowed formats: JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, HEIF.",
                    "instance": "/predict",
                }
            ]
        },
    )

    type: str = Field(description="A URI that names the kind of problem")
    title: str = Field(description="The meaning of the status")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong, for a person")
    code: str = Field(description="What is wrong, for a program; it does not change between versions")
    hint: str = Field(description="What would be right")
    instance: str | None = Field(None, description="The address that was asked")
    errors: list[Any] | None = Field(None, description="Each fault, where there are several")
    request_id: str | None = Field(None, description="Finds the failure in the server's log (status 500)")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's entries for the problems that a route may answer; every route may answer 401, 403, 421, 429 and 500."""
    meaning = {
        400: "The body cannot be read",
        401: "A key is needed, or this one does not count",
        403: "The key's scope is too small, or the request comes from another web site",
        404: "There is no such thing",
        408: "The body stopped arriving",
        409: "The present state forbids it",
        413: "Too large: bytes, files, pixels or unpacked size",
        415: "Not an image of an allowed format",
        421: "The host name is not allowed",
        422: "A value cannot be used",
        429: "Too many requests or images of this key: `Retry-After` says how long to wait",
        500: "A bug: the log has the details under `request_id`",
        503: "Not possible at the moment",
        507: "The disk is full or read-only, or a quota is used up",
    }
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    everywhere = {401, 403, 421, 429, 500}
    return {status: {"description": meaning[status], "content": content} for status in sorted({*statuses, *everywhere})}


def json_or_form(schema: str, form: str) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes JSON or a form with files, by the names of their schemas."""
    return _body({"application/json": schema, "multipart/form-data": form})


def only_form(form: str) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes a form with files alone, by the name of its schema."""
    return _body({"multipart/form-data": form})


def _body(kinds: Mapping[str, str]) -> dict[str, Any]:
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}} for kind, name in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}
