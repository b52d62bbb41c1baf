"""Runs an ASGI application on a free port in a thread, and speaks HTTP with it byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.running import free_port


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The port on which `app` answers inside the `with` block."""
    port = free_port()
    with started(uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))):
        yield port


@contextmanager
def started(server: uvicorn.Server) -> Iterator[None]:
    """The server answers inside the `with` block, from a thread, and has ended after it."""
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def talk(port: int, data: bytes, *, then_close: bool = False, seconds: float = 10.0) -> bytes:
    """Everything that comes back for these bytes; nothing is awaited with `then_close`."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        if then_close:
            return b""
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer
