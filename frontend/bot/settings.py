"""What the bot reads from its environment, and nothing else does."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "DEEPFAKE_BOT_"
HOW_TO_START = (
    "The bot needs a token. Write /newbot to @BotFather in Telegram, follow it, and start again with\n"
    "DEEPFAKE_BOT_TOKEN=<what it gave you> make bot"
)


class SettingsError(Exception):
    """A value of the environment that cannot be used; the message names it and says what would be right."""


@dataclass(frozen=True)
class Settings:
    """All settings; `read_settings` has their names and defaults."""

    token: str = field(repr=False)
    admins: frozenset[int]
    api_url: str
    state: Path
    rate: int  # pictures a minute of one person
    hold_s: float
    concurrency: int
    timeout_s: float
    webhook_url: str
    host: str
    port: int


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environment` (by default the process's own). Raises SettingsError."""
    given = {
        name.removeprefix(PREFIX): value.strip()
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX) and value.strip()
    }
    return Settings(
        token=_token(given),
        admins=_admins(given.get("ADMINS", "")),
        api_url=_url("API_URL", given.get("API_URL", "https://api.telegram.org"), ("http", "https")),
        state=Path(given.get("STATE", "data/telegram-bot.sqlite")),
        rate=int(_number(given, "RATE", 20, 1, 10_000)),
        hold_s=_number(given, "HOLD_SECONDS", 600, 0, 86_400),
        concurrency=int(_number(given, "CONCURRENCY", 4, 1, 64)),
        timeout_s=_number(given, "TIMEOUT_SECONDS", 20, 0.1, 600),
        webhook_url=_url("WEBHOOK_URL", given["WEBHOOK_URL"], ("https", "http")) if "WEBHOOK_URL" in given else "",
        host=given.get("HOST", "127.0.0.1"),
        port=int(_number(given, "PORT", 8443, 1, 65_535)),
    )


def _token(given: Mapping[str, str]) -> str:
    token = given.get("TOKEN", "")
    if not token and "TOKEN_FILE" in given:
        try:
            token = Path(given["TOKEN_FILE"]).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"The file of {PREFIX}TOKEN_FILE cannot be read: {error.strerror}.") from error
    if not token:
        raise SettingsError(HOW_TO_START)
    number, _, secret = token.partition(":")
    if not (number.isascii() and number.isdigit() and secret and token.isprintable() and " " not in token):
        raise SettingsError(f"{PREFIX}TOKEN is no token: it looks like 123456:ABC-DEF.\n{HOW_TO_START}")
    return token


def _admins(text: str) -> frozenset[int]:
    parts = [part for part in text.replace(",", " ").split() if part]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SettingsError(f"{PREFIX}ADMINS are numbers with commas between them, such as 12345,67890; not names.")
    return frozenset(int(part) for part in parts)


def _url(name: str, text: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.netloc:
        raise SettingsError(f"{PREFIX}{name} is an address such as {schemes[0]}://bot.example, not {text!r}.")
    return text.rstrip("/")


def _number(given: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise SettingsError(f"{PREFIX}{name} is a number from {least:g} to {most:g}, not {given[name]!r}.")
    return value
