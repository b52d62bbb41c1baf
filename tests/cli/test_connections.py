"""The deadlines of single connections, and their end; tests/trials/test_slow_clients.py holds many against a server."""

from __future__ import annotations

import asyncio
import itertools
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from backend.cli.connections import MOST_JOINED_BYTES, JoinedWrites, guard_connections
from backend.cli.ending import Server
from tests.api.serving import started
from tests.running import free_port

HEAD_SECONDS = 0.4
SIZE = 64 * 2**20
"""Bytes of an answer that no system takes into its buffers."""


@contextmanager
def running(app: FastAPI, *, head_seconds: float, last_seconds: float = 0.0) -> Iterator[tuple[Server, int]]:
    """A server of `app` in a thread, and its port; it has ended after the block."""
    guarded = guard_connections(50, head_seconds=head_seconds, stalled_seconds=head_seconds, last_seconds=last_seconds)
    port = free_port()
    server = Server(uvicorn.Config(app, port=port, http=guarded, log_level="warning"))
    with started(server):
        yield server, port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server with short deadlines."""
    app = FastAPI()

    @app.get("/")
    def index() -> str:
        return "here"

    @app.get("/large")
    def large() -> StreamingResponse:
        return StreamingResponse(b"x" * 2**20 for _ in range(SIZE // 2**20))

    with running(app, head_seconds=HEAD_SECONDS) as (_, port):
        yield port


def read_until(connection: socket.socket, end: bytes, times: int = 1) -> None:
    """Reads on until `end` has come so many times."""
    answer = b""
    while answer.count(end) < times:
        piece = connection.recv(65536)
        assert piece, answer
        answer += piece


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_a_head_that_does_not_end_is_answered_408(connection: socket.socket) -> None:
    connection.sendall(GET[:-2])
    answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request.too_slow" in answer


def test_a_connection_in_reserve_is_closed_without_a_word(connection: socket.socket) -> None:
    assert rest(connection) == b""


def test_the_second_request_of_a_connection_has_a_deadline_too(connection: socket.socket) -> None:
    connection.sendall(GET)
    read_until(connection, b'"here"')
    connection.sendall(GET[:20])
    assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_requests_behind_each_other_are_all_answered(connection: socket.socket) -> None:
    connection.sendall(GET * 3)
    read_until(connection, b'"here"', 3)
    time.sleep(1.5 * HEAD_SECONDS)  # the connection is kept, as no head has begun
    connection.sendall(GET)
    read_until(connection, b'"here"')


def test_an_answer_that_nobody_reads_is_given_up(connection: socket.socket) -> None:
    connection.sendall(GET.replace(b"/", b"/large", 1))
    time.sleep(4 * HEAD_SECONDS)
    assert len(rest(connection)) < SIZE // 2  # what lay in the system's buffers, and the end


def test_a_request_on_its_way_when_the_server_ends_is_answered() -> None:
    app = FastAPI()
    held, connected = threading.Event(), threading.Event()

    def hold() -> None:
        """Keeps the loop from accepting a connection that comes now."""
        held.set()
        assert connected.wait(10)

    @app.get("/")
    async def index() -> str:
        return "here"

    @app.get("/end")
    async def end() -> None:
        """Tells the server to end; the loop is held after it has woken for that, before it closes the listener."""
        server.should_exit = True
        asyncio.get_running_loop().call_later(0.1, hold)
        time.sleep(0.3)

    with running(app, head_seconds=60, last_seconds=60) as (server, port):

        def connect() -> closing[socket.socket]:
            return closing(socket.create_connection(("127.0.0.1", port), timeout=10))

        with connect() as told, connect() as answered, connect() as silent, connect() as half:
            answered.sendall(GET)
            read_until(answered, b'"here"')
            half.sendall(GET[:20])
            told.sendall(GET.replace(b"/", b"/end", 1))
            assert held.wait(10)
            with connect() as waiting:
                connected.set()
                assert rest(answered) == b""  # at once
                with pytest.raises(ConnectionRefusedError):
                    connect()
                for late, missing in ((silent, GET), (half, GET[20:]), (waiting, GET)):
                    late.sendall(missing)
                    assert rest(late).startswith(b"HTTP/1.1 200 ")  # and the end: it is not kept


def test_a_connection_that_is_made_while_the_server_ends_is_answered() -> None:
    """Clients that never pause; each ends with the first connection that is refused, none with one that is reset."""
    app = FastAPI()

    @app.get("/")
    async def index() -> str:
        return "here"

    for _ in range(5):
        with running(app, head_seconds=60, last_seconds=60) as (server, port), ThreadPoolExecutor(6) as threads:

            def ask_until_refused(port: int = port) -> int:
                for asked in itertools.count():
                    try:
                        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
                    except ConnectionRefusedError:
                        return asked
                    with connection:
                        connection.sendall(GET)
                        read_until(connection, b'"here"')
                raise AssertionError

            asking = [threads.submit(ask_until_refused) for _ in range(6)]
            time.sleep(0.2)
            server.should_exit = True
            assert all(thread.result(20) for thread in asking)


class Recording(asyncio.Transport):
    """What was sent by each call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_head_and_body_of_an_answer_are_sent_by_one_call() -> None:
    async def main() -> None:
        below = Recording()
        above = JoinedWrites(below, asyncio.get_running_loop())
        above.write(b"head")
        above.write(b"body")
        assert below.sent == []
        await asyncio.sleep(0)
        assert below.sent == [b"headbody"]
        above.write(b"x" * MOST_JOINED_BYTES)
        above.write(b"x")
        assert len(below.sent.pop()) == MOST_JOINED_BYTES + 1
        above.write(b"end")
        above.close()
        above.write(b"nobody reads this")
        await asyncio.sleep(0)
        assert below.sent == [b"headbody", b"end"]

    asyncio.run(main())


def test_fewer_files_mean_fewer_connections() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, limits[1]))
        assert guard_connections(250).most_connections == 250  # type: ignore[attr-defined]
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 450
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
