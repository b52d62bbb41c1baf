"""The updates that the bot holds: each is answered once, and none is let go of before it has its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from telegram import Update

from frontend.bot.delivery import Undelivered
from frontend.bot.journal import Journal

log = logging.getLogger(__name__)

MOST = 100
"""Updates that are held; Telegram keeps the others. Its getUpdates gives no more at once."""
ALLOWED = ["message", "callback_query"]
"""Kinds of updates that Telegram shall send."""


class Intake:
    """`take` starts the answer of an update. Needs a running event loop."""

    def __init__(self, handle: Callable[[Update], Awaitable[None]], journal: Journal) -> None:
        self._handle, self._journal = handle, journal
        self.held: dict[int, asyncio.Task[None]] = {}
        """Number of an update -> its answer under way."""

    def take(self, update: Update) -> asyncio.Task[None] | None:
        """The answer under way; None where the update was answered before."""
        if update.update_id not in self.held:
            if self._journal.is_answered(update.update_id):
                return None
            self.held[update.update_id] = asyncio.create_task(self._answer(update))
        return self.held[update.update_id]

    async def wait(self, seconds: float) -> None:
        """Until all that is held has its answer, or for so long; where no more can be held, until the first has it."""
        tasks = [self.held[min(self.held)]] if len(self.held) >= MOST else self.held.values()
        await asyncio.wait(tasks, timeout=seconds)

    async def finish(self, seconds: float) -> None:
        """Lets what is held end within so many seconds; the rest comes again at the next start."""
        if self.held:
            _, late = await asyncio.wait(self.held.values(), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _answer(self, update: Update) -> None:
        try:
            try:
                await self._handle(update)
            except Undelivered as error:
                log.info("Telegram does not take an answer: %s", error)
            self._journal.mark([update.update_id])
        finally:
            del self.held[update.update_id]
