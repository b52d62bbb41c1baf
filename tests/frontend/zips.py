"""Small archives for tests of the pages about data."""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections.abc import Callable, Sequence

from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.frontend.conftest import BETWEEN_DRAWINGS_S

PATIENCE_S = 60.0


def picture(seed: int, side: int = 16) -> bytes:
    """A PNG of noise; equal seeds give equal pixels."""
    stream = io.BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(3 * side * side)).save(stream, "PNG")
    return stream.getvalue()


def pack(names: Sequence[str], side: int = 16) -> bytes:
    """A zip with a picture of its own under each name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for seed, name in enumerate(names):
            archive.writestr(name, picture(seed, side))
    return stream.getvalue()


def run_until(page: AppTest, reached: Callable[[AppTest], bool]) -> AppTest:
    """Draws the page again and again, as its fragments do in a browser, until it shows what a test waits for."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached(page):
        assert time.monotonic() < deadline, [element.value for element in page.main]
        assert not page.exception
        time.sleep(BETWEEN_DRAWINGS_S)
        page.run()
    return page
