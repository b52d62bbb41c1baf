"""A light load generator for `POST /predict`: clients that wait for their answers, or arrivals that wait for nobody.

    python -m benchmarks.clients PORT --clients 16 --seconds 10
    python -m benchmarks.clients PORT --rate 300 --seconds 10

Prints one JSON document. It runs as a process of its own and reports its processor time, which is missing to the server
on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

IMAGES = 64
STALE_SECONDS = 2.0
"""An idle connection is not used again after so long: the server may be closing it."""

HEAD = "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"


def small_jpegs() -> list[bytes]:
    """IMAGES different 32 x 32 JPEGs of smooth noise."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(IMAGES):
        small = rng.integers(0, 256, (4 + number % 13, 4 + number % 13, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=75)
        made.append(buffer.getvalue())
    return made


def request_of(image: bytes) -> bytes:
    """The bytes of a request with one image in `files`."""
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = part + image + b"\r\n--b--\r\n"
    return f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds that a part of the requests took at most."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    parts = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {
        name: round(1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1) for name, part in parts.items()
    }


@dataclass
class Seen:
    """What the clients saw: (moment it was to be sent, seconds until the answer, status; "broken" without one)."""

    answers: list[tuple[float, float, str]] = field(default_factory=list)

    def figures(self, seconds: float) -> dict[str, Any]:
        """Rates and latencies of a run of so many seconds, and this process's processor time."""
        good = [latency for _, latency, status in self.answers if status == "200"]
        used = os.times()
        return {
            "seconds": round(seconds, 1),
            "statuses": dict(Counter(status for *_, status in self.answers)),
            "per_second": round(len(good) / seconds, 1),
            "milliseconds": percentiles(good),
            "generator_cpu_seconds": round(used.user + used.system, 2),
        }


class Connection(asyncio.Protocol):
    """One connection, one request at a time; `done(status, retry_after)` is called with each answer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.done: Callable[[str, float], None] | None = None
        self.idle_since = 0.0
        self._held = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is a stream
        """Keeps the way to the server."""
        self.transport = transport

    def ask(self, request: bytes, done: Callable[[str, float], None]) -> None:
        """Sends a request."""
        self.done = done
        if self.transport is None or self.transport.is_closing():
            self._end("broken")
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Ends the request once its answer is whole."""
        self._held += data
        head, _, body = self._held.partition(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.find(b"content-length: ")
        if at < 0 or len(body) < int(lowered[at + 16 :].split(b"\r", 1)[0]):
            return
        self._held = b""
        if b"connection: close" in lowered and self.transport is not None:
            self.transport.close()
            self.transport = None
        wait = lowered.find(b"retry-after: ")
        self._end(head[9:12].decode(), float(lowered[wait + 13 :].split(b"\r", 1)[0]) if wait >= 0 else 0.0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (as asyncio calls it)
        """A request that waits is broken."""
        self.transport = None
        if self.done is not None:
            self._end("broken")

    def _end(self, status: str, retry_after: float = 0.0) -> None:
        done, self.done, self.idle_since = self.done, None, time.monotonic()
        if done is not None:
            done(status, retry_after)


async def connect(port: int) -> Connection:
    """A new connection to the server on this machine."""
    _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return made


async def keep_asking(port: int, until: float, requests: Iterator[bytes], seen: Seen) -> None:
    """One client: the next request as soon as the last is answered; after a 503 it waits as long as it was told."""
    loop = asyncio.get_running_loop()
    connection: Connection | None = None
    while (began := time.monotonic()) < until:
        answered: asyncio.Future[tuple[str, float]] = loop.create_future()
        try:
            if connection is None or connection.transport is None:
                connection = await connect(port)
            connection.ask(next(requests), lambda *told: answered.set_result(told))  # noqa: B023 (awaited right below)
            status, pause = await answered
        except OSError:
            status, pause = "broken", 0.1
        seen.answers.append((began, time.monotonic() - began, status))
        if pause or status == "broken":
            await asyncio.sleep(pause or 0.1)


async def closed_loop(port: int, clients: int, seconds: float, images: list[bytes]) -> dict[str, Any]:
    """So many clients, each with one request at a time."""
    requests, seen = itertools.cycle([request_of(image) for image in images]), Seen()
    began = time.monotonic()
    await asyncio.gather(*(keep_asking(port, began + seconds, requests, seen) for _ in range(clients)))
    return {"clients": clients, **seen.figures(time.monotonic() - began), "answers": seen.answers}


async def open_loop(port: int, rate: float, seconds: float, images: list[bytes]) -> dict[str, Any]:
    """Requests of a Poisson process of `rate` a second; a latency counts from the moment it was to be sent."""
    rng = np.random.default_rng(0)
    gaps = rng.exponential(1 / rate, size=int(rate * seconds * 1.5) + 10)
    times = [moment for moment in np.cumsum(gaps).tolist() if moment < seconds]
    requests, seen, idle = itertools.cycle([request_of(image) for image in images]), Seen(), []
    under_way: set[asyncio.Task[None]] = set()
    began = time.monotonic()

    def send(connection: Connection, intended: float) -> None:
        def done(status: str, _: float) -> None:
            seen.answers.append((intended, time.monotonic() - intended, status))
            if connection.transport is not None:
                idle.append(connection)

        connection.ask(next(requests), done)

    async def connect_and_send(intended: float) -> None:
        try:
            send(await connect(port), intended)
        except OSError:
            seen.answers.append((intended, 0.0, "broken"))

    for moment in times:
        if (pause := began + moment - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        while idle and (idle[-1].transport is None or time.monotonic() - idle[-1].idle_since > STALE_SECONDS):
            idle.pop()
        if idle:
            send(idle.pop(), began + moment)
        else:
            task = asyncio.create_task(connect_and_send(began + moment))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    sent = time.monotonic() - began
    while len(seen.answers) < len(times) and time.monotonic() - began < sent + 30:
        await asyncio.sleep(0.01)
    took = max(seconds, time.monotonic() - began)  # longer where the server falls behind
    return {"rate": rate, **seen.figures(took), "unanswered": len(times) - len(seen.answers)}


def main() -> None:
    """Runs one load against a server that is there already."""
    parser = argparse.ArgumentParser(description="A light load generator for POST /predict.")
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int)
    parser.add_argument("--rate", type=float)
    given = parser.parse_args()
    import uvloop

    images = small_jpegs()
    if given.rate:
        figures = uvloop.run(open_loop(given.port, given.rate, given.seconds, images))
    else:
        figures = uvloop.run(closed_loop(given.port, given.clients or 16, given.seconds, images))
        del figures["answers"]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
