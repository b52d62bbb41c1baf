"""Bounds what connections cost before a request exists: how many there are, and how slow they may be.

uvicorn gives a new connection all the time it wants for its first request, and an answer all the time to be read. A few
thousand clients that trickle one byte now and then would take every file descriptor, and nobody else would be answered.
"""

from __future__ import annotations

import asyncio
import json
import resource
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol
else:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol as Protocol

HEAD_SECONDS = 10.0
"""A request's line and headers must have arrived after so long."""

STALLED_SECONDS = 60.0
"""An answer of which the client has read nothing (at least: not the last 64 KiB) for so long is given up."""

LAST_SECONDS = 1.0
"""When the server ends, a connection that it has taken may wait so long for a request that is on its way."""

MOST_JOINED_BYTES = 65_536
"""So many bytes of an answer are held for one call at most."""

_SPARE_FILES = 200  # descriptors for all else: the database, worker processes, uploads


def guard_connections(
    most: int,
    *,
    head_seconds: float = HEAD_SECONDS,
    stalled_seconds: float = STALLED_SECONDS,
    last_seconds: float = LAST_SECONDS,
) -> type[Protocol]:
    """uvicorn's HTTP protocol with at most `most` connections at a time, fewer where the system allows fewer files.

    Beyond them the connection goes that has waited longest without a request; where each one has a request, the new
    one is answered 503.
    """

    class Guarded(_Guarded):
        most_connections = _fit_to_files(most)
        idle: ClassVar[dict[_Guarded, None]] = {}

    Guarded.head_seconds, Guarded.stalled_seconds, Guarded.last_seconds = head_seconds, stalled_seconds, last_seconds
    return Guarded


def _fit_to_files(most: int) -> int:
    """`most`, or what the limit on open files leaves once it is raised as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft - _SPARE_FILES))


class JoinedWrites:
    """A transport that sends by one call what is written in one turn of the loop: an answer's head and its body."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Sends the bytes soon, at once where they are many."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_JOINED_BYTES:
            self._flush()

    def close(self) -> None:
        """Closes once everything is sent."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))


class _Guarded(Protocol):
    """One connection. It is idle while no request of it is being answered."""

    most_connections: ClassVar[int]
    idle: ClassVar[dict[_Guarded, None]]  # in the order in which they became so
    head_seconds: ClassVar[float]
    stalled_seconds: ClassVar[float]
    last_seconds: ClassVar[float]
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _has_spoken = False
    _is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))
        if len(self.connections) > self.most_connections:
            if not self.idle:
                self._refuse(503, "unavailable.connections", "The server has as many connections as it takes.")
                return
            next(iter(self.idle)).close_idle()
        self._await_head(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        self._has_spoken = True
        super().data_received(data)
        if self._is_answering():
            self._end_wait()
            if self._is_ending:
                super().shutdown()  # not kept for another request
        elif self._head_timer is None and not self.transport.is_closing():
            self._await_head(self.last_seconds if self._is_ending else self.head_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering() and not self.transport.is_closing():
            self.idle[self] = None  # uvicorn closes it by itself a few seconds after its last answer

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        self._end_stall()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall()

    def shutdown(self) -> None:
        """The server takes no more connections. This one ends with its answer, at once where it waits for nothing."""
        self._is_ending = True
        if self._head_timer is None:
            super().shutdown()
        else:
            self._end_wait()
            self._await_head(self.last_seconds)

    def close_idle(self) -> None:
        """Makes room for somebody else."""
        self._end_wait()
        self.connections.discard(self)
        self.transport.abort()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_head(self, seconds: float) -> None:
        self.idle[self] = None
        self._head_timer = self.loop.call_later(seconds, self._give_up_head, seconds)

    def _end_wait(self) -> None:
        self.idle.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _give_up_head(self, seconds: float) -> None:
        self._end_wait()
        if not self._has_spoken:  # a browser's connection in reserve
            self.transport.close()
            return
        self._refuse(408, "request.too_slow", f"The request did not arrive within {seconds:g} seconds.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        title, hint = HTTPStatus(status).phrase, "Try again in a moment."
        problem = {"type": f"urn:deepfake:problem:{code}", "title": title, "status": status, "detail": detail}
        body = json.dumps({**problem, "code": code, "hint": hint}).encode()
        head = (
            f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            "Retry-After: 2\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
