"""A fake Telegram, and one bot before the real service for most conversations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from frontend.client import Client
from tests.bot.running import RunningBot
from tests.bot.telegram import FakeTelegram, telegram
from tests.running import RunningService

SHIPPED = "cifake-logreg"


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeTelegram]:
    """The server; one for all tests."""
    with telegram() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_before(fake: FakeTelegram) -> None:
    """No test sees another's messages."""
    fake.forget()


@pytest.fixture(scope="module")
def service(running: RunningService) -> Iterator[RunningService]:
    """The real service with the shipped detector active; afterwards the one that was."""
    client = Client(running.url)
    before = str(client.ready()["model_id"])
    client.set_active(SHIPPED)
    yield running
    client.set_active(before)


@pytest.fixture(scope="module")
def bot(fake: FakeTelegram, service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """The bot, running."""
    process = RunningBot(fake, service.url, tmp_path_factory.mktemp("bot"))
    process.start()
    yield process
    assert process.stop() == 0
    log = process.log.read_text()
    assert "Traceback" not in log, log
