"""A real server that asks for keys, and calls with them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import requests
from PIL import Image

from backend.service.database import Database
from backend.service.keys import Keys
from tests.running import ROOT, RunningService

DATABASE_PASSWORD = "not-to-be-logged-0"


def command(service: RunningService, *words: str) -> Any:
    """What `deepfake WORDS --json` prints, on the folders of a server that runs."""
    program = [sys.executable, "-m", "backend.cli", *words, "--json"]
    ran = subprocess.run(program, cwd=ROOT, env=service.environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def make_key(service: RunningService, scope: str, **more: Any) -> str:
    """The text of a new key, made in the server's database while the server runs; `more` as for `Keys.create`."""
    database = Database(service.environment["DATABASE_URL"])
    try:
        return Keys(database).create(f"test {scope}", scope, **more)[1]
    finally:
        database.close()


def call(service: RunningService, method: str, path: str, key: str = "", **arguments: Any) -> requests.Response:
    """The answer to a request with a key."""
    headers = {**arguments.pop("headers", {}), **({"Authorization": f"Bearer {key}"} if key else {})}
    return requests.request(method, f"{service.url}{path}", headers=headers, timeout=60, **arguments)


def picture(side: int = 32) -> bytes:
    """A small PNG."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
