"""The commands, a row each: what they do, and the words that they answer with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from frontend.bot.answers import word_model
from frontend.bot.checking import Reply
from frontend.bot.delivery import Delivery
from frontend.bot.pictures import MOST_BYTES
from frontend.bot.service import Service
from frontend.bot.settings import Settings
from frontend.bot.stats import Stats
from frontend.formatting import MISSING, count, duration, rate, size
from frontend.texts import say_text
from frontend.texts.language import LANGUAGES

LISTED = 20
"""Models of one message."""
LANGUAGE = "language"
"""What the buttons of /language send, followed by a key of LANGUAGES."""
SHOWN = ("check", "help", "model", "language", "privacy")
"""Commands that Telegram offers to everybody while they type."""


@dataclass(frozen=True)
class Asker:
    """Who gave the command, and the words that follow it."""

    user_id: int
    words: str = ""


class Commands:
    """`rows` has all of them but /check, which is about a picture; `admin_rows` those of administrators."""

    def __init__(self, settings: Settings, service: Service, delivery: Delivery, stats: Stats) -> None:
        self._admins, self._service, self._delivery, self._stats = settings.admins, service, delivery, stats
        self.rows: dict[str, Callable[[Asker], Awaitable[Reply]]] = {
            "start": self.start,
            "help": self.help,
            "model": self.model,
            "language": self.language,
            "privacy": self.privacy,
        }
        self.admin_rows: dict[str, Callable[[Asker], Awaitable[Reply]]] = {
            "models": self.models,
            "set": self.set,
            "stats": self.stats,
        }

    async def answer(self, name: str, asker: Asker) -> Reply | None:
        """What a command answers; None where there is none of that name. Raises ApiError."""
        if name in self.admin_rows and asker.user_id not in self._admins:
            return Reply(say_text("bot.admin_only"))
        row = self.rows.get(name) or self.admin_rows.get(name)
        return None if row is None else await row(asker)

    async def start(self, asker: Asker) -> Reply:  # noqa: ARG002 (all rows are called alike)
        """Who this is and what to do."""
        return Reply(say_text("bot.start"))

    async def help(self, asker: Asker) -> Reply:
        """All that the bot can do; to administrators their commands too."""
        words = say_text("bot.help", most=size(MOST_BYTES))
        return Reply(f"{words}\n\n{say_text('bot.help.admin')}" if asker.user_id in self._admins else words)

    async def privacy(self, asker: Asker) -> Reply:  # noqa: ARG002
        """What is kept."""
        return Reply(say_text("bot.privacy"))

    async def language(self, asker: Asker) -> Reply:  # noqa: ARG002
        """A button for each language."""
        row = [InlineKeyboardButton(name, callback_data=f"{LANGUAGE}:{key}") for key, name in LANGUAGES.items()]
        return Reply(say_text("bot.language"), InlineKeyboardMarkup([row]))

    async def model(self, asker: Asker) -> Reply:  # noqa: ARG002
        """The detector that answers now."""
        return Reply(word_model(await asyncio.to_thread(self._service.client.active_model)))

    async def models(self, asker: Asker) -> Reply:
        """The one that answers now and the newest detectors, or those whose name or id holds the words."""
        page = await asyncio.to_thread(self._service.client.models, q=asker.words, limit=LISTED)
        cards, newest = page["items"], len(page["items"])
        if page["total"] > newest and not asker.words and not any(card["active"] for card in cards):
            cards = [await asyncio.to_thread(self._service.client.active_model), *cards]
        lines = [
            escape(
                say_text("bot.models.row", name=card["name"], accuracy=rate((card.get("accuracy") or {}).get("test")))
            )
            + (f" <b>{escape(say_text('bot.models.active'))}</b>" if card["active"] else "")
            + f"\n<code>{escape(str(card['id']))}</code>"
            for card in cards
        ]
        if page["total"] > newest and cards:
            lines.append(say_text("bot.models.more", total=count(page["total"]), count=newest))
        return Reply("\n".join(lines) or say_text("none"))

    async def set(self, asker: Asker) -> Reply:
        """Makes a detector the one that answers."""
        if not asker.words:
            return Reply(say_text("bot.set.how"))
        await asyncio.to_thread(self._service.client.set_active, asker.words)
        card = await asyncio.to_thread(self._service.client.active_model)
        return Reply(escape(say_text("bot.set.done", name=card["name"])))

    async def stats(self, asker: Asker) -> Reply:  # noqa: ARG002
        """What was counted since the start."""
        stats, median = self._stats, self._stats.median_s()
        counts = {name: count(stats.verdicts[name]) for name in ("fake", "real", "unsure", "failed")}
        words = say_text(
            "bot.stats",
            time=duration(time.monotonic() - stats.began),
            sent=count(self._delivery.sent),
            refused=count(stats.refused),
            waiting=count(self._service.turns.waiting),
            median=MISSING if median is None else f"{median:.2f} s",
            outages=count(self._service.outages),
            **counts,
        )
        return Reply(escape(words))
