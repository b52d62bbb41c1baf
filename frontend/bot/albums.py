"""Albums, which Telegram sends picture by picture: collected, so that each is answered once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from telegram import Message

from frontend.bot.pictures import Picture

QUIET_S = 0.5
"""An album is whole when no picture of it came for so long."""
MOST = 10
"""Pictures of an album, by Telegram's rule."""
KEPT_ALBUMS, KEPT_S = 500, 3600.0


@dataclass(eq=False)
class Album:
    """Messages of one album with the numbers of their updates; `answered` ends when all of them have their answer."""

    messages: list[Message] = field(default_factory=list)
    update_ids: list[int] = field(default_factory=list)
    last: float = 0.0  # moment at which the newest one came
    answered: asyncio.Task[None] | None = None


class Albums:
    """Collects the pictures of albums; `answer` gets each album once it is whole."""

    def __init__(self, answer: Callable[[Album], Awaitable[None]]) -> None:
        self._answer = answer
        self._open: dict[tuple[int, str], Album] = {}

    async def add(self, message: Message, group_id: str, update_id: int) -> None:
        """Returns once the album that this message belongs to has its answer."""
        key = (message.chat_id, group_id)
        album = self._open.get(key)
        if album is None:
            album = self._open[key] = Album()
        album.messages.append(message)
        album.update_ids.append(update_id)
        album.last = time.monotonic()
        if album.answered is None:
            album.answered = asyncio.create_task(self._collect(key, album))
        await album.answered

    async def _collect(self, key: tuple[int, str], album: Album) -> None:
        while len(album.messages) < MOST and (left := album.last + QUIET_S - time.monotonic()) > 0:
            await asyncio.sleep(left)
        del self._open[key]  # one that comes later is answered by itself
        album.messages.sort(key=lambda message: message.message_id)
        await self._answer(album)


class Recall:
    """Telegram's references to the pictures of recent albums, for the buttons below their answers. In memory only."""

    def __init__(self) -> None:
        self._albums: OrderedDict[str, tuple[float, Sequence[Picture]]] = OrderedDict()

    def keep(self, pictures: Sequence[Picture]) -> str:
        """A name for these pictures, short enough for a button."""
        token = secrets.token_urlsafe(6)
        self._albums[token] = (time.monotonic(), pictures)
        if len(self._albums) > KEPT_ALBUMS:
            self._albums.popitem(last=False)
        return token

    def find(self, token: str, n: int) -> Picture | None:
        """Picture number `n` (from 0) of those; None where it is forgotten."""
        then, pictures = self._albums.get(token, (0.0, ()))
        if not 0 <= n < len(pictures) or time.monotonic() - then > KEPT_S:
            return None
        return pictures[n]
