"""A server between the web app and the real service: it can break off, and answer as a later version would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import requests

from tests.frontend.serving import serving


@dataclass
class Between:
    """`alter` changes each prediction on its way; after `left` more requests for predictions it hangs up on all."""

    url: str = ""
    left: int = 10**9
    alter: Callable[[dict[str, Any], bytes], None] = lambda prediction, body: None
    refuse: bytes = b""
    """A request for predictions that contains these bytes is refused as a whole."""
    deaf_to: str = ""
    """A method, such as PATCH, whose requests get no answer."""
    asked: list[bytes] = field(default_factory=list)
    """Bodies of the requests for predictions."""


@contextmanager
def standing_between(service_url: str) -> Iterator[Between]:
    """The server, on a free port of loopback."""
    state = Between()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            if self.path == "/predict":
                state.left -= 1
                state.asked.append(body)
            if state.left < 0 or self.command == state.deaf_to:
                return
            if self.path == "/predict" and state.refuse and state.refuse in body:
                self.reply(
                    413, json.dumps({"code": "too_large", "detail": "Too large.", "hint": "Send less."}).encode()
                )
                return
            kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "accept")}
            answer = requests.request(self.command, service_url + self.path, data=body, headers=kept, timeout=60)
            content = answer.content
            if self.path == "/predict" and answer.ok:
                document = answer.json()
                for prediction in document["predictions"]:
                    state.alter(prediction, body)
                content = json.dumps(document).encode()
            self.reply(answer.status_code, content)

        def reply(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 (the base class's names)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as state.url:
        yield state
