"""Updates that Telegram sends by itself: a small HTTP server behind a proxy that speaks HTTPS.

An update is confirmed (status 200) once it has its answer. Telegram sends it again after any other status.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from urllib.parse import urlsplit

from telegram import Bot, Update
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from frontend.bot.intake import ALLOWED, MOST, Intake

log = logging.getLogger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"
ANSWER_S = 40.0
"""Telegram waits about a minute; an answer that takes longer goes on, and Telegram asks again."""
CONNECTIONS = 40
MOST_BYTES = 1 << 20
"""An update is text; pictures are fetched."""


class Receiver(RequestHandler):
    """POST with an update."""

    def initialize(self, bot: Bot, intake: Intake, secret: str) -> None:
        """What tornado hands to each request."""
        self._bot, self._intake, self._secret = bot, intake, secret

    async def post(self) -> None:
        """200 once the update is answered; 403 for a wrong secret, 400 for no update, 503 for later."""
        given = self.request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            self.set_status(403)
            return
        try:
            update = Update.de_json(json.loads(self.request.body), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.set_status(400)
            return
        if len(self._intake.held) >= MOST and update.update_id not in self._intake.held:
            self.set_status(503)
            return
        task = self._intake.take(update)
        if task is not None:
            await asyncio.wait({task}, timeout=ANSWER_S)
            if not task.done() or task.cancelled() or task.exception() is not None:
                self.set_status(503)


class Webhook:
    """The server on `host` and `port`; Telegram reaches it at `url`."""

    def __init__(self, bot: Bot, intake: Intake, url: str, host: str, port: int) -> None:
        self._bot, self._url, self._secret = bot, url, secrets.token_urlsafe(32)
        path = urlsplit(url).path or "/"
        given = {"bot": bot, "intake": intake, "secret": self._secret}
        self._server = HTTPServer(Application([(path, Receiver, given)]), max_body_size=MOST_BYTES)
        self._server.listen(port, host)

    async def announce(self) -> None:
        """Tells Telegram the address, with a new secret that every request has to bear. Raises TelegramError."""
        await self._bot.set_webhook(
            self._url, secret_token=self._secret, allowed_updates=ALLOWED, max_connections=CONNECTIONS
        )

    def refuse(self) -> None:
        """Takes no more connections; Telegram keeps what comes until the next start."""
        self._server.stop()

    async def close(self) -> None:
        """Ends those that are there."""
        await self._server.close_all_connections()
