"""How the bot starts: what its environment must hold, and updates by webhook. None of it needs the service."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from frontend.bot.settings import SettingsError, read_settings
from tests.bot.running import RunningBot
from tests.bot.telegram import FakeTelegram, telegram
from tests.running import ROOT, free_port

GIVEN = {"DEEPFAKE_BOT_TOKEN": "1:a"}


def test_without_a_token_it_says_what_to_do(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "frontend.telegram_bot"], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "@BotFather" in ran.stderr
    assert "DEEPFAKE_BOT_TOKEN=" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_token_that_telegram_does_not_know_is_told(fake: FakeTelegram, tmp_path: Path) -> None:
    bot = RunningBot(fake, "http://127.0.0.1:9", tmp_path, TOKEN="9:wrong")
    ran = subprocess.run(
        [sys.executable, "-m", "frontend.telegram_bot"],
        cwd=ROOT,
        env=bot.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "does not know this token" in ran.stderr
    assert "9:wrong" not in ran.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TOKEN", "no token", "no token"),
        ("TOKEN", "1:a b", "no token"),
        ("ADMINS", "@ann", "numbers"),
        ("API_URL", "ftp://x", "API_URL"),
        ("WEBHOOK_URL", "bot.example", "WEBHOOK_URL"),
        ("RATE", "often", "RATE"),
        ("HOLD_SECONDS", "-1", "HOLD_SECONDS"),
        ("PORT", "70000", "PORT"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings({**GIVEN, f"DEEPFAKE_BOT_{name}": value})


def test_every_setting_is_documented() -> None:
    code = (ROOT / "frontend" / "bot" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'(?:given\[|given, |get\()"([A-Z_]+)"|"([A-Z_]+)" in given', code))
    document = (ROOT / "docs" / "telegram-bot.md").read_text(encoding="utf-8")
    found = {first or second for first, second in names}
    assert {"TOKEN", "TOKEN_FILE", "STATE", "RATE", "WEBHOOK_URL", "HOST", "PORT"} <= found
    assert not {name for name in found if f"`DEEPFAKE_BOT_{name}`" not in document}


def test_settings(tmp_path: Path) -> None:
    settings = read_settings({**GIVEN, "DEEPFAKE_BOT_ADMINS": " 5, 7 ", "OTHER": "x"})
    assert settings.admins == {5, 7}
    assert settings.api_url == "https://api.telegram.org"
    assert settings.token not in repr(settings)
    file = tmp_path / "token"
    file.write_text("2:b\n")
    assert read_settings({"DEEPFAKE_BOT_TOKEN_FILE": str(file)}).token == "2:b"
    with pytest.raises(SettingsError, match="TOKEN_FILE cannot be read"):
        read_settings({"DEEPFAKE_BOT_TOKEN_FILE": str(tmp_path)})


def test_a_webhook_takes_updates_with_the_secret_only(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    with telegram() as fake:
        bot = RunningBot(fake, "http://127.0.0.1:9", tmp_path, WEBHOOK_URL=url, PORT=str(port))
        bot.start("setWebhook")
        [told] = [call.data for call in fake.calls if call.method == "setWebhook"]
        secret = {"X-Telegram-Bot-Api-Secret-Token": told["secret_token"]}
        assert told["url"] == url
        update = {"update_id": 1, "message": fake.message(5, text="/privacy")}
        assert requests.post(url, json=update, timeout=30).status_code == 403
        assert requests.post(url, json=update, headers={next(iter(secret)): "wrong"}, timeout=30).status_code == 403
        assert fake.sent() == []
        assert requests.post(url, data=b"{", headers=secret, timeout=30).status_code == 400
        for _ in range(2):
            assert requests.post(url, json=update, headers=secret, timeout=30).status_code == 200
            assert len(fake.sent(5)) == 1, "answered before it was confirmed, and once"
        assert bot.stop() == 0
