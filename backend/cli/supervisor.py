"""Runs the API and the web app side by side: starts both, says when they are ready, stops both."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from backend.core.errors import Unavailable

START_S = 300.0
"""Seconds that a part may take to answer for the first time: the first start may write a database and a cache."""
STOP_S = 20.0
"""Seconds that a part may take to stop by itself before it is killed."""

_PAUSE_S = 0.05
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One process to keep running. `ready_url` answers with status 200 as soon as it serves."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready_url: str
    quiet: bool = False  # its standard output is thrown away; messages on standard error are kept
    farewell_s: float = 0.0  # seconds that it may take to stop beyond STOP_S


class StopAsked(Exception):
    """A signal asked for the end."""


def check_port_free(host: str, port: int, variable: str) -> None:
    """Raises Unavailable if something listens on `host`:`port` already; `variable` names the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"Port {port} on {host} cannot be used: {error.strerror}.", f"Choose another with {variable}."
            ) from error


def run(parts: Sequence[Part], on_ready: Callable[[str], None]) -> None:
    """Runs `parts` until SIGINT, SIGTERM or SIGHUP comes, then stops them and returns.

    `on_ready` is called once a part, in their order, with its name as soon as it serves.
    Raises Unavailable, after stopping the others, if a part ends by itself or does not become ready in START_S seconds.
    """
    running: dict[str, subprocess.Popen[bytes]] = {}
    with _signals_as_exception():
        try:
            for part in parts:
                # A group of its own: a Ctrl-C in the terminal reaches this process alone, which passes it on once.
                running[part.name] = subprocess.Popen(  # noqa: S603 (our own command line)
                    part.command,
                    env={**os.environ, **part.environment},
                    stdout=subprocess.DEVNULL if part.quiet else None,
                    start_new_session=True,
                    preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (one thread)
                )
            for part in parts:
                _wait_ready(part, running)
                on_ready(part.name)
            while True:
                _check_alive(running)
                time.sleep(_PAUSE_S)
        except StopAsked:
            return
        finally:
            _ignore_signals()
            stop(running.values(), max((part.farewell_s for part in parts), default=0.0))


def stop(processes: Collection[subprocess.Popen[bytes]], farewell_s: float = 0.0) -> None:
    """Asks every process to end, and kills with their children those that do not within STOP_S + farewell_s seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_S + farewell_s
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_ready(part: Part, running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        _check_alive(running)
        try:
            with urllib.request.urlopen(part.ready_url, timeout=5):  # noqa: S310 (http, our own address)
                return
        except OSError:  # nothing listens yet, or it answers 503
            time.sleep(_PAUSE_S)
    raise Unavailable(f"{part.name} was not ready after {START_S:g} seconds.", "Its messages stand above.")


def _check_alive(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for name, process in running.items():
        if (status := process.poll()) is not None:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            raise Unavailable(f"{name} {how}, so everything is stopped.", "Its messages stand above.")


@contextmanager
def _signals_as_exception() -> Iterator[None]:
    def raise_stop(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()  # a second Ctrl-C must not interrupt the clean-up
        raise StopAsked

    heard = [number for number in _SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, raise_stop) for number in heard}  # nohup's wish is kept
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """In the child: asks the kernel to end it when this process is killed, so that no port stays taken."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
