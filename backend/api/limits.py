"""Bounds the bytes of a request, before and while its body is read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import ProblemError, problem_document, problem_response

MAX_JSON_BYTES = 4 * 1_048_576
"""Largest body of a request that is no upload: 100,000 changes of labels fit."""

IDLE_SECONDS = 60.0
"""A body of which nothing arrives for so long is given up: what it holds is freed."""

_DRAIN_BYTES = 64 * 1_048_576
_DRAIN_SECONDS = 5.0


class BodyLimit:
    """Answers 413 to a body over the limit: at once where Content-Length tells, else as soon as it is passed.

    Only multipart requests to `upload_paths` may be as large as `max_upload_bytes`. An answer that comes before the
    body has arrived is given a few seconds to be read: a client that is still sending would otherwise see its
    connection reset and never learn why. A body that stops arriving for `idle_seconds` gets 408.
    """

    def __init__(
        self, app: ASGIApp, *, max_upload_bytes: int, upload_paths: Collection[str], idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.app, self.max_upload_bytes, self.upload_paths = app, max_upload_bytes, frozenset(upload_paths)
        self.idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit(scope["path"], headers.get("content-type", ""))
        body = _Body(receive, send, limit, self.idle_seconds, expects_continue="expect" in headers)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            refusal = too_large(limit)
            document = problem_document(413, refusal.code, str(refusal.detail), refusal.hint)
            await problem_response(document)(scope, body.receive, body.send)
            return
        body.complete = declared in ("", "0") and "transfer-encoding" not in headers
        await self.app(scope, body.receive, body.send)

    def _limit(self, path: str, content_type: str) -> int:
        is_upload = path in self.upload_paths and content_type.lower().startswith("multipart/form-data")
        return self.max_upload_bytes if is_upload else min(MAX_JSON_BYTES, self.max_upload_bytes)


def too_large(limit: int) -> ProblemError:
    """The refusal of a body over `limit` bytes."""
    return ProblemError(
        413,
        "upload.too_large",
        f"The request is larger than {limit} bytes.",
        "Send fewer or smaller files, or raise DEEPFAKE_MAX_UPLOAD_BYTES on the server.",
    )


class _Body:
    """Counts what arrives of one request, and lingers when the answer is earlier than the end of the body."""

    def __init__(
        self, receive: Receive, send: Send, limit: int, idle_seconds: float, *, expects_continue: bool
    ) -> None:
        self._receive, self._send, self._limit, self._idle_seconds = receive, send, limit, idle_seconds
        self._expects_continue = expects_continue
        self._received = 0
        self._begun = False
        self.complete = False

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout(None if self.complete else self._idle_seconds):
                message = await self._next()
        except TimeoutError:
            self.complete = True  # nothing is waited for any more
            raise ProblemError(
                408,
                "upload.too_slow",
                f"Nothing of the body arrived for {self._idle_seconds:g} seconds.",
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
