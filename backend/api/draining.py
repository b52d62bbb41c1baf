"""The end of a server without a cut: not ready any more first, then no new connections, then the rest is answered."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger("deepfake.api")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Draining:
    """Whether the server was told to end. From then on it is not ready, but serves on for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._begun = threading.Event()

    @property
    def begun(self) -> bool:
        """True from the first signal on."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Makes the server unready at once."""
        self._begun.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within the block the first SIGTERM or SIGINT begins to drain; the server's own handler gets it afterwards.

        A second signal goes to that handler at once. Outside the main thread nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in _SIGNALS}

        def pass_on(number: int, frame: FrameType | None = None) -> None:
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        def handle(number: int, frame: FrameType | None) -> None:
            if self.begun or self.seconds == 0:
                self.begin()
                pass_on(number, frame)
                return
            self.begin()
            log.info("Told to end: not ready any more, serving for %g seconds.", self.seconds)
            loop.call_soon_threadsafe(lambda: loop.call_later(self.seconds, pass_on, number))

        for number in _SIGNALS:
            signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
