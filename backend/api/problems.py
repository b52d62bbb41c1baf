"""Errors -> `application/problem+json` (RFC 9457). One table says which error becomes which status."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backend.core import errors
from backend.core.errors import DeepfakeError
from backend.service.failures import disk_error

MEDIA_TYPE = "application/problem+json"

STATUSES: dict[type[DeepfakeError], int] = {
    DeepfakeError: 500,
    errors.InvalidInput: 422,
    errors.NotAnImage: 415,
    errors.TooManyPixels: 413,
    errors.ArchiveTooLarge: 413,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.StorageReadOnly: 507,
    errors.StorageQuota: 507,
    errors.Cancelled: 409,
    errors.WorkerLost: 500,
    errors.IntegrityError: 500,
}
"""Error class -> HTTP status; a class that is not listed takes its nearest listed ancestor's."""

RETRY_AFTER_SECONDS: dict[type[DeepfakeError], int] = {errors.QueueFull: 30, errors.Unreachable: 5}

MAX_FAULTS = 100
"""So many faults of one request are listed; the sentence counts all."""


class ProblemError(HTTPException):
    """A refusal that only HTTP knows (a foreign host, a malformed body): raised anywhere below the routes."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code, self.hint, self.extensions = code, hint, dict(extensions or {})


def wrong_media_type(expected: str) -> ProblemError:
    """The refusal of a body of another Content-Type."""
    return ProblemError(415, "request.media_type", "This Content-Type is not read here.", f"Send {expected}.")


def status_of(error: DeepfakeError) -> int:
    """The HTTP status of an error: its own row in STATUSES or its nearest ancestor's."""
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def status_of_code(code: str) -> int:
    """The HTTP status that an error of this code has; 500 for a code that no class has."""
    waiting: list[type[DeepfakeError]] = [DeepfakeError]
    while waiting:
        cls = waiting.pop()
        if cls.code == code and cls is not DeepfakeError:
            return next(STATUSES[base] for base in cls.__mro__ if base in STATUSES)
        waiting.extend(cls.__subclasses__())
    return 500


def problem_document(
    status: int, code: str, detail: str, hint: str = "", extensions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The document of one problem; `title` is the same for every occurrence of a code's status."""
    return {
        "type": f"urn:deepfake:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        **(extensions or {}),
    }


def document_of(error: DeepfakeError) -> dict[str, Any]:
    """The problem document of one of our own errors."""
    return problem_document(status_of(error), error.code, error.message, error.hint)


def headers_of(error: DeepfakeError) -> dict[str, str]:
    """`Retry-After` where the same request may succeed soon, else nothing."""
    seconds = next((RETRY_AFTER_SECONDS[cls] for cls in type(error).__mro__ if cls in RETRY_AFTER_SECONDS), None)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def known_error(error: BaseException) -> DeepfakeError | None:
    """`error` if it is ours, what a full or read-only disk means, else None (a bug: let it become a 500)."""
    return error if isinstance(error, DeepfakeError) else disk_error(error)


def problem_response(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """The answer that carries a problem document."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(body, document["status"], dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes every refusal of `app` a problem document: our errors, HTTP errors, validation errors, a full disk."""
    app.add_exception_handler(DeepfakeError, _on_known)
    app.add_exception_handler(OSError, _on_known)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)


async def _on_known(request: Request, error: Exception) -> Response:
    known = known_error(error)
    if known is None:
        raise error
    return problem_response({**document_of(known), "instance": request.url.path}, headers_of(known))


_HTTP_CODES = {
    400: ("request.malformed", "The request cannot be read.", "Check the body and its Content-Type."),
    404: ("route.unknown", "There is nothing at this address.", "GET /docs lists the addresses that exist."),
    405: ("route.method", "This address does not take this method.", "GET /docs lists the methods of each address."),
}


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # what install() registered it for
    if isinstance(error, ProblemError):
        document = problem_document(error.status_code, error.code, str(error.detail), error.hint, error.extensions)
    else:
        code, detail, hint = _HTTP_CODES.get(error.status_code, ("request.refused", str(error.detail), ""))
        document = problem_document(error.status_code, code, detail, hint)
    return problem_response({**document, "instance": request.url.path}, error.headers)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["loc"] == ("body",) and fault["type"] == "model_attributes_type" for fault in faults) and not (
        _is_json(request)
    ):
        refusal = wrong_media_type("application/json: curl -H 'Content-Type: application/json' -d '{...}'")
        return await _on_http(request, refusal)
    if any(fault["type"] == "json_invalid" for fault in faults):
        document = problem_document(
            400, "request.malformed", "The body is not valid JSON.", "Send one JSON document, encoded as UTF-8."
        )
    else:
        document = validation_document(faults)
    return problem_response({**document, "instance": request.url.path})


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def validation_document(faults: Sequence[Mapping[str, Any]], prefix: str = "") -> dict[str, Any]:
    """The problem of values that do not fit a schema: `errors` has one {field, code, message} each, no input echoed.

    At most MAX_FAULTS are listed.
    """
    listed = [
        {
            "field": ".".join([*([prefix] if prefix else []), *(str(part) for part in fault["loc"])]),
            "code": str(fault["type"]),
            "message": _sentence(str(fault["msg"])),
        }
        for fault in faults[:MAX_FAULTS]
    ]
    first = listed[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    detail = f"{first['field']}: {first['message']}{more}"
    return problem_document(
        422, "request.invalid", detail, "GET /docs shows the schema of every request.", {"errors": listed}
    )


def _sentence(message: str) -> str:
    return re.sub(r"^Value error, ", "", message)
