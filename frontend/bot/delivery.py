"""Messages on their way to Telegram: not faster than it allows, and again where it or the network failed.

Telegram's limits (core.telegram.org/bots/faq): about 30 messages a second in all, one a second in a chat, 20 a minute
in a group. A message whose confirmation is lost is sent again, so it may come twice; none is lost.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction, MessageLimit, ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from frontend.bot.fairness import Rates

log = logging.getLogger(__name__)
T = TypeVar("T")

ALL_PER_S, CHAT_PER_S, GROUP_PER_S = 30.0, 1.0, 20 / 60
CHAT_BURST, GROUP_BURST = 3, 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
GIVE_UP_S = 300.0
"""A message that Telegram did not take for so long is given up, so that others behind it are not held for ever."""
ACTIONS_PER_S = 5.0
"""Signs of work under way, in all: they count as messages do."""
SLOW_S, ACTION_EVERY_S = 0.8, 4.5
"""Somebody who waits longer than the first sees that work is under way; Telegram shows that for 5 seconds."""


class Undelivered(Exception):
    """Telegram will not take this message: the person blocked the bot, or the chat is gone."""


def pause_after(error: TelegramError, tried: int) -> float:
    """Seconds to wait after the `tried`-th failure: what Telegram asks for, else twice as long each time."""
    if isinstance(error, RetryAfter):
        asked = error.retry_after
        return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (tried - 1)))


def is_passing(error: TelegramError) -> bool:
    """Whether the same call may succeed later."""
    return isinstance(error, RetryAfter) or (isinstance(error, NetworkError) and not isinstance(error, BadRequest))


class Delivery:
    """Sends to any chat in its time."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.sent = 0  # messages that Telegram took
        self._all = Rates(ALL_PER_S, ALL_PER_S)
        self._actions = Rates(ACTIONS_PER_S, ACTIONS_PER_S)
        self._chats = Rates(CHAT_PER_S, CHAT_BURST)
        self._groups = Rates(GROUP_PER_S, GROUP_BURST)

    async def text(
        self,
        chat_id: int,
        html: str,
        *,
        reply_to: int | None = None,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> None:
        """Sends a message, cut to what one may hold. Raises Undelivered."""

        async def send() -> Message:
            return await self.bot.send_message(
                chat_id,
                html if len(html) <= MessageLimit.MAX_TEXT_LENGTH else _cut(html),
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_parameters=_reply(reply_to),
                reply_markup=buttons,
            )

        await self._send(chat_id, send)

    async def photo(self, chat_id: int, jpeg: bytes, html: str, *, reply_to: int | None = None) -> None:
        """Sends a picture with words below it. Raises Undelivered."""

        async def send() -> Message:
            return await self.bot.send_photo(
                chat_id,
                jpeg,
                caption=html,
                parse_mode=ParseMode.HTML,
                reply_parameters=_reply(reply_to),
                filename="why.jpg",
            )

        await self._send(chat_id, send)

    @asynccontextmanager
    async def progress(self, chat_id: int, action: ChatAction = ChatAction.TYPING) -> AsyncIterator[None]:
        """While this lasts, the chat sees from SLOW_S on that work is under way."""

        async def show() -> None:
            pause = SLOW_S
            while True:
                await asyncio.sleep(pause)
                pause = ACTION_EVERY_S
                if self._actions.take(None):
                    with suppress(TelegramError):  # the answer is what counts
                        await self.bot.send_chat_action(chat_id, action)

        task = asyncio.create_task(show())
        try:
            yield
        finally:
            task.cancel()

    async def _send(self, chat_id: int, send: Callable[[], Awaitable[T]]) -> T:
        began, tried = time.monotonic(), 0
        chat = self._groups if chat_id < 0 else self._chats  # Telegram numbers groups below zero
        while True:
            await asyncio.sleep(chat.reserve(chat_id))
            await asyncio.sleep(self._all.reserve(None))
            try:
                taken = await send()
            except (BadRequest, Forbidden, InvalidToken) as error:
                raise Undelivered(str(error)) from error
            except TelegramError as error:
                tried += 1
                pause = pause_after(error, tried)
                if not is_passing(error) or time.monotonic() - began + pause > GIVE_UP_S:
                    raise Undelivered(str(error)) from error
                log.info("A message was not taken (%s); again in %.1f s", type(error).__name__, pause)
                chat.rest(chat_id, pause)
            else:
                self.sent += 1
                return taken


def _reply(message_id: int | None) -> ReplyParameters | None:
    return None if message_id is None else ReplyParameters(message_id, allow_sending_without_reply=True)


def _cut(html: str) -> str:
    """As many whole lines as fit; no line of ours holds half of a tag."""
    return html[: MessageLimit.MAX_TEXT_LENGTH].rpartition("\n")[0]
