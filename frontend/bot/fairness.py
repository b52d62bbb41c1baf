"""Who may go next: rates of single persons and chats, and turns at the service that chats take one after the other."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

Clock = Callable[[], float]


class Rates:
    """A token bucket for each key: `burst` at once, then `per_second` of them. Memory is bounded by `most` keys."""

    def __init__(self, per_second: float, burst: float, *, clock: Clock = time.monotonic, most: int = 10_000) -> None:
        self._per_second, self._burst, self._clock, self._most = per_second, burst, clock, most
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, at that moment

    def take(self, key: Hashable, count: float = 1.0) -> bool:
        """Whether `key` may have `count` more now; takes them if so."""
        level, now = self._level(key)
        if level < min(count, self._burst):
            return False
        self._keep(key, level - count, now)
        return True

    def reserve(self, key: Hashable) -> float:
        """Takes one token in any case; the seconds until it is there."""
        level, now = self._level(key)
        self._keep(key, level - 1.0, now)
        return max(0.0, (1.0 - level) / self._per_second)

    def rest(self, key: Hashable, seconds: float) -> None:
        """Nothing for `key` until so many seconds have passed."""
        level, now = self._level(key)
        self._keep(key, min(level, 1.0 - seconds * self._per_second), now)

    def _level(self, key: Hashable) -> tuple[float, float]:
        now = self._clock()
        level, then = self._levels.get(key, (self._burst, now))
        return min(self._burst, level + (now - then) * self._per_second), now

    def _keep(self, key: Hashable, level: float, now: float) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)  # whoever was silent for longest


class Turns:
    """A number of places; chats that wait for one take turns, so a flood in one of them delays the others by one."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait for a place, of all chats."""
        return sum(len(line) for line in self._waiting.values())

    @asynccontextmanager
    async def place(self, chat_id: int) -> AsyncIterator[None]:
        """Waits for a place and holds it."""
        if self._free:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(chat_id, deque()).append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()  # it was given a place that it cannot use
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            chat_id, line = next(iter(self._waiting.items()))
            turn = line.popleft()
            self._waiting.move_to_end(chat_id)
            if not line:
                del self._waiting[chat_id]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
