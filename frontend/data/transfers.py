"""Uploads that go on while their page is used: each in a thread of its own, its state an object in the session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from frontend.client import Client
from frontend.transport import ApiError, Json
from frontend.uploads import OnSent, Upload

Send = Callable[[OnSent], Json]
"""Sends images and gives the job that takes them; the argument hears of the bytes on their way."""

MAX_NAME = 100
"""Letters of a data set's name, as the service counts them."""


class Transfer:
    """Images on their way to the service. The thread writes the fields, a page only reads them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent, self.total = 0, 0  # bytes
        self.job_id = ""  # of the import, once the service has everything
        self.error: ApiError | None = None
        self.stopped = False
        self.ended = False  # with a job or an error; with neither where the thread itself broke

    def stop(self) -> None:
        """Breaks the upload off at its next piece; the service then forgets what it got."""
        self.stopped = True

    def _hear(self, sent: int, total: int) -> None:
        if self.stopped:
            raise _Stopped
        self.sent, self.total = sent, total

    def _run(self, send: Send) -> None:
        try:
            self.job_id = str(send(self._hear)["id"])
        except ApiError as error:
            self.error = error
        except _Stopped:
            pass
        finally:
            self.ended = True


class _Stopped(Exception):
    """The visitor does not want the upload any more."""


def start_transfer(client: Client, name: str, upload: Upload) -> Transfer:
    """The import of the images of `upload` as the data set `name`, under way."""
    return start_sending(name, lambda on_sent: client.import_images(name, upload, on_sent=on_sent))


def start_sending(name: str, send: Send) -> Transfer:
    """A transfer that is under way. Its thread lets go of the files when it ends."""
    transfer = Transfer(name)
    # A daemon: a web app that is told to end does not wait for an upload of minutes.
    threading.Thread(target=transfer._run, args=(send,), name="upload", daemon=True).start()
    return transfer


def free_name(wanted: str, taken: Sequence[str]) -> str:
    """`wanted` as the name of a data set: on one line, not too long, with a number where it is taken already."""
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in wanted).split())[:MAX_NAME].strip()
    candidate, number = name, 2
    while candidate in taken:
        suffix = f" {number}"
        candidate, number = name[: MAX_NAME - len(suffix)] + suffix, number + 1
    return candidate


def stem_of(filename: str) -> str:
    """A file's name without its folders and its extension."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return last.rpartition(".")[0] or last
