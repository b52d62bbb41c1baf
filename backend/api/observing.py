"""The layer around all others: every request gets a name, a count and a line in the log; bugs become a 500."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.draining import Draining
from backend.api.metrics import Metrics
from backend.api.problems import problem_document, problem_response
from backend.service.failures import log_failure
from backend.service.logs import write_line

log = logging.getLogger("deepfake.api")
access_log = logging.getLogger("deepfake.access")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROBES = frozenset({"/health", "/ready", "/metrics"})


class Observe:
    """Gives every request an id, or keeps the one that it brought, and turns what nobody expected into a 500 with it.

    The traceback goes to the log under the id; the answer has the id and nothing else. The line of a request says
    neither its query nor file names nor keys; probes that succeed are logged at level debug only.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, draining: Draining) -> None:
        self.app, self.metrics, self.draining = app, metrics, draining
        self._own_ids = map(f"{secrets.token_hex(5)}{{:06x}}".format, itertools.count())  # no secret; no system call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else next(self._own_ids)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = bytes_in = bytes_out = 0

        async def receive_and_count() -> Message:
            nonlocal bytes_in
            message = await receive()
            bytes_in += len(message.get("body", b""))
            return message

        async def send_and_note(message: Message) -> None:
            nonlocal status, bytes_out
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if self.draining.begun:
                    headers.append((b"connection", b"close"))  # the next request goes to another server
                message["headers"] = headers
            else:
                bytes_out += len(message.get("body", b""))
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive_and_count, send_and_note)
            except Exception as error:
                log_failure(log, f"request {request_id}: {_method(scope)} {_template(scope)} failed", error)
                if status == 0:
                    await _say_failed(request_id)(scope, receive_and_count, send_and_note)
            finally:
                self._note(scope, status, time.perf_counter() - started, bytes_in, bytes_out)

    def _note(self, scope: Scope, status: int, seconds: float, bytes_in: int, bytes_out: int) -> None:
        method, route = _method(scope), _template(scope)
        self.metrics.count_request(method, route, status, seconds)
        if route in _PROBES and status < 400 and not access_log.isEnabledFor(logging.DEBUG):
            return
        state = scope["state"]
        fields = {
            "request_id": state["request_id"],
            "status": status,  # 0: the client was gone before an answer began
            "ms": round(1000 * seconds, 1),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
            "key_id": state.get("key_id") or "-",
            "address": state.get("address") or "-",
        }
        write_line(access_log, f"{method} {route}", fields)


def _say_failed(request_id: str) -> ASGIApp:
    document = problem_document(
        500,
        "internal",
        "Something went wrong that should not have.",
        "Tell the operator this request_id: the log has the details.",
        {"request_id": request_id},
    )
    return problem_response(document)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"  # a client may make up any number


def _template(scope: Scope) -> str:
    """The route's template, so that ids are neither labels nor logged; "unmatched" where there is none."""
    route = scope.get("route")
    return str(getattr(route, "path", "") or scope["state"].get("template") or "unmatched")
