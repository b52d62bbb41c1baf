"""The bot as its own process, in front of a fake Telegram and behind it the real service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.bot.telegram import TOKEN, FakeTelegram
from tests.running import ROOT

ADMIN = 77


class RunningBot:
    """`start`, `stop` and `kill`; it finds its journal again at the next start. `settings` go before the defaults."""

    def __init__(self, fake: FakeTelegram, service_url: str, folder: Path, **settings: str) -> None:
        self._fake = fake
        self.log = folder / "bot.log"
        self.state = folder / "bot.sqlite"
        bare = {name: value for name, value in os.environ.items() if not name.startswith("DEEPFAKE_")}
        self.environment = {
            **bare,
            "DEEPFAKE_API_URL": service_url,
            "DEEPFAKE_BOT_TOKEN": TOKEN,
            "DEEPFAKE_BOT_ADMINS": str(ADMIN),
            "DEEPFAKE_BOT_API_URL": fake.url,
            "DEEPFAKE_BOT_STATE": str(self.state),
            "DEEPFAKE_BOT_TIMEOUT_SECONDS": "1",
            "DEEPFAKE_BOT_RATE": "6",
            **{f"DEEPFAKE_BOT_{name}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self, method: str = "deleteWebhook") -> None:
        """Starts it and waits until it has called `method`, the last step before it works."""
        before = len(self._calls(method))
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "frontend.telegram_bot"]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self._fake.wait(lambda: len(self._calls(method)) > before or self._process.poll() is not None)
        assert self._process.poll() is None, self.log.read_text()

    def ask_to_stop(self) -> None:
        """Sends SIGTERM and does not wait."""
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return self._process.wait(30)

    def stop(self) -> int:
        """Asks it to end; its exit status."""
        self.ask_to_stop()
        return self.wait()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _calls(self, method: str) -> list[object]:
        return [call for call in list(self._fake.calls) if call.method == method]
