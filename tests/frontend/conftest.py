"""A small real HTTP server that answers as a test tells it, for what the real service never does on demand."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

import pytest
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.frontend.serving import serving
from tests.running import ROOT

config.set_option("runner.magicEnabled", False)  # as frontend/.streamlit/config.toml has it for the app
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
"""Once, as a server does it, and not for each page: it reads the metadata of every installed package."""


@dataclass
class Answering:
    """What the server got (method, path, headers, body), and what it answers next.

    An answer is (status, body), "hang up" before one or "break off" in the middle of it.
    """

    url: str = ""
    answers: list[tuple[int, bytes] | str] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, status: int, document: Any) -> None:
        """Adds an answer with a JSON body."""
        self.answers.append((status, json.dumps(document).encode()))


@pytest.fixture
def answering() -> Iterator[Answering]:
    """The server, on a free port of loopback."""
    state = Answering()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((self.command, self.path, dict(self.headers), body))
            answer = state.answers.pop(0) if state.answers else "hang up"
            self.close_connection = True
            if answer == "break off":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            if isinstance(answer, str):
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as state.url:
        yield state


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest makes the page the main module, which worker processes of later tests would run: it is put back."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


BETWEEN_DRAWINGS_S = 0.2
"""Pause before a page that shows work is drawn again; drawing without one would take the processor from that work."""


class Open(Protocol):
    """Opens a page of the web app, by default the first; `query` are parameters of its address."""

    def __call__(self, url: str, page: str = "", **query: str) -> AppTest: ...


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """See Open. Nothing that an earlier test cached is left."""

    def open_page(url: str, page: str = "", **query: str) -> AppTest:
        monkeypatch.setenv("DEEPFAKE_API_URL", url)
        st.cache_data.clear()
        app = AppTest.from_file(str(ROOT / "frontend" / "app.py"), default_timeout=60)
        if page:  # not for the front page: AppTest forgets some widgets of a page that it switched to
            app.switch_page(f"screens/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_page


def shown(page: AppTest) -> str:
    """All text on the page, one element a line, without Markdown's escapes."""
    assert not page.exception
    elements = [*page.title, *page.header, *page.subheader, *page.markdown, *page.text, *page.caption]
    elements += [*page.error, *page.warning, *page.info, *page.success]
    return "\n".join(str(element.value).replace("\\", "") for element in elements)
