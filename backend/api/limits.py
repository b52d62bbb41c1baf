"""Bounds the bytes of a request, before and while its body is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import ProblemError, problem_document, problem_response

MAX_JSON_BYTES = 4 * 1_048_576
"""Largest body of a request that is no upload: 100,000 changes of labels fit."""

IDLE_SECONDS = 60.0
"""A body of which nothing arrives for so long is given up: what it holds is freed."""

GRACE_SECONDS = 30.0
LEAST_BYTES_PER_SECOND = 1024
"""A body may keep the server waiting for GRACE_SECONDS in all, and for a second more with each 1024 bytes."""

_DRAIN_BYTES = 64 * 1_048_576
_DRAIN_SECONDS = 5.0


class BodyLimit:
    """Answers 413 to a body over the limit: at once where Content-Length tells, else as soon as it is passed.

    Only multipart requests to `upload_paths` may be as large as `max_upload_bytes`. An answer that comes before the
    body has arrived is given a few seconds to be read: a client that is still sending would otherwise see its
    connection reset and never learn why. A body that stops arriving for `idle_seconds` gets 408, and so does one that
    trickles: one that keeps the server waiting for longer than `grace_seconds` and what its bytes allow.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_upload_bytes: int,
        upload_paths: Collection[str],
        idle_seconds: float = IDLE_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.app, self.max_upload_bytes, self.upload_paths = app, max_upload_bytes, frozenset(upload_paths)
        self.idle_seconds, self.grace_seconds = idle_seconds, grace_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit(scope["path"], headers.get("content-type", ""))
        patience = _Patience(self.idle_seconds, self.grace_seconds)
        body = _Body(receive, send, limit, patience, expects_continue="expect" in headers)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            refusal = too_large(limit)
            document = problem_document(413, refusal.code, str(refusal.detail), refusal.hint)
            await problem_response(document)(scope, body.receive, body.send)
            return
        body.complete = declared in ("", "0") and "transfer-encoding" not in headers
        await self.app(scope, body.receive, body.send)

    def _limit(self, path: str, content_type: str) -> int:
        large = is_upload(path, content_type, self.upload_paths)
        return self.max_upload_bytes if large else min(MAX_JSON_BYTES, self.max_upload_bytes)


def is_upload(path: str, content_type: str, upload_paths: Collection[str]) -> bool:
    """Whether a request to `path` carries files: a multipart form to one of `upload_paths`."""
    return path in upload_paths and content_type.lower().startswith("multipart/form-data")


def too_large(limit: int) -> ProblemError:
    """The refusal of a body over `limit` bytes."""
    return ProblemError(
        413,
        "upload.too_large",
        f"The request is larger than {limit} bytes.",
        "Send fewer or smaller files, or raise DEEPFAKE_MAX_UPLOAD_BYTES on the server.",
    )


class _Patience:
    """Adds up the seconds in which nothing happens because the client sends nothing; used as a `with` block."""

    def __init__(self, idle_seconds: float, grace_seconds: float) -> None:
        self._idle_seconds, self._grace_seconds = idle_seconds, grace_seconds
        self._waited = self._began = 0.0

    def seconds(self, received: int) -> float:
        """How long the next piece may take after `received` bytes."""
        return min(self._idle_seconds, self._grace_seconds + received / LEAST_BYTES_PER_SECOND - self._waited)

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._waited += time.monotonic() - self._began


class _Body:
    """Counts what arrives of one request, and lingers when the answer is earlier than the end of the body."""

    def __init__(
        self, receive: Receive, send: Send, limit: int, patience: _Patience, *, expects_continue: bool
    ) -> None:
        self._receive, self._send, self._limit, self._patience = receive, send, limit, patience
        self._expects_continue = expects_continue
        self._received = 0
        self._begun = False
        self.complete = False

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout(None if self.complete else self._patience.seconds(self._received)):
                with self._patience:
                    message = await self._next()
        except TimeoutError:
            self.complete = True  # nothing is waited for any more
            raise ProblemError(
                408,
                "upload.too_slow",
                "The body of the request arrives too slowly.",
                "Send the request again.",
                headers={"Connection": "close"},
            ) from None
        if self._received > self._limit:
            raise too_large(self._limit)
        return message

    async def send(self, message: Message) -> None:
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not is_last or self.complete or (self._expects_continue and not self._begun):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self.complete and self._received < self._limit + _DRAIN_BYTES:
                    await self._next()
        except TimeoutError:
            pass  # the client has had its time to read the answer
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> Message:
        self._begun = True
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        else:
            self.complete = True
        return message
