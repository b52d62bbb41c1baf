"""The service over HTTP: with `frontend/calls`, all that knows its addresses. Everything comes back as JSON values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from frontend.calls.checks import Checks
from frontend.calls.datasets import Datasets
from frontend.calls.evaluations import Evaluations
from frontend.calls.fingerprints import Fingerprints
from frontend.calls.jobs import Jobs
from frontend.calls.models import Models
from frontend.transport import Json, Transport

DEFAULT_URL = "http://127.0.0.1:8000"
NOT_READY = "unavailable.not_ready"


class Client(Checks, Datasets, Models, Evaluations, Fingerprints, Jobs):
    """Calls of the service at `base_url` (by default DEEPFAKE_API_URL, else port 8000 here). Safe between threads.

    `api_key` (by default DEEPFAKE_API_KEY, else what the file DEEPFAKE_API_KEY_FILE holds) is sent as a bearer token,
    for a service that asks for one.
    """

    def __init__(self, base_url: str | None = None, api_key: str | None = None) -> None:
        self.base_url = (base_url or os.environ.get("DEEPFAKE_API_URL") or DEFAULT_URL).rstrip("/")
        self.api_key = api_key or os.environ.get("DEEPFAKE_API_KEY") or _key_of_file() or None
        self._http = Transport(self.base_url, self.api_key)

    def active_model(self) -> Json:
        """The card of the model that predictions use; an ApiError (NOT_READY) where there is none."""
        return self.model(str(self.ready()["model_id"]))


def pages(fetch: Callable[..., Json], *, size: int = 200) -> Iterator[Json]:
    """Every item of a paginated list: `pages(client.models)`."""
    offset = 0
    while True:
        page = fetch(limit=size, offset=offset)
        yield from page["items"]
        offset += len(page["items"])
        if not page["items"] or offset >= page["total"]:
            return


def _key_of_file() -> str:
    """The key in the file that DEEPFAKE_API_KEY_FILE names; "" where it cannot be read."""
    try:
        return Path(os.environ["DEEPFAKE_API_KEY_FILE"]).read_text(encoding="utf-8").strip()
    except (KeyError, OSError):
        return ""
