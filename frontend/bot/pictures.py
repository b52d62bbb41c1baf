"""What of a message is a picture to check, and its bytes from Telegram."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import dataclass

from telegram import Bot, Message
from telegram.error import TelegramError

from frontend.bot.delivery import is_passing, pause_after

MOST_BYTES = 20_000_000
"""Telegram gives bots no larger file (core.telegram.org/bots/api#getfile)."""
TRIES = 4
OTHER_SUFFIXES = (".avif", ".heic", ".heif", ".webp")
"""Pictures that not every system's table of media types knows."""


@dataclass(frozen=True)
class Picture:
    """A reference to a picture that Telegram holds. `compressed`: sent as a photo, so Telegram made it anew."""

    file_id: str
    name: str
    n_bytes: int
    compressed: bool
    n_pixels: int = 0  # of a photo; 0 where Telegram does not tell


class Refused(Exception):
    """Why a picture cannot be checked: the key of a text."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def find_picture(message: Message) -> Picture | None:
    """The picture in a message; None where there is nothing of the kind. Raises Refused for other files."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        n_pixels = largest.width * largest.height
        return Picture(largest.file_id, "photo.jpg", largest.file_size or 0, compressed=True, n_pixels=n_pixels)
    other = (message.animation, message.video, message.sticker, message.video_note, message.voice, message.audio)
    if any(other):  # before documents: an animation comes as both
        raise Refused("bot.only_still")
    document = message.document
    if document is None:
        return None
    name = document.file_name or "file"
    media_type = document.mime_type or mimetypes.guess_type(name)[0] or ""
    if not (media_type.startswith("image/") or name.lower().endswith(OTHER_SUFFIXES)):
        raise Refused("bot.not_image")
    if (document.file_size or 0) > MOST_BYTES:
        raise Refused("bot.too_big")
    return Picture(document.file_id, name, document.file_size or 0, compressed=False)


async def download(bot: Bot, picture: Picture) -> bytes:
    """The picture's bytes. Raises Refused where Telegram does not give them, also after some tries."""
    tried = 0
    while True:
        try:
            file = await bot.get_file(picture.file_id)
            return bytes(await file.download_as_bytearray())
        except TelegramError as error:
            tried += 1
            if "too big" in str(error).lower():
                raise Refused("bot.too_big") from error
            if not is_passing(error) or tried == TRIES:
                raise Refused("bot.not_fetched") from error
            await asyncio.sleep(pause_after(error, tried))
