"""Every error of the tree has a status and a code of its own; nothing that goes wrong is anything but a problem."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from backend.api import problems
from backend.api.draining import Draining
from backend.api.metrics import Metrics
from backend.api.observing import Observe
from backend.api.problems import ProblemError, document_of, headers_of, status_of, status_of_code
from backend.api.schemas.common import Problem
from backend.core import errors
from backend.core.errors import DeepfakeError
from tests.api.serving import serving


def all_classes(cls: type[DeepfakeError] = DeepfakeError) -> list[type[DeepfakeError]]:
    """The tree of backend/core/errors.py."""
    below = [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return [cls, *(found for sub in below for found in all_classes(sub))]


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in all_classes()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("cls", all_classes())
def test_every_class_becomes_a_problem(cls: type[DeepfakeError]) -> None:
    error = cls("What is wrong.", "What is right.")
    document = document_of(error)
    Problem.model_validate(document)
    assert document["code"] == cls.code
    assert document["type"].endswith(cls.code)
    assert document["status"] == status_of(error) == status_of_code(cls.code)
    assert (document["detail"], document["hint"]) == ("What is wrong.", "What is right.")


@pytest.mark.parametrize(
    ("cls", "status"),
    [
        (errors.NotAnImage, 415),
        (errors.BrokenImage, 422),
        (errors.TooManyPixels, 413),
        (errors.ArchiveTooLarge, 413),
        (errors.UnsafeName, 422),
        (errors.UnknownHead, 422),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.QueueFull, 503),
        (errors.NoActiveModel, 503),
        (errors.StorageFull, 507),
        (errors.WorkerLost, 500),
    ],
)
def test_statuses(cls: type[DeepfakeError], status: int) -> None:
    assert status_of(cls("x")) == status


def test_an_unknown_code_is_a_failure_of_ours() -> None:
    assert status_of_code("no.such.code") == 500


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(scope="module")
def url(metrics: Metrics) -> Iterator[str]:
    app = FastAPI()
    problems.install(app)

    @app.get("/raise/{what}")
    def fail(what: str) -> None:
        raise {
            "own": errors.Conflict("Taken.", "Choose another."),
            "queue": errors.QueueFull("20 jobs wait.", "Later."),
            "full": OSError(errno.ENOSPC, "No space left on device"),
            "limit": OSError(errno.EFBIG, "File too large"),
            "problem": ProblemError(403, "a.code", "d", "h", headers={"X-A": "1"}, extensions={"more": [1]}),
            "bug": KeyError("a secret of the user"),
            "system": OSError(errno.EIO, "Input/output error"),
        }[what]

    @app.get("/number/{n}")
    def number(n: int, size: int = 1) -> None: ...

    app.add_middleware(Observe, metrics=metrics, draining=Draining(0.0))
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/raise/own", 409, "conflict"),
        ("/raise/queue", 503, "unavailable.queue_full"),
        ("/raise/full", 507, "unavailable.storage_full"),
        ("/raise/limit", 507, "unavailable.storage_full"),
        ("/raise/problem", 403, "a.code"),
        ("/raise/bug", 500, "internal"),
        ("/raise/system", 500, "internal"),
        ("/nowhere", 404, "route.unknown"),
        ("/number/x", 422, "request.invalid"),
    ],
)
def test_problems_over_http(url: str, path: str, status: int, code: str) -> None:
    answer = httpx.get(url + path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    Problem.model_validate(answer.json())


def test_retry_after_and_own_headers(url: str) -> None:
    assert httpx.get(f"{url}/raise/queue").headers["retry-after"] == "30"
    assert headers_of(errors.Unreachable("The database does not answer.")) == {"Retry-After": "5"}
    assert headers_of(errors.StorageFull("The disk is full.")) == {}
    own = httpx.get(f"{url}/raise/problem")
    assert (own.headers["x-a"], own.json()["more"]) == ("1", [1])


def test_a_wrong_method_names_the_right_ones(url: str) -> None:
    answer = httpx.post(f"{url}/number/1")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "route.method", "GET")


def test_every_wrong_value_is_named_but_not_echoed(url: str) -> None:
    answer = httpx.get(f"{url}/number/secret?size=private").json()
    assert [fault["field"] for fault in answer["errors"]] == ["path.n", "query.size"]
    assert "secret" not in str(answer["errors"])
    assert "private" not in str(answer)


def test_a_bug_is_found_in_the_log_by_its_id(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "deepfake.api"):
        answer = httpx.get(f"{url}/raise/bug")
    request_id = answer.json()["request_id"]
    assert answer.headers["x-request-id"] == request_id
    assert "secret" not in answer.text
    logged = [record for record in caplog.records if request_id in record.getMessage()]
    assert len(logged) == 1
    assert "Traceback" in caplog.text
    assert "/raise/{what}" in logged[0].getMessage()  # the template, not what the user asked


def test_requests_are_counted_by_template(url: str, metrics: Metrics) -> None:
    for path in ("/number/1", "/number/2", "/nowhere-1", "/nowhere-2"):
        httpx.get(url + path)
    text = metrics.render().decode()
    assert 'route="/number/{n}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "nowhere-1" not in text
    assert "deepfake_request_seconds_bucket" in text
