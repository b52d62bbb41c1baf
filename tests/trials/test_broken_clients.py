"""Uploads that end in odd ways, and archives of very many files; nothing half-received stays."""

from __future__ import annotations

import random
import socket
import struct

import httpx
import pytest

from tests.api.leftovers import half_an_upload, leftovers, peak_growth
from tests.pictures import zipped
from tests.running import RunningService

TINY = 10_000


@pytest.mark.parametrize("how", ["half-closed", "reset"])
def test_an_upload_that_ends_early_leaves_nothing(fitted: RunningService, how: str) -> None:
    with half_an_upload(fitted, "/datasets") as connection:
        if how == "half-closed":  # it will send no more, but listens
            connection.shutdown(socket.SHUT_WR)
            assert not connection.recv(10_000).startswith(b"HTTP/1.1 5")
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert leftovers(fitted) == []
    assert httpx.get(f"{fitted.url}/health").status_code == 200


def bitmap(seed: int) -> bytes:
    """An 8 x 8 BMP of noise, 246 bytes."""
    pixels = random.Random(seed).randbytes(8 * 8 * 3)
    return (
        b"BM"
        + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 24, *[0] * 6)
        + pixels
    )


def test_ten_thousand_tiny_files(fitted: RunningService) -> None:
    archive = zipped([(f"{'REAL' if n % 2 else 'FAKE'}/{n}.bmp", bitmap(n)) for n in range(TINY)])
    answers = []

    def send() -> None:
        parts = {"archive": ("a.zip", archive), "name": (None, "tiny files")}
        answers.append(httpx.post(f"{fitted.url}/datasets?wait=60", files=parts, timeout=90))

    assert peak_growth(fitted, send) < 64 * 2**20
    assert answers[0].status_code == 200, answers[0].text
    dataset = answers[0].json()
    try:
        assert dataset["images"] == TINY
        assert dataset["skipped"]["count"] == 0
    finally:
        assert httpx.delete(f"{fitted.url}/datasets/{dataset['id']}").status_code in (200, 204)
    assert leftovers(fitted) == []
