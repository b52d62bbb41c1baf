"""Files that the service makes when they are asked for: fetched by a thread, then handed to the browser.

Streamlit's own way, a download button with a function, says "Failed to generate file" in English when the service
refuses, and nothing of why.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from frontend.formatting import size
from frontend.session import explain
from frontend.texts import say
from frontend.transport import ApiError

FETCHING = "download.fetching"
"""In the session: the one file that this visitor asked for last. The next one takes its place in memory."""
LOOK_EVERY_S = 0.5
_WITHOUT_A_FLASH_S = 0.3

Fetch = Callable[[Path], Path]
"""Writes the file to a path. It runs in a thread, so it has its client with it and asks no session."""


class Fetching:
    """A file on its way from the service. The thread writes the fields, a page only reads them."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.content: bytes | None = None
        self.error: ApiError | None = None
        self._ended = threading.Event()

    def start(self, fetch: Fetch) -> None:
        """Begins in a thread that a web app which is told to end does not wait for."""
        threading.Thread(target=self.run, args=(fetch,), name="download", daemon=True).start()

    def run(self, fetch: Fetch) -> None:
        """Fetches the file into memory; nothing of it stays on this machine's disk."""
        try:
            with tempfile.TemporaryDirectory(prefix="export-") as folder:
                self.content = fetch(Path(folder) / "export").read_bytes()
        except ApiError as error:
            self.error = error
        finally:
            self._ended.set()

    def ended(self, wait_s: float = 0.0) -> bool:
        """Whether there is a file or a reason why there is none, after `wait_s` seconds at most."""
        return self._ended.wait(wait_s)


def show_download(label: str, fetch: Fetch, filename: str, mime: str, *, key: str, help: str | None = None) -> None:
    """A button that has the file made, then one that saves it; a sentence where the service made none."""
    fetching: Fetching | None = st.session_state.get(FETCHING)
    mine = fetching if fetching is not None and fetching.key == key else None
    if mine is not None and not mine.ended(_WITHOUT_A_FLASH_S):
        follow_fetching(mine)
        return
    if mine is not None and mine.content is not None:
        st.download_button(
            say("download.save", file=filename, size=size(len(mine.content))),
            mine.content,
            file_name=filename,
            mime=mime,
            key=f"{key}.save",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        return
    st.button(label, key=key, icon=":material/download:", help=help, on_click=_begin, args=(key, fetch))
    if mine is not None and mine.error is not None:
        st.error(say("download.failed", reason=explain(mine.error)))
    elif mine is not None:
        st.error(say("download.broke_off"))


@st.fragment(run_every=LOOK_EVERY_S)
def follow_fetching(fetching: Fetching) -> None:
    """That the file is being made; when it is there, or will not be, the whole page is drawn again."""
    if fetching.ended():
        st.rerun()
    st.caption(f":material/progress_activity: {say('download.making')}")


def _begin(key: str, fetch: Fetch) -> None:
    fetching = Fetching(key)
    st.session_state[FETCHING] = fetching
    fetching.start(fetch)
