"""Pictures in, verdicts out: one picture, an album, and the heat-map behind the button."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ChatAction

from frontend.bot.albums import Recall
from frontend.bot.answers import order, verdict_of, word_album, word_answer, word_error, word_why
from frontend.bot.delivery import Delivery, Undelivered
from frontend.bot.drawing import draw_heatmap
from frontend.bot.pictures import MOST_BYTES, Picture, Refused, download
from frontend.bot.service import NotBack, Service
from frontend.bot.stats import Stats
from frontend.formatting import duration, size
from frontend.texts import say_text
from frontend.transport import ApiError, Json

log = logging.getLogger(__name__)

QUIET_S = 1.0
"""After so long a silence, and alone, a photo is tried on changed copies too: that takes the time of ten answers."""
TRIED_PIXELS = 1_400_000
"""Photos of up to so many; above, that alone would take more than a second."""
WHY = "why"
"""What the button below a single answer sends; below an album's it is followed by the album's name and a number."""
BUTTONS_A_ROW = 5

Entry = Picture | Refused
"""A picture that was sent, or why what was sent is none."""


@dataclass(frozen=True)
class Place:
    """Where an answer goes: a chat, and the message there that it answers."""

    chat_id: int
    reply_to: int | None


@dataclass(frozen=True)
class Reply:
    """What is sent: words (HTML), buttons below them, a picture above them."""

    html: str
    buttons: InlineKeyboardMarkup | None = None
    jpeg: bytes | None = None


class Checking:
    """Each method sends one answer, whatever comes of it; raises Undelivered where Telegram does not take it."""

    def __init__(self, delivery: Delivery, service: Service, stats: Stats) -> None:
        self._delivery, self._service, self._stats = delivery, service, stats
        self._recall = Recall()
        self._asked = 0.0  # moment at which the service was last asked
        self._under_way = 0  # answers

    async def check(self, place: Place, entries: Sequence[Entry]) -> None:
        """Answers a picture, or an album at once; an entry that is no picture has its place in the answer."""

        async def question() -> Reply:
            items, card = await self._predict(entries)
            pictures = [_as_picture(entry) for entry in entries]
            if len(items) > 1:
                return Reply(word_album(items, pictures), self._album_buttons(items, pictures))
            button = InlineKeyboardButton(say_text("bot.why"), callback_data=WHY)
            buttons = InlineKeyboardMarkup([[button]]) if "verdict" in items[0] else None
            return Reply(word_answer(items[0], card, pictures[0]), buttons)

        began = time.monotonic()
        self._under_way += 1
        try:
            async with self._delivery.progress(place.chat_id):
                reply = await self._ask(place, question)
        finally:
            self._under_way -= 1
        await self._delivery.text(place.chat_id, reply.html, reply_to=place.reply_to, buttons=reply.buttons)
        self._stats.seconds.append(time.monotonic() - began)

    async def explain(self, place: Place, picture: Picture) -> None:
        """Sends the picture under its heat-map, with what it means."""

        async def question() -> Reply:
            content = await download(self._delivery.bot, picture)
            named = [(picture.name, content)]
            answer = await asyncio.to_thread(self._service.client.predict, named, explain=True, stability=True)
            item = order(answer, 1)[0]
            if "verdict" not in item:
                return Reply(word_answer(item, {}, picture))
            words = word_why(item, await self._service.card(str(item["model_id"])))
            heatmap = (item.get("explanation") or {}).get("heatmap")
            return Reply(words, jpeg=await asyncio.to_thread(draw_heatmap, content, heatmap))

        async with self._delivery.progress(place.chat_id, ChatAction.UPLOAD_PHOTO):
            reply = await self._ask(place, question)
        if reply.jpeg is not None:
            try:
                await self._delivery.photo(place.chat_id, reply.jpeg, reply.html, reply_to=place.reply_to)
                return
            except Undelivered:
                log.info("Telegram took no heat-map; its words go alone")
        await self._delivery.text(place.chat_id, reply.html, reply_to=place.reply_to)

    def recall(self, data: str) -> Picture | None:
        """The picture that a button below an album's answer stands for; None where it is forgotten."""
        _, token, number = f"{data}::".split(":")[:3]
        return self._recall.find(token, int(number)) if number.isdecimal() else None

    async def _ask(self, place: Place, question: Callable[[], Awaitable[Reply]]) -> Reply:
        async def tell() -> None:
            words = say_text("bot.held", time=duration(self._service.hold_s))
            await self._delivery.text(place.chat_id, words, reply_to=place.reply_to)

        try:
            return await self._service.ask(place.chat_id, question, tell)
        except NotBack:
            return Reply(say_text("bot.not_back", time=duration(self._service.hold_s)))
        except Refused as refused:
            return Reply(say_refusal(refused))
        except ApiError as error:
            log.warning("The service refused a question: %s", error.code)
            return Reply(word_error(error))

    async def _predict(self, entries: Sequence[Entry]) -> tuple[list[Json], Json]:
        """A prediction or a problem for each entry, and the card of the model that answered."""
        items: list[Json] = []
        card: Json = {}
        quiet = self._under_way == 1 and time.monotonic() - self._asked > QUIET_S
        self._asked = time.monotonic()
        for batch in _batches(entries):
            contents = [await self._fetch(entry) for entry in batch]
            good = [(entry.name, content) for entry, content in contents if isinstance(entry, Picture)]
            compressed = [entry.compressed for entry, _ in contents if isinstance(entry, Picture)]
            n_pixels = sum(entry.n_pixels for entry, _ in contents if isinstance(entry, Picture))
            answered: Iterator[Json] = iter(())
            if good:
                answer = await asyncio.to_thread(
                    self._service.client.predict,
                    good,
                    provenance=not all(compressed),  # Telegram leaves nothing in what it compresses
                    stability=any(compressed) and quiet and n_pixels <= TRIED_PIXELS,
                )
                answered = iter(order(answer, len(good)))
            items += [
                next(answered) if isinstance(entry, Picture) else {"detail": say_refusal(entry)}
                for entry, _ in contents
            ]
        model_id = next((str(item["model_id"]) for item in items if "verdict" in item), None)
        if model_id is not None:
            card = await self._service.card(model_id)
        self._stats.verdicts.update(verdict_of(item) for item in items)
        return items, card

    async def _fetch(self, entry: Entry) -> tuple[Entry, bytes]:
        if isinstance(entry, Refused):
            return entry, b""
        try:
            return entry, await download(self._delivery.bot, entry)
        except Refused as refused:
            return refused, b""

    def _album_buttons(self, items: Sequence[Json], pictures: Sequence[Picture]) -> InlineKeyboardMarkup | None:
        token = self._recall.keep(pictures)
        buttons = [
            InlineKeyboardButton(say_text("bot.why.number", n=n + 1), callback_data=f"{WHY}:{token}:{n}")
            for n, item in enumerate(items)
            if "verdict" in item
        ]
        rows = [buttons[start : start + BUTTONS_A_ROW] for start in range(0, len(buttons), BUTTONS_A_ROW)]
        return InlineKeyboardMarkup(rows) if rows else None


def say_refusal(refused: Refused) -> str:
    """Why what was sent cannot be checked."""
    return say_text(refused.key, most=size(MOST_BYTES))


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries in order, in parts that hold as many bytes as one large file at most."""
    batch: list[Entry] = []
    held = 0
    for entry in entries:
        n_bytes = entry.n_bytes if isinstance(entry, Picture) else 0
        if batch and held + n_bytes > MOST_BYTES:
            yield batch
            batch, held = [], 0
        batch.append(entry)
        held += n_bytes
    if batch:
        yield batch


def _as_picture(entry: Entry) -> Picture:
    return entry if isinstance(entry, Picture) else Picture("", "–", 0, compressed=False)
