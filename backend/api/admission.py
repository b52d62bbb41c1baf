"""How many large uploads may arrive at the same time, and whether the disk has room for them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.limits import MAX_JSON_BYTES, is_upload
from backend.api.packs import SHARE_OF_ONE
from backend.api.problems import document_of, problem_document, problem_response
from backend.core.errors import StorageFull

_LOOK_EVERY = 16 * 1_048_576
"""Bytes of an upload between two looks at the free space, which others use too."""


@dataclass(eq=False)
class _Upload:
    """One large upload on its way."""

    client: str  # id of the key that it was sent with, else its address
    left: int  # bytes of its declared length that have not arrived yet; 0 where it declared none
    unseen: int = 0  # bytes since the last look


class Admission:
    """Answers 503 to a large upload while `max_uploads` others arrive, and 507 where it would not leave `min_free`.

    One client never takes the last places.
    Large is what declares more than MAX_JSON_BYTES, or no length. Nothing of a refused body is read. What uploads on
    their way have declared counts as used already; one that declared no length is stopped when the space is.
    """

    def __init__(self, app: ASGIApp, *, upload_paths: Collection[str], max_uploads: int, min_free: int) -> None:
        self.app, self.upload_paths = app, frozenset(upload_paths)
        self.max_uploads, self.min_free = max_uploads, min_free
        self._uploads: set[_Upload] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = getattr(scope["app"].state, "service", None) if scope["type"] == "http" else None
        length = None if service is None else _large_length(scope, self.upload_paths)
        if service is None or length is None:
            await self.app(scope, receive, send)
        elif self._is_full(client := str(scope.get("state", {}).get("client", ""))):
            hint = "Try again shortly."
            document = problem_document(503, "upload.busy", "Too many large uploads arrive at the moment.", hint)
            await problem_response({**document, "instance": scope["path"]}, {"Retry-After": "5"})(scope, receive, send)
        else:
            await self._receive_one(_Upload(client, length), service.jobs.root, scope, receive, send)

    def _is_full(self, client: str) -> bool:
        mine = sum(upload.client == client for upload in self._uploads)
        return len(self._uploads) >= self.max_uploads or mine >= max(1, int(self.max_uploads * SHARE_OF_ONE))

    async def _receive_one(self, upload: _Upload, root: Path, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_counted() -> Message:
            message = await receive()
            size = len(message.get("body", b""))
            upload.left, upload.unseen = max(0, upload.left - size), upload.unseen + size
            if message["type"] != "http.request" or not message.get("more_body", False):
                self._uploads.discard(upload)  # it is here: what the route does with it takes no place
            elif upload.unseen >= _LOOK_EVERY:
                upload.unseen = 0
                await run_in_threadpool(self._require_space, root)
            return message

        self._uploads.add(upload)
        try:
            try:
                await run_in_threadpool(self._require_space, root)
            except StorageFull as error:
                await problem_response({**document_of(error), "instance": scope["path"]})(scope, receive, send)
                return
            await self.app(scope, receive_counted, send)
        finally:
            self._uploads.discard(upload)

    def _require_space(self, root: Path) -> None:
        require_space(root, self.min_free, sum(upload.left for upload in list(self._uploads)))


def require_space(root: Path, min_free: int, more: int) -> None:
    """Raises StorageFull where so many bytes more would leave less than `min_free` on the disk of `root`."""
    if shutil.disk_usage(_existing(root)).free - more < min_free:
        raise StorageFull(
            f"This would leave less than {min_free} bytes on the server's disk.",
            "Remove data sets that are not needed any more, or lower DEEPFAKE_MIN_FREE on the server.",
        )


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _large_length(scope: Scope, upload_paths: Collection[str]) -> int | None:
    """Bytes that a large upload declares, 0 where it declares none; None for a request that is no large upload."""
    headers = Headers(scope=scope)
    if not is_upload(scope["path"], headers.get("content-type", ""), upload_paths):
        return None
    declared = headers.get("content-length", "")
    if declared.isdecimal():
        return int(declared) if int(declared) > MAX_JSON_BYTES else None
    return 0
