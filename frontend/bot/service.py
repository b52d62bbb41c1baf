"""The deepfake service as the bot asks it: in threads, a few at a time, chats in turn, and again after an outage."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from frontend.bot.fairness import Turns
from frontend.client import Client
from frontend.transport import ApiError, Json

log = logging.getLogger(__name__)
T = TypeVar("T")

AWAY = frozenset({0, 429, 502, 503, 504})
"""Statuses that say that the service is down, starting or full: the same question may be answered later."""
NOTICE_S = 3.0
"""An outage of so many seconds is told to whoever waits."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
KEPT_CARDS = 16


class NotBack(Exception):
    """The service did not come back within the limit."""


class Service:
    """`ask` is the one way to it. `hold_s` is how long a question is held while the service is away."""

    def __init__(self, client: Client, turns: Turns, hold_s: float) -> None:
        self.client, self.turns, self.hold_s = client, turns, hold_s
        self.outages = 0
        self._return: asyncio.Task[None] | None = None
        self._cards: dict[str, Json] = {}

    async def ask(self, chat_id: int, question: Callable[[], Awaitable[T]], tell: Callable[[], Awaitable[None]]) -> T:
        """The answer of `question`, which has a place of its chat while it runs.

        Where the service is away, `tell` says so, once, and the question is asked again when it is back. Raises NotBack
        after `hold_s` seconds, and ApiError where the service answers with a refusal.
        """
        began, told, tried = time.monotonic(), False, 0
        end = began + self.hold_s
        while True:
            try:
                async with self.turns.place(chat_id):
                    return await question()
            except ApiError as error:
                if error.status not in AWAY:
                    raise
            await asyncio.sleep(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**tried))
            tried += 1
            back = self._until_back()
            await asyncio.wait({back}, timeout=max(0.0, min(began + NOTICE_S, end) - time.monotonic()))
            if not (back.done() or told or time.monotonic() >= end):
                told = True
                await tell()
            await asyncio.wait({back}, timeout=max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                raise NotBack

    async def card(self, model_id: str) -> Json:
        """A model's card; kept, since a model never changes but for its name."""
        if model_id not in self._cards:
            card = await asyncio.to_thread(self.client.model, model_id)
            if len(self._cards) >= KEPT_CARDS:
                self._cards.clear()
            self._cards[model_id] = card
        return self._cards[model_id]

    def _until_back(self) -> asyncio.Task[None]:
        """One task for all who wait: it ends once the service says that it can predict."""
        if self._return is None or self._return.done():
            self._return = asyncio.create_task(self._watch())
        return self._return

    async def _watch(self) -> None:
        pause, away = FIRST_PAUSE_S, False
        while True:
            try:
                await asyncio.to_thread(self.client.ready)
            except ApiError as error:
                if not away:
                    away = True
                    self.outages += 1
                    log.warning("The service is away (%s)", error.code)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            else:
                if away:
                    log.info("The service is back")
                return
