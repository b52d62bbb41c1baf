"""What becomes of questions when the service, the bot or a connection ends in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tests.bot.running import RunningBot
from tests.bot.telegram import FakeTelegram, Json, telegram
from tests.frontend.between import Between, standing_between
from tests.pictures import photo
from tests.running import RunningService

Parts = tuple[FakeTelegram, RunningBot, Between]


@pytest.fixture(scope="module")
def parts(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """A Telegram and a bot of their own; between the bot and the service stands one that can break off."""
    with telegram() as fake, standing_between(service.url) as between:
        bot = RunningBot(fake, between.url, tmp_path_factory.mktemp("surviving"))
        bot.start()
        yield fake, bot, between
        bot.stop()


def answered(bot: RunningBot) -> int:
    """How many updates the journal knows."""
    with sqlite3.connect(bot.state) as connection:
        count = connection.execute("SELECT count(*) FROM answered").fetchone()[0]
    connection.close()
    return int(count)


def hold(fake: FakeTelegram, message: Json) -> int:
    """Sends a photo whose download waits, and waits until the bot asks for it; the number of its update."""
    file_id = message["photo"][0]["file_id"]
    fake.held_files.add(file_id)
    number = fake.send(message)
    fake.wait(lambda: [call for call in list(fake.calls) if call.data.get("file_id") == file_id])
    return number


def test_a_question_is_kept_while_the_service_is_away(parts: Parts) -> None:
    fake, _, between = parts
    between.left = -1
    number = fake.send(fake.photo(1, photo(1)))
    fake.send(fake.photo(2, photo(2)))
    assert "does not answer at the moment" in fake.words(1)
    assert "does not answer at the moment" in fake.words(2)
    fake.send(fake.message(3, text="/privacy"))
    assert "Nothing of your pictures" in fake.words(3), "what needs no service is answered all the same"
    assert fake.offset <= number, "Telegram keeps the question too"
    between.left = 10**9
    assert "Probability" in fake.words(1, 2)
    assert "Probability" in fake.words(2, 2)
    assert len(fake.sent()) == 5


def test_a_fault_of_our_own_is_told(parts: Parts) -> None:
    fake, bot, between = parts

    def spoil(prediction: Json, body: bytes) -> None:
        prediction["in_domain"] = None  # of what is outside, the probability is not told
        del prediction["probability_fake"]

    between.alter = spoil
    for n in range(2):
        number = fake.send(fake.photo(4, photo(n), media_group_id="broken"))
    assert "it is my fault" in fake.words(4)
    fake.wait(lambda: fake.offset > number)
    between.alter = lambda prediction, body: None
    assert len(fake.sent(4)) == 1
    assert "KeyError" in bot.log.read_text()


def test_a_kill_in_the_middle_loses_and_doubles_nothing(parts: Parts) -> None:
    fake, bot, _ = parts
    before = answered(bot)
    messages = [fake.photo(chat, photo(chat)) for chat in range(11, 16)]
    waiting = messages[1]["photo"][0]["file_id"]
    fake.held_files.add(waiting)
    numbers = [fake.send(message) for message in messages]
    fake.wait(lambda: answered(bot) == before + 4 and fake.offset > numbers[0])
    bot.kill()
    assert fake.offset <= numbers[1], "confirmed up to the first without an answer"
    fake.held_files.clear()
    bot.start()
    fake.wait(lambda: fake.offset > numbers[-1])
    assert [len(fake.sent(chat)) for chat in range(11, 16)] == [1] * 5


def test_a_kill_in_an_album_answers_it_once(parts: Parts) -> None:
    fake, bot, _ = parts
    first, second = (fake.photo(21, photo(n), media_group_id="killed") for n in range(2))
    fake.send(first)
    number = hold(fake, second)
    bot.kill()
    fake.held_files.clear()
    bot.start()
    assert "Picture 2" in fake.words(21)
    fake.wait(lambda: fake.offset > number)
    assert len(fake.sent(21)) == 1


def test_a_stop_finishes_what_is_held(parts: Parts) -> None:
    fake, bot, _ = parts
    message = fake.photo(31, photo(31))
    number = hold(fake, message)
    bot.ask_to_stop()
    late = fake.send(fake.message(32, text="/help"))
    fake.held_files.clear()
    assert bot.wait() == 0
    assert "Probability" in fake.words(31)
    assert number < fake.offset <= late
    bot.start()
    assert "/check" in fake.words(32), "what came meanwhile is answered by the next one"
    assert len(fake.sent(31)) == 1
