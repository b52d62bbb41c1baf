"""Conversations with the bot: a fake Telegram, the real service, real images, one bot for all of them."""

from __future__ import annotations

import io
import itertools
import json
import mimetypes
import time

import pytest
import requests
from PIL import Image

from frontend.bot.checking import QUIET_S
from frontend.formatting import rate
from tests.bot.running import ADMIN, RunningBot
from tests.bot.telegram import ME, FakeTelegram, Fault, Json
from tests.pictures import crop, encode, photo
from tests.pictures import fake as fake_picture
from tests.running import ROOT, RunningService

CHATS = itertools.count(5000)
CARD = json.loads((ROOT / "models" / "cifake-logreg" / "card.json").read_text(encoding="utf-8"))
RIGHT = f"right on {rate(CARD['accuracy']['test'])}"
VERDICTS = ("Fake: ", "Real: ", "Unsure: ")
RUSSIAN = {"is_bot": False, "first_name": "Аня", "language_code": "ru"}


@pytest.fixture
def chat() -> int:
    """A private chat that nobody used before."""
    return next(CHATS)


@pytest.fixture
def group() -> Json:
    """A group that nobody used before."""
    return {"id": -next(CHATS), "type": "supergroup", "title": "Friends"}


def buttons(data: Json) -> list[tuple[str, str]]:
    """(words, data) of each button below a message."""
    rows = (data.get("reply_markup") or {}).get("inline_keyboard", [])
    return [(button["text"], button["callback_data"]) for row in rows for button in row]


@pytest.mark.usefixtures("bot")
class TestPictures:
    def test_a_photo_is_answered_with_verdict_probability_and_advice(self, fake: FakeTelegram, chat: int) -> None:
        message = fake.photo(chat, photo(1, "JPEG"))
        time.sleep(QUIET_S)  # busy, it leaves the changed copies to the button
        fake.send(message)
        answer = fake.answer(chat)
        words = answer.data["text"]
        assert words.split("<b>")[1].startswith(VERDICTS)
        assert "Probability that it is fake" in words
        assert "Send the original as a file" in words
        assert "JPEG" in words, "what compression does to the answer"
        assert answer.data["reply_parameters"]["message_id"] == message["message_id"]
        assert buttons(answer.data) == [("Why?", "why")]

    def test_a_file_keeps_what_it_says_of_its_origin_and_gets_no_advice(self, fake: FakeTelegram, chat: int) -> None:
        info = Image.Exif()
        info[0x0131] = "Midjourney <b>v6</b> http://evil.example"
        content = encode(crop(2), "JPEG", exif=info)
        fake.send(fake.document(chat, content, "a<b>.jpg", "image/jpeg"))
        words = fake.words(chat)
        assert "What the file says of its origin" in words
        assert "<code>" in words
        assert "&lt;b&gt;v6&lt;/b&gt;" in words
        assert "Send the original" not in words

    def test_an_album_is_answered_once_and_each_picture_has_its_button(self, fake: FakeTelegram, chat: int) -> None:
        contents = [photo(3), fake_picture(3), b"no picture"]
        for content in contents:
            fake.send(fake.photo(chat, content, media_group_id=f"album-{chat}"))
        answer = fake.answer(chat)
        words = answer.data["text"]
        assert [f"Picture {n}: " in words for n in (1, 2, 3)] == [True, True, True]
        assert "1 not readable" in words
        assert [text for text, _ in buttons(answer.data)] == ["Why 1?", "Why 2?"]
        fake.press(chat, answer, buttons(answer.data)[1][1], None)
        assert fake.answer(chat, 2).method == "sendPhoto"
        assert len(fake.sent(chat)) == 2

    def test_why_sends_the_heat_map(self, fake: FakeTelegram, chat: int) -> None:
        message = fake.photo(chat, photo(4))
        fake.send(message)
        fake.press(chat, fake.answer(chat), "why", message)
        why = fake.answer(chat, 2)
        assert why.method == "sendPhoto"
        with Image.open(io.BytesIO(why.data["photo"])) as image:
            assert image.size == (528, 528), "11 times 48: small pictures are enlarged"
        assert "Orange places speak for fake" in why.data["caption"]
        assert "harmless changes" in why.data["caption"].lower()
        assert [call.data["text"] for call in fake.calls if call.method == "answerCallbackQuery"] == ["I am looking…"]

    def test_why_of_a_picture_that_is_gone_says_so(self, fake: FakeTelegram, chat: int) -> None:
        fake.send(fake.photo(chat, photo(4)))
        fake.press(chat, fake.answer(chat), "why:unknown:0", None)
        said = fake.wait(lambda: [call for call in fake.calls if call.method == "answerCallbackQuery"])
        assert "no longer have this picture" in said[0].data["text"]

    @pytest.mark.parametrize(
        ("content", "name", "words"),
        [
            (b"%PDF-1.7", "report.pdf", "That file is no picture"),
            (photo(5)[:-400], "cut.png", "truncated"),
            (b"\xff\xd8\xff" + bytes(100), "broken.jpg", "image"),
            (b"", "empty.png", "image"),
        ],
    )
    def test_a_file_that_cannot_be_checked_is_told_why(
        self, fake: FakeTelegram, chat: int, content: bytes, name: str, words: str
    ) -> None:
        fake.send(fake.document(chat, content, name, mimetypes.guess_type(name)[0] or ""))
        text = fake.words(chat)
        assert words in text
        assert not any(verdict in text for verdict in VERDICTS)
        assert buttons(fake.answer(chat).data) == []

    def test_a_file_of_25_mb_is_too_large(self, fake: FakeTelegram, chat: int) -> None:
        fake.send(fake.document(chat, b"x", "huge.png", "image/png", n_bytes=25_000_000))
        assert "up to 20 MB" in fake.words(chat)
        fake.faults["getFile"] = [Fault(400, description="Bad Request: file is too big")]
        fake.send(fake.document(chat, b"x", "huge.png", "image/png"))
        assert "up to 20 MB" in fake.words(chat, 2), "where Telegram said nothing of its size"

    def test_a_video_and_a_word_get_a_hint(self, fake: FakeTelegram, chat: int) -> None:
        video = {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}
        fake.send(fake.message(chat, video=video))
        assert "still pictures only" in fake.words(chat)
        fake.send(fake.message(chat, text="hello"))
        assert "Send me a picture" in fake.words(chat, 2)

    def test_a_repeated_update_is_answered_once(self, fake: FakeTelegram, chat: int) -> None:
        message = fake.photo(chat, photo(6))
        number = fake.send(message)
        fake.answer(chat)
        fake.wait(lambda: fake.offset > number)
        fake.repeat(number, message)
        fake.send(fake.message(chat, text="/privacy"))
        assert "Nothing of your pictures is kept" in fake.words(chat, 2)
        assert len(fake.sent(chat)) == 2

    def test_a_flood_from_one_chat_does_not_delay_another(self, fake: FakeTelegram, chat: int) -> None:
        other = next(CHATS)
        for n in range(6):
            fake.send(fake.photo(chat, photo(n)))
        fake.send(fake.photo(other, photo(7)))
        assert "Probability" in fake.words(other)
        assert len(fake.sent(chat)) < 6, "one a second after the first three, as Telegram wants it"
        fake.answer(chat, 6)

    def test_somebody_who_sends_too_much_is_told_once(self, fake: FakeTelegram, chat: int) -> None:
        message = fake.message(chat, text="hello")
        for _ in range(8):
            last = fake.send(message)
        fake.wait(lambda: fake.offset > last)
        told = [call.data["text"] for call in fake.sent(chat) if "too much at once" in call.data["text"]]
        assert len(told) == 1


@pytest.mark.usefixtures("bot")
class TestGroups:
    def test_it_is_silent_until_it_is_asked(self, fake: FakeTelegram, group: Json) -> None:
        somebody = fake.photo(group, photo(7))
        fake.send(somebody)
        fake.send(fake.message(group, text="what a picture"))
        fake.send(fake.message(group, text="/check@another_bot", reply_to_message=somebody))
        fake.send(fake.photo(group, photo(7), media_group_id="quiet"))
        fake.send(fake.message(group, text="/check", reply_to_message=somebody))
        answer = fake.answer(group["id"])
        assert answer.data["reply_parameters"]["message_id"] == somebody["message_id"], "the picture, so why finds it"
        fake.wait(lambda: not fake.updates(0, 1))
        assert len(fake.sent(group["id"])) == 1

    def test_a_mention_asks(self, fake: FakeTelegram, group: Json) -> None:
        name = f"@{ME['username']}"
        fake.send(fake.photo(group, photo(8), caption=f"🙂 is it real {name}"))
        assert "Probability" in fake.words(group["id"])
        other = fake.photo(group, photo(9))
        fake.send(fake.message(group, text=f"{name} and this", reply_to_message=other))
        assert fake.answer(group["id"], 2).data["reply_parameters"]["message_id"] == other["message_id"]
        fake.send(fake.photo(group, photo(8), media_group_id="asked"))
        fake.send(fake.photo(group, photo(9), media_group_id="asked", caption=f"{name}?"))
        assert "Picture 2" in fake.words(group["id"], 3)
        fake.send(fake.message(group, text=f"/check{name}"))
        assert "Answer a message that holds a picture" in fake.words(group["id"], 4)


@pytest.mark.usefixtures("bot")
class TestCommands:
    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("/start", ["Send me a picture"]),
            ("/help", ["answer somebody's picture with /check"]),
            ("/privacy", ["Nothing of your pictures is kept"]),
            ("/model", [RIGHT, "stable-diffusion-1.4", "generators that it never saw"]),
            ("/nothing", ["Send me a picture"]),
        ],
    )
    def test_a_command_is_answered(self, fake: FakeTelegram, chat: int, command: str, words: list[str]) -> None:
        fake.send(fake.message(chat, text=command))
        assert all(part in fake.words(chat) for part in words)

    def test_russian_by_telegrams_language_and_english_by_choice(self, fake: FakeTelegram, chat: int) -> None:
        user = {**RUSSIAN, "id": chat}
        fake.send(fake.message(chat, text="/privacy", user=user))
        assert "не сохраняются" in fake.words(chat)
        fake.send(fake.message(chat, text="/language", user=user))
        answer = fake.answer(chat, 2)
        assert buttons(answer.data) == [("English", "language:en"), ("Русский", "language:ru")]
        fake.press(chat, answer, "language:en", None, user=user)
        assert fake.words(chat, 3) == "I speak English here from now on."
        fake.send(fake.message(chat, text="/privacy", user=user))
        assert "Nothing of your pictures" in fake.words(chat, 4)

    def test_administrators_see_choose_and_count(self, fake: FakeTelegram, service: RunningService, chat: int) -> None:
        fake.send(fake.message(chat, text="/set cifake-logreg"))
        assert fake.words(chat) == "Only an administrator of this bot may do that."
        fake.send(fake.message(ADMIN, text="/models"))
        assert "<code>cifake-logreg</code>" in fake.words(ADMIN)
        fake.send(fake.message(ADMIN, text="/set cifake-logreg"))
        assert fake.words(ADMIN, 2) == "From now on CIFAKE, logistic regression answers."
        fake.send(fake.message(ADMIN, text="/set <nothing>"))
        assert "refused my question" in fake.words(ADMIN, 3)
        fake.send(fake.message(ADMIN, text="/stats"))
        assert "Messages sent" in fake.words(ADMIN, 4)
        assert requests.get(f"{service.url}/ready", timeout=30).json()["model_id"] == "cifake-logreg"


@pytest.mark.usefixtures("bot")
class TestFaults:
    def test_an_answer_that_telegram_does_not_take_at_first_comes(self, fake: FakeTelegram, chat: int) -> None:
        fake.faults["getFile"] = [Fault(502)]
        fake.faults["sendMessage"] = [Fault(429, retry_after=1), Fault(500), Fault(silent_s=1.5)]
        fake.send(fake.photo(chat, photo(10)))
        assert "Probability" in fake.words(chat)
        assert len(fake.sent(chat)) == 1

    def test_no_updates_for_a_while_and_a_picture_that_telegram_lost(self, fake: FakeTelegram, chat: int) -> None:
        fake.faults["getUpdates"] = [Fault(500), Fault(429, retry_after=1)]
        message = fake.photo(chat, photo(11))
        fake.files.clear()
        fake.send(message)
        assert "could not get this picture" in fake.words(chat)

    def test_a_chat_that_blocked_the_bot_holds_nobody(self, fake: FakeTelegram, chat: int) -> None:
        fake.faults["sendMessage"] = [Fault(403)]
        number = fake.send(fake.message(chat, text="/help"))
        fake.wait(lambda: fake.offset > number)
        assert fake.sent(chat) == []

    def test_somebody_who_waits_sees_that_work_is_under_way(self, fake: FakeTelegram, chat: int) -> None:
        message = fake.photo(chat, photo(12))
        file_id = message["photo"][0]["file_id"]
        fake.held_files.add(file_id)
        fake.send(message)
        action = fake.wait(lambda: [call for call in fake.calls if call.method == "sendChatAction"])[0]
        assert action.data["action"] == "typing"
        fake.held_files.clear()
        assert "Probability" in fake.words(chat)


def test_neither_token_nor_names_stand_in_the_log(bot: RunningBot, fake: FakeTelegram, chat: int) -> None:
    fake.send(fake.document(chat, photo(13), "secret-name.png", "image/png"))
    fake.answer(chat)
    kept = bot.log.read_bytes() + b"".join(file.read_bytes() for file in bot.state.parent.glob("bot.sqlite*"))
    assert b"a-token-of-the-tests" not in kept
    assert b"secret-name" not in kept
