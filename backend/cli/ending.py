"""uvicorn's server with an end that leaves nobody without an answer whom the system has told "connected"."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress

import uvicorn

HANDSHAKE_SECONDS = 0.1
"""So long a connection that has begun may take to be made before the server stops listening."""

_SO_ATTACH_FILTER = 26  # Linux's; the socket module does not name it
_FLAGS, _SYN, _ACK = 13, 0x02, 0x10  # offset in a TCP header (RFC 9293, section 3.1), and bits there
_NO_NEW_CONNECTIONS = (  # classic BPF: (code, jump if true, jump if false, operand)
    (0x30, 0, 0, _FLAGS),  # load the byte
    (0x54, 0, 0, _SYN | _ACK),  # and
    (0x15, 0, 1, _SYN),  # equal: the first packet of a connection
    (0x06, 0, 0, 0),  # return nothing of it
    (0x06, 0, 0, 0xFFFFFFFF),  # return the whole packet
)


class Server(uvicorn.Server):
    """Takes the connections that wait to be accepted before it stops listening; else they would be reset."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, after the waiting connections have become ones like all others."""
        loop = asyncio.get_running_loop()
        for server in self.servers:
            _begin_no_more(server)
        await asyncio.sleep(HANDSHAKE_SECONDS)
        waiting = [connection for server in self.servers for connection in _close(server)]
        taking = [loop.connect_accepted_socket(self._protocol, connection) for connection in waiting]
        await asyncio.gather(*taking, return_exceptions=True)  # an error: that client has gone
        await asyncio.sleep(0)  # what the loop has just accepted becomes known to uvicorn, which tells all to end
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """What speaks on a connection, made as uvicorn makes it."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn has it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _copies(server: asyncio.Server) -> list[socket.socket]:
    """Sockets of their own that listen where the server does."""
    return [socket.socket(fileno=os.dup(listener.fileno())) for listener in server.sockets]


def _begin_no_more(server: asyncio.Server) -> None:
    """From now on a new connection is ignored, as if its packet were lost; one that has begun is still made.

    Closing resets whatever was made since the last accept. A client that is ignored asks again a second later and is
    refused then: it knows that its request was never begun. Elsewhere than on Linux nothing is changed.
    """
    if sys.platform != "linux":
        return
    steps = b"".join(struct.pack("HBBI", *step) for step in _NO_NEW_CONNECTIONS)
    kept = ctypes.create_string_buffer(steps, len(steps))  # the system reads it by its address
    program = struct.pack("HP", len(_NO_NEW_CONNECTIONS), ctypes.addressof(kept))
    for listener in _copies(server):
        with listener, suppress(OSError):  # a sandbox that does not know filters
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _close(server: asyncio.Server) -> list[socket.socket]:
    """Stops listening; returns the connections that had come by then, not accepted by the loop yet."""
    listeners = _copies(server)
    server.close()
    waiting = []
    for listener in listeners:
        with listener:
            listener.setblocking(False)
            with suppress(OSError):  # none is left, or no file
                while True:
                    waiting.append(listener.accept()[0])
    return waiting
