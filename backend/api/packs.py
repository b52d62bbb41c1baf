"""Images that are answered within their own request: received, bounded, and refused one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from anyio import CapacityLimiter, Semaphore
from starlette.requests import Request

from backend.api.multipart import Sink, clean_name, describe_text_field, read_multipart
from backend.api.problems import ProblemError, document_of
from backend.api.schemas.predictions import FileProblem
from backend.api.spool import Pack, PackedFile
from backend.core.errors import DeepfakeError, Unreadable
from backend.settings import Settings

_YES, _NO = ("true", "1"), ("", "false", "0")

MAX_IMAGE_BYTES = 100_000_000
"""Largest single file that is looked at."""

SHARE_OF_ONE = 7 / 8
"""Of the places there are, one client may have so many."""

_PACK_MEMORY = 1_048_576
_LARGE_AT_ONCE = 4
"""Each holds up to two batches of 32 MiB, or two files of MAX_IMAGE_BYTES."""


class Gate:
    """How many requests may wait for their answer at the same time; one client never takes the last places.

    `limiter` bounds the requests that compute in a thread of their own, `large` those whose images do not lie in memory
    by themselves: the others of these wait on the disk.
    """

    def __init__(self, at_once: int, places: int) -> None:
        self.limiter = CapacityLimiter(at_once)
        self.large = Semaphore(_LARGE_AT_ONCE)
        self._places = places
        self._taken: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Requests that have arrived and are not answered yet."""
        return self._taken.total()

    def require_room(self, client: str) -> None:
        """Raises ProblemError (503) where too many requests wait already, of all clients or of this one."""
        if self.waiting >= self._places or self._taken[client] >= max(1, int(self._places * SHARE_OF_ONE)):
            raise ProblemError(
                503, "unavailable.busy", "Too many requests wait.", "Try again shortly.", headers={"Retry-After": "1"}
            )

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Takes a place for the time of the block. Raises ProblemError (503) where there is none."""
        self.require_room(client)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


def client_of(request: Request) -> str:
    """Who takes turns with others: the id of the key that the request was sent with, else its address."""
    return str(request.scope.get("state", {}).get("client", ""))


@asynccontextmanager
async def receive_images(
    request: Request, settings: Settings, text_fields: tuple[str, ...]
) -> AsyncIterator[tuple[Pack, dict[str, str]]]:
    """The files and the text fields of a request that sends images in `files`. Raises ProblemError."""
    hint = f"Send the images in `files`; optional: {', '.join(text_fields)}."
    gate: Gate = request.app.state.gate
    gate.require_room(client_of(request))  # before a byte of the body is read
    pack = Pack(settings.spool_dir, max_memory=_PACK_MEMORY, max_file_bytes=MAX_IMAGE_BYTES)

    def open_sink(field: str, filename: str) -> Sink:
        if field != "files":
            raise ProblemError(422, "upload.fields", f"The field {field[:80]!r} carries no files here.", hint)
        return pack.open(clean_name(filename))

    try:
        fields = await read_multipart(request, open_sink, max_files=settings.max_files)
        if unknown := sorted(set(fields) - set(text_fields)):
            raise ProblemError(422, "upload.fields", describe_text_field(unknown[0], ("files",)), hint)
        if not pack.files:
            raise ProblemError(422, "upload.fields", "The request has no images.", hint)
        with gate.place(client_of(request)):
            yield pack, fields
    finally:
        pack.close()


def flag_of(fields: Mapping[str, str], name: str) -> bool:
    """Whether a text field says yes; it need not be there. Raises ProblemError where it is neither true nor false."""
    given = fields.get(name, "").lower()
    if given not in (*_YES, *_NO):
        raise ProblemError(422, "upload.fields", f"`{name}` is neither true nor false.", "Send true or false.")
    return given in _YES


def file_problem(entry: PackedFile, error: DeepfakeError) -> FileProblem:
    """Why one file was not answered."""
    return FileProblem.model_validate({**document_of(error), "index": entry.index, "filename": entry.filename})


def too_large_file(entry: PackedFile) -> Unreadable:
    """The error of one file over MAX_IMAGE_BYTES."""
    return Unreadable(
        f"The file has {entry.size} bytes; at most {MAX_IMAGE_BYTES} are read.", "Send a smaller version of the image."
    )


def nothing_answered(faults: Sequence[FileProblem]) -> ProblemError:
    """The problem of a request none of whose files could be answered: that of the only file, or one over all."""
    first, listed = faults[0], [fault.model_dump(exclude_none=True) for fault in faults]
    if len(faults) == 1:
        extensions = {"filename": first.filename, "errors": listed}
        return ProblemError(first.status, first.code, first.detail, first.hint, extensions=extensions)
    same_status, same_code = len({f.status for f in faults}) == 1, len({f.code for f in faults}) == 1
    return ProblemError(
        first.status if same_status else 422,
        first.code if same_code else "image",
        f"None of the {len(faults)} files could be answered.",
        first.hint,
        extensions={"errors": listed},
    )
