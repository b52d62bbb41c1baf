"""A small Telegram Bot API of our own, on a free port: it keeps updates and files, records calls, and fails on demand.

What it does is what core.telegram.org/bots/api says: an update is given again until a later `offset` confirms it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from tests.running import free_port

TOKEN = "123456:a-token-of-the-tests"
ME = {"id": 123456, "is_bot": True, "first_name": "Real or fake", "username": "real_or_fake_bot"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of a method that succeeded; nested values are read from their JSON. `at` is of time.monotonic."""

    method: str
    data: Json
    at: float


@dataclass
class Fault:
    """How the next call of a method goes wrong: a status, with seconds for 429; or no answer for so long."""

    status: int = 500
    retry_after: int = 0
    description: str = "Bad luck"
    silent_s: float = 0.0


class FakeTelegram:
    """Everything that the server knows. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.calls: list[Call] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.files: dict[str, bytes] = {}
        self.offset = 0  # the highest that was asked for
        self.held_files: set[str] = set()  # files whose download waits while they stand here
        self.repeats: list[Json] = []
        self._updates: dict[int, Json] = {}
        self._number = 1000
        self._lock = threading.Lock()

    # what people do

    def file(self, content: bytes) -> str:
        """The id of a file that Telegram now holds."""
        with self._lock:
            self._number += 1
            file_id = f"file-{self._number}"
        self.files[file_id] = content
        return file_id

    def message(self, chat: int | Json, *, user: Json | None = None, **content: Any) -> Json:
        """A message, not yet given to the bot; `chat` is a private one's number, or all of a chat."""
        with self._lock:
            self._number += 1
            number = self._number
        if isinstance(chat, int):
            chat = {"id": chat, "type": "private", "first_name": "Ann"}
        sender = user or {"id": abs(chat["id"]), "is_bot": False, "first_name": "Ann", "language_code": "en"}
        for key in ("text", "caption"):
            if key in content:
                content.setdefault("entities" if key == "text" else "caption_entities", entities(content[key]))
        return {"message_id": number, "date": int(time.time()), "chat": chat, "from": sender, **content}

    def photo(self, chat: int | Json, content: bytes, **more: Any) -> Json:
        """A message with a photo."""
        file_id = self.file(content)
        sizes = [
            {"file_id": file_id, "file_unique_id": file_id, "width": 90, "height": 90, "file_size": len(content)},
        ]
        return self.message(chat, photo=sizes, **more)

    def document(self, chat: int | Json, content: bytes, name: str, media_type: str, **more: Any) -> Json:
        """A message with a file; `n_bytes` in `more` is what Telegram says of its size."""
        file_id = self.file(content)
        n_bytes = more.pop("n_bytes", len(content))
        about = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "mime_type": media_type}
        return self.message(chat, document={**about, "file_size": n_bytes}, **more)

    def send(self, message: Json) -> int:
        """Gives the bot a message; the number of its update."""
        return self.give({"message": message})

    def press(self, chat: int, answer: Call, data: str, original: Json | None, *, user: Json | None = None) -> int:
        """Somebody presses a button below an answer of the bot."""
        shown = {**answer.data["result"], **({"reply_to_message": original} if original else {})}
        sender = user or {"id": chat, "is_bot": False, "first_name": "Ann", "language_code": "en"}
        query = {"id": str(time.monotonic_ns()), "from": sender, "chat_instance": "1", "message": shown, "data": data}
        return self.give({"callback_query": query})

    def give(self, update: Json) -> int:
        """Puts an update among those that the bot has not confirmed."""
        with self._lock:
            self._number += 1
            number = self._number
        self._updates[number] = {"update_id": number, **update}
        return number

    def repeat(self, update_id: int, message: Json) -> None:
        """Gives an update once more, though it was confirmed."""
        self.repeats.append({"update_id": update_id, "message": message})

    def forget(self) -> None:
        """As if nothing had happened so far: no calls, no faults, no updates."""
        self.calls.clear()
        self.faults.clear()
        self._updates.clear()
        self.held_files.clear()

    # what the bot did

    def sent(self, chat: int | None = None, method: str = "") -> list[Call]:
        """Messages of the bot, of one chat where it is named, oldest first."""
        names = (method,) if method else ("sendMessage", "sendPhoto")
        return [
            call
            for call in list(self.calls)
            if call.method in names and (chat is None or int(call.data["chat_id"]) == chat)
        ]

    def wait(self, found: Callable[[], Any], seconds: float = 60.0) -> Any:
        """What `found` gives, once that is true."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < deadline, [(call.method, call.data) for call in self.calls[-10:]]
            time.sleep(0.01)
        return value

    def answer(self, chat: int, n: int = 1, seconds: float = 60.0) -> Call:
        """The `n`-th message to a chat, once it is there."""
        calls = self.wait(lambda: (got := self.sent(chat)) if len(self.sent(chat)) >= n else None, seconds)
        return calls[n - 1]  # type: ignore[no-any-return]

    def words(self, chat: int, n: int = 1) -> str:
        """The words of that message."""
        data = self.answer(chat, n).data
        return str(data.get("text") or data.get("caption"))

    # the server

    def updates(self, offset: int, limit: int) -> list[Json]:
        """Repeated updates, else the first ones that are not confirmed; those before `offset` are from now on."""
        self.offset = max(self.offset, offset)
        for number in [number for number in list(self._updates) if number < offset]:
            del self._updates[number]
        repeated, self.repeats = self.repeats, []
        return repeated or [self._updates[number] for number in sorted(self._updates)][:limit]

    def result(self, method: str, data: Json) -> Any:
        """What a method gives."""
        if method == "getMe":
            return ME
        if method == "getFile":
            file_id = data["file_id"]
            return {"file_id": file_id, "file_unique_id": file_id, "file_path": f"photos/{file_id}"}
        if method in ("sendMessage", "sendPhoto"):
            with self._lock:
                self._number += 1
                about = {"message_id": self._number, "date": int(time.time()), "from": ME}
            chat = {"id": int(data["chat_id"]), "type": "private" if int(data["chat_id"]) > 0 else "group"}
            return {**about, "chat": chat, "text": data.get("text", ""), "reply_markup": data.get("reply_markup")}
        return True


def entities(text: str) -> list[Json]:
    """The commands and mentions that Telegram finds in a text."""
    found, at = [], 0
    for word in text.split(" "):
        kind = {"/": "bot_command", "@": "mention"}.get(word[:1])
        if kind:
            found.append({"type": kind, "offset": at, "length": len(word.rstrip("?!.,"))})
        at += len(word.encode("utf-16-le")) // 2 + 1
    return found


@contextmanager
def telegram() -> Iterator[FakeTelegram]:
    """The server, in a thread of this process."""
    fake = FakeTelegram()
    config = uvicorn.Config(_app(fake), port=fake.port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield fake
    server.should_exit = True
    thread.join()


def _app(fake: FakeTelegram) -> FastAPI:
    app = FastAPI()

    @app.post("/bot{token}/{method}")
    async def call(token: str, method: str, request: Request) -> JSONResponse:
        try:
            async with request.form() as form:
                data = {key: await _read(key, value) for key, value in form.items()}
        except ClientDisconnect:
            return _refusal(400, "Gone")
        if token != TOKEN:
            return _refusal(401, "Unauthorized")
        if fake.faults[method]:
            fault = fake.faults[method].pop(0)
            await asyncio.sleep(fault.silent_s)
            return _refusal(fault.status, fault.description, fault.retry_after)
        if method == "getUpdates":
            return _answer(await _updates(fake, request, data))
        if method == "getFile" and data["file_id"] not in fake.files:
            return _refusal(400, "Bad Request: wrong file_id")
        result = fake.result(method, data)
        fake.calls.append(Call(method, {**data, "result": result}, time.monotonic()))
        return _answer(result)

    @app.get("/file/bot{token}/photos/{file_id}")
    async def download(token: str, file_id: str) -> Response:
        while file_id in fake.held_files:
            await asyncio.sleep(0.02)
        return Response(fake.files[file_id] if token == TOKEN else b"", media_type="application/octet-stream")

    return app


async def _updates(fake: FakeTelegram, request: Request, data: Json) -> list[Json]:
    deadline = time.monotonic() + int(data.get("timeout", 0))
    while not (found := fake.updates(int(data.get("offset", 0)), int(data.get("limit", 100)))):
        if time.monotonic() >= deadline or await request.is_disconnected():
            break
        await asyncio.sleep(0.01)
    return found


async def _read(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return await value.read()
    if key in ("text", "caption"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _answer(result: Any) -> JSONResponse:
    return JSONResponse({"ok": True, "result": result})


def _refusal(status: int, description: str, retry_after: int = 0) -> JSONResponse:
    more = {"parameters": {"retry_after": retry_after}} if retry_after else {}
    return JSONResponse({"ok": False, "error_code": status, "description": description, **more}, status)
