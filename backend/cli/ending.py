"""uvicorn's server with an end that leaves nobody without an answer whom the system has told "connected"."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

import uvicorn


class Server(uvicorn.Server):
    """Takes the connections that wait to be accepted before it stops listening; else they would be reset."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, after the waiting connections have become ones like all others."""
        loop = asyncio.get_running_loop()
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


def _close(server: asyncio.Server) -> list[socket.socket]:
    """Stops listening; returns the connections that had come by then, not accepted by the loop yet."""
    listeners = [socket.socket(fileno=os.dup(listener.fileno())) for listener in server.sockets]
    server.close()
    waiting = []
    for listener in listeners:  # the copies listen on, so that nobody comes between the last accept and the end
        with listener:
            listener.setblocking(False)
            with suppress(OSError):  # none is left, or no file
                while True:
                    waiting.append(listener.accept()[0])
    return waiting
