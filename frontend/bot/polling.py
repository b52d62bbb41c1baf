"""Updates by long polling: Telegram forgets an update once a later `offset` is asked for, so that waits for its answer.

While answers are under way, the first one without an answer bounds the offset and Telegram gives the same updates
again; then it is asked every few tenths of a second. With nothing under way a request waits until something comes.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, TelegramError

from frontend.bot.delivery import pause_after
from frontend.bot.intake import ALLOWED, MOST, Intake

log = logging.getLogger(__name__)

LONG_POLL_S = 30
SHORT_PAUSE_S, LONG_PAUSE_S = 0.1, 0.5
"""Between requests while answers are under way: the longer, the longer nothing new came."""


class Polling:
    """`run` until told to stop, then `confirm` once what is held has its answers."""

    def __init__(self, bot: Bot, intake: Intake) -> None:
        self._bot, self._intake = bot, intake
        self._next: int | None = None  # number after the last update that came

    async def run(self, stop: asyncio.Event) -> None:
        """Takes updates until `stop`. Raises InvalidToken where Telegram does not know the token any more."""
        stopped = asyncio.create_task(stop.wait())
        pause, failed = SHORT_PAUSE_S, 0
        while not stop.is_set():
            request = asyncio.create_task(self._get(0 if self._intake.held else LONG_POLL_S))
            await asyncio.wait({request, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                request.cancel()
                with suppress(asyncio.CancelledError, TelegramError):
                    await request
                return
            try:
                updates = request.result()
            except InvalidToken:
                raise
            except TelegramError as error:
                failed += 1
                _warn(error)
                await asyncio.wait({stopped}, timeout=pause_after(error, failed))
                continue
            failed = 0
            if self._take(updates):
                pause = SHORT_PAUSE_S
            if self._intake.held:
                await self._intake.wait(pause)
                pause = min(LONG_PAUSE_S, pause * 1.5)

    async def confirm(self) -> None:
        """Tells Telegram at the end which updates it may forget; where it does not hear, the journal knows them."""
        if self._next is not None:
            with suppress(TelegramError):
                await self._get(0, limit=1)

    async def _get(self, timeout: int, limit: int = MOST) -> tuple[Update, ...]:
        offset = min(self._intake.held, default=self._next)
        return await self._bot.get_updates(offset=offset, limit=limit, timeout=timeout, allowed_updates=ALLOWED)

    def _take(self, updates: tuple[Update, ...]) -> bool:
        """Whether something new was among them."""
        known = set(self._intake.held)
        for update in updates:
            self._intake.take(update)
            self._next = update.update_id + 1
        return not self._intake.held.keys() <= known


def _warn(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        log.warning("Another program takes this bot's updates, by polling or by a webhook; only one may")
    else:
        log.info("No updates from Telegram (%s)", type(error).__name__)
