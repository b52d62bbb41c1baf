"""One update from Telegram: what it asks, whether it may, and who answers it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

from telegram import CallbackQuery, Message, Update, User
from telegram.error import TelegramError

from frontend.bot.albums import Album, Albums
from frontend.bot.answers import word_error
from frontend.bot.asked import Command, find_command, is_group, is_mentioned
from frontend.bot.checking import Checking, Entry, Place, Reply, say_refusal
from frontend.bot.commands import LANGUAGE, Asker, Commands
from frontend.bot.delivery import Delivery, Undelivered
from frontend.bot.fairness import Rates
from frontend.bot.journal import Journal
from frontend.bot.pictures import Refused, find_picture
from frontend.bot.service import Service
from frontend.bot.settings import Settings
from frontend.bot.stats import Stats
from frontend.texts import say_text, speak
from frontend.texts.language import LANGUAGES
from frontend.transport import ApiError

log = logging.getLogger(__name__)

NOTICE_EVERY_S = 30.0
"""Somebody who asks too often is told so once in this time."""
MOST_PENDING = 8
"""Answers of one chat under way. Its messages leave one a second, and what waits for that holds places of all chats."""


class Conversation:
    """`handle` returns once an update has its answer, or needs none."""

    def __init__(
        self,
        me: User,
        settings: Settings,
        *,
        delivery: Delivery,
        service: Service,
        journal: Journal,
        stats: Stats,
        commands: Commands,
    ) -> None:
        self._me, self._rate, self._delivery, self._journal, self._stats = me, settings.rate, delivery, journal, stats
        self._commands = commands
        self._checking = Checking(delivery, service, stats)
        self._albums = Albums(lambda album: self._guarded(album.messages[0].chat_id, self._answer_album(album)))
        self._rates = Rates(settings.rate / 60, settings.rate)
        self._notices = Rates(1 / NOTICE_EVERY_S, 1)
        self._pending: Counter[int] = Counter()  # chat -> answers under way

    async def handle(self, update: Update) -> None:
        """Answers, also where this program itself fails. Raises Undelivered where Telegram does not take the answer."""
        chat = update.effective_chat
        await self._guarded(None if chat is None else chat.id, self._answer(update))

    async def _guarded(self, chat_id: int | None, work: Awaitable[None]) -> None:
        try:
            await work
        except Undelivered:
            raise
        except Exception:
            log.exception("An update could not be answered")
            if chat_id is not None:
                await self._delivery.text(chat_id, say_text("bot.broken"))

    async def _answer(self, update: Update) -> None:
        query, message = update.callback_query, update.message
        user = update.effective_user
        if query is not None and user is not None:
            self._speak(query.message.chat.id if query.message else user.id, user)
            await self._press(query, user)
        elif message is not None and user is not None and (message.sender_chat or not user.is_bot):
            self._speak(message.chat_id, user)
            if message.media_group_id and find_command(message, self._me) is None:
                await self._albums.add(message, message.media_group_id, update.update_id)
            else:
                await self._hear(message, user)

    def _speak(self, chat_id: int, user: User) -> None:
        """The language chosen in this chat, else that of the person's Telegram where there is one of ours."""
        by_telegram = (user.language_code or "").partition("-")[0]
        speak(self._journal.language(chat_id) or (by_telegram if by_telegram in LANGUAGES else "en"))

    async def _hear(self, message: Message, user: User) -> None:
        command = find_command(message, self._me)
        group = is_group(message)
        mentioned = group and is_mentioned(message, self._me)
        if group and command is None and not mentioned:
            return  # nobody asked
        if command is not None and command.name != "check":
            await self._obey(command, message, user)
            return
        asked: list[Message | None] = [message]
        if command is not None or mentioned:
            asked.append(message.reply_to_message)
        source, entry = _first_picture(asked)
        place = Place(message.chat_id, source.message_id)
        if entry is None:
            key = "bot.check.what" if command is not None or group else "bot.send_picture"
            await self._say(message, user, Reply(say_text(key)))
        elif isinstance(entry, Refused):
            await self._say(message, user, Reply(say_refusal(entry)))
        else:
            async with self._admitted(place, user) as admitted:
                if admitted:
                    await self._checking.check(place, [entry])

    async def _answer_album(self, album: Album) -> None:
        first = album.messages[0]
        user = first.from_user
        asked = not is_group(first) or any(is_mentioned(message, self._me) for message in album.messages)
        entries = [entry for message in album.messages if (entry := _first_picture([message])[1]) is not None]
        if user is None or not asked or not entries:
            return
        place = Place(first.chat_id, first.message_id)
        async with self._admitted(place, user, len(entries)) as admitted:
            if admitted:
                await self._checking.check(place, entries)
                self._journal.mark(album.update_ids)  # all at once: after a crash no part of it is answered again

    async def _obey(self, command: Command, message: Message, user: User) -> None:
        place = Place(message.chat_id, message.message_id)
        async with self._admitted(place, user) as admitted:
            if not admitted:
                return
            try:
                reply = await self._commands.answer(command.name, Asker(user.id, command.words))
            except ApiError as error:
                reply = Reply(word_error(error))
            if reply is None and (command.addressed or not is_group(message)):
                reply = Reply(say_text("bot.send_picture"))
            if reply is not None:
                await self._delivery.text(place.chat_id, reply.html, reply_to=place.reply_to, buttons=reply.buttons)

    async def _press(self, query: CallbackQuery, user: User) -> None:
        """A button: a language, or why."""
        data, message = query.data or "", query.message
        chat_id = message.chat.id if message is not None else user.id
        place = Place(chat_id, message.message_id if message is not None else None)
        kind, _, value = data.partition(":")
        if kind == LANGUAGE and value in LANGUAGES:
            await self._choose_language(query, user, place, value)
            return
        picture = self._checking.recall(data)
        original = message.reply_to_message if isinstance(message, Message) else None
        if not value and original is not None:
            with suppress(Refused):
                picture = find_picture(original)
        if picture is None:
            await self._acknowledge(query, say_text("bot.why.gone"), alert=True)
            return
        async with self._admitted(place, user) as admitted:
            if admitted:
                await self._acknowledge(query, say_text("bot.why.looking"))
                await self._checking.explain(place, picture)

    async def _choose_language(self, query: CallbackQuery, user: User, place: Place, language: str) -> None:
        self._journal.choose_language(place.chat_id, language)
        speak(language)
        await self._acknowledge(query, "")
        async with self._admitted(place, user) as admitted:
            if admitted:
                await self._delivery.text(place.chat_id, say_text("bot.language.chosen"))

    async def _acknowledge(self, query: CallbackQuery, words: str, *, alert: bool = False) -> None:
        """Ends the waiting sign of a button. One that is too old has none any more."""
        with suppress(TelegramError):
            await query.answer(words, show_alert=alert)

    async def _say(self, message: Message, user: User, reply: Reply) -> None:
        place = Place(message.chat_id, message.message_id)
        async with self._admitted(place, user) as admitted:
            if admitted:
                await self._delivery.text(place.chat_id, reply.html, reply_to=place.reply_to)

    @asynccontextmanager
    async def _admitted(self, place: Place, user: User, n: int = 1) -> AsyncIterator[bool]:
        """Whether this person may have `n` more answers in this chat now; where not, says so, but not each time."""
        if self._pending[place.chat_id] < MOST_PENDING and self._rates.take(user.id, n):
            self._pending[place.chat_id] += 1
            try:
                yield True
            finally:
                self._pending[place.chat_id] -= 1
                self._pending += Counter()  # drops those at zero
            return
        self._stats.refused += n
        if self._notices.take(user.id):
            words = say_text("bot.too_often", count=self._rate)
            await self._delivery.text(place.chat_id, words, reply_to=place.reply_to)
        yield False


def _first_picture(messages: list[Message | None]) -> tuple[Message, Entry | None]:
    """The first message that holds a picture, or a file that cannot be one; else the first with None."""
    for message in messages:
        if message is not None:
            try:
                if (picture := find_picture(message)) is not None:
                    return message, picture
            except Refused as refused:
                return message, refused
    assert messages[0] is not None
    return messages[0], None
