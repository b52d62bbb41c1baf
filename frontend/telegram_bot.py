"""The Telegram bot: python -m frontend.telegram_bot

Another client of the service, through `frontend/client.py`. frontend/bot/settings.py reads its environment,
docs/telegram-bot.md describes it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from telegram import Bot, BotCommand
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from frontend.bot.commands import SHOWN, Commands
from frontend.bot.conversation import Conversation
from frontend.bot.delivery import Delivery, is_passing, pause_after
from frontend.bot.fairness import Turns
from frontend.bot.intake import Intake
from frontend.bot.journal import Journal
from frontend.bot.polling import Polling
from frontend.bot.service import Service
from frontend.bot.settings import Settings, SettingsError, read_settings
from frontend.bot.stats import Stats
from frontend.bot.webhook import Webhook
from frontend.client import Client
from frontend.texts import TEXTS
from frontend.texts.language import LANGUAGES

log = logging.getLogger("frontend.bot")

STOP_S = 20.0
"""Answers under way have so long at the end."""
CONNECTIONS = 64
WAIT_FOR_CONNECTION_S = 60.0


def main() -> None:
    """Runs until a signal. Exit status 2 where a setting cannot be used, or Telegram does not know the token."""
    os.environ.setdefault("PTB_TIMEDELTA", "1")  # times as such, which python-telegram-bot will always give one day
    try:
        settings = read_settings()
        _log_without(settings.token)
        asyncio.run(run(settings))
    except SettingsError as error:
        sys.exit(_usage(str(error)))
    except InvalidToken:
        sys.exit(_usage("Telegram does not know this token: ask @BotFather for the bot's present one (/token)."))


async def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises InvalidToken."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.set_default_executor(ThreadPoolExecutor(settings.concurrency + 4))  # and some for commands
    bot = build_bot(settings)
    with Journal(settings.state) as journal:
        try:
            if await _insist(bot.initialize, stop):
                await _serve(bot, settings, journal, stop)
                log.info("The bot has stopped")
        finally:
            await bot.shutdown()


def build_bot(settings: Settings) -> Bot:
    """The bot's connection to Telegram, not yet tried."""
    return Bot(
        settings.token,
        base_url=f"{settings.api_url}/bot",
        base_file_url=f"{settings.api_url}/file/bot",
        request=HTTPXRequest(CONNECTIONS, read_timeout=settings.timeout_s, pool_timeout=WAIT_FOR_CONNECTION_S),
        get_updates_request=HTTPXRequest(2, read_timeout=settings.timeout_s),
    )


async def _serve(bot: Bot, settings: Settings, journal: Journal, stop: asyncio.Event) -> None:
    delivery, stats = Delivery(bot), Stats()
    service = Service(Client(), Turns(settings.concurrency), settings.hold_s)
    commands = Commands(settings, service, delivery, stats)
    conversation = Conversation(
        bot.bot, settings, delivery=delivery, service=service, journal=journal, stats=stats, commands=commands
    )
    intake = Intake(conversation.handle, journal)
    await _introduce(bot)
    if settings.webhook_url:
        await _receive(bot, settings, intake, stop)
    else:
        await _poll(bot, intake, stop)


async def _poll(bot: Bot, intake: Intake, stop: asyncio.Event) -> None:
    await _insist(bot.delete_webhook, stop)
    polling = Polling(bot, intake)
    log.info("@%s asks Telegram for messages", bot.username)
    await polling.run(stop)
    await intake.finish(STOP_S)
    await polling.confirm()


async def _receive(bot: Bot, settings: Settings, intake: Intake, stop: asyncio.Event) -> None:
    webhook = Webhook(bot, intake, settings.webhook_url, settings.host, settings.port)
    await _insist(webhook.announce, stop)
    log.info("@%s waits for messages on %s:%d", bot.username, settings.host, settings.port)
    await stop.wait()
    webhook.refuse()
    await intake.finish(STOP_S)
    await webhook.close()


async def _introduce(bot: Bot) -> None:
    """Tells Telegram which commands to offer, in each language. The bot works without that too."""
    try:
        for language in LANGUAGES:
            offered = [BotCommand(name, TEXTS[f"bot.command.{name}"].of(language)) for name in SHOWN]
            await bot.set_my_commands(offered, language_code=None if language == "en" else language)
    except TelegramError as error:
        log.info("Telegram did not take the list of commands (%s)", type(error).__name__)


async def _insist(call: Callable[[], Awaitable[object]], stop: asyncio.Event) -> bool:
    """Whether Telegram answered the call before `stop`; it is asked until it does. Raises where it refuses."""
    failed = 0
    while not stop.is_set():
        try:
            await call()
        except TelegramError as error:
            if not is_passing(error):
                raise
            failed += 1
            log.warning("Telegram does not answer (%s)", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_after(error, failed))
        else:
            return True
    return False


def _log_without(token: str) -> None:
    """Logs to standard error what the bot does; addresses, which hold the token, are not logged."""

    class Redacted(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return super().format(record).replace(token, "<token>")

    handler = logging.StreamHandler()
    handler.setFormatter(Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("httpx", "httpcore", "telegram", "tornado"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _usage(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
