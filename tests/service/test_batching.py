"""One queue for many clients: in order, in turns, together where it is busy and at once where it is not."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from backend.core.errors import NotFound, Unavailable, Unreachable
from backend.service.batching import BATCH_BYTES, BATCH_IMAGES, Batcher

WAIT = 10.0


class Slow:
    """Answers each file with itself in capitals, once `go` is set; notes the batches."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.batches: list[tuple[str | None, list[bytes]]] = []

    def __call__(self, model_id: str | None, files: Sequence[bytes]) -> list[bytes]:
        self.batches.append((model_id, list(files)))
        self.begun.set()
        assert self.go.wait(WAIT)
        if b"poison" in files:
            raise ValueError("poison")
        if model_id == "unknown":
            raise NotFound("no such model")
        if model_id == "away":
            raise Unreachable("The database does not answer.")
        return [data.upper() for data in files]


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def batcher(slow: Slow) -> Iterator[Batcher[str | None, bytes]]:
    batcher = Batcher(slow, threads=1)
    yield batcher
    slow.go.set()
    batcher.close()


def occupy(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    """Keeps the only thread busy, so that what is submitted next waits."""
    batcher.submit("first", [b"x"], None)
    assert slow.begun.wait(WAIT)


def test_an_idle_batcher_takes_a_single_image_at_once(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    slow.go.set()
    assert batcher.submit("a", [b"x"], None).result(WAIT) == [b"X"]
    assert batcher.figures.sizes == {1: 1}


def test_what_waits_is_answered_together_and_in_order(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    futures = [batcher.submit("a", [b"b%d" % i, b"c%d" % i], None) for i in range(3)]
    assert batcher.figures.waiting == 6
    slow.go.set()
    assert [future.result(WAIT) for future in futures] == [[b"B%d" % i, b"C%d" % i] for i in range(3)]
    assert len(slow.batches) == 2
    assert batcher.figures.waiting == 0


def test_who_sends_a_thousand_does_not_keep_back_who_sends_one(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    many = batcher.submit("greedy", [b"g"] * 1000, None)
    also = [batcher.submit("greedy", [b"g"], None) for _ in range(10)]
    one = batcher.submit("modest", [b"m"], None)
    slow.go.set()
    assert one.result(WAIT) == [b"M"]
    assert len(many.result(WAIT)) == 1000
    assert [future.result(WAIT) for future in also] == [[b"G"]] * 10
    assert b"m" in slow.batches[1][1]
    assert max(len(files) for _, files in slow.batches) == BATCH_IMAGES


def test_large_files_end_a_batch(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    futures = [batcher.submit(str(i), [b"x" * BATCH_BYTES], None) for i in range(3)]
    slow.go.set()
    for future in futures:
        future.result(WAIT)
    assert batcher.figures.sizes == {1: 4}


def test_a_batch_is_for_one_model(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    futures = [batcher.submit(str(i % 3), [b"x"], f"model-{i % 2}") for i in range(12)]
    slow.go.set()
    for future in futures:
        assert future.result(WAIT) == [b"X"]
    assert all(model in (None, "model-0", "model-1") for model, _ in slow.batches)
    assert sum(len(files) for model, files in slow.batches if model == "model-0") == 6


def test_a_failure_is_that_of_its_own_request(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    good = [batcher.submit("a", [b"x"], None) for _ in range(3)]
    bad = batcher.submit("b", [b"y", b"poison"], None)
    unknown = batcher.submit("c", [b"x"], "unknown")
    slow.go.set()
    assert [future.result(WAIT) for future in good] == [[b"X"]] * 3
    with pytest.raises(ValueError, match="poison"):
        bad.result(WAIT)
    with pytest.raises(NotFound):
        unknown.result(WAIT)


def test_closing_answers_what_waits_and_takes_nothing_new(batcher: Batcher[str | None, bytes], slow: Slow) -> None:
    occupy(batcher, slow)
    waiting = batcher.submit("a", [b"x"], None)
    batcher.close()
    with pytest.raises(Unavailable):
        batcher.submit("a", [b"x"], None)
    slow.go.set()
    assert waiting.result(WAIT) == [b"X"]


def test_nothing_is_answered_with_nothing(batcher: Batcher[str | None, bytes]) -> None:
    assert batcher.submit("a", [], None).result(WAIT) == []


def test_a_database_that_is_away_is_asked_once_a_batch(slow: Slow, batcher: Batcher[str | None, bytes]) -> None:
    occupy(batcher, slow)
    futures = [batcher.submit(client, [b"a"], "away") for client in ("a", "b", "c")]
    slow.go.set()
    for future in futures:
        with pytest.raises(Unreachable):
            future.result(WAIT)
    assert [model_id for model_id, _ in slow.batches] == [None, "away"]


def test_a_failed_batch_keeps_no_file_until_the_next_garbage_collection(
    slow: Slow, batcher: Batcher[str | None, bytes]
) -> None:
    data = bytes(1000)
    before = sys.getrefcount(data)
    gc.disable()
    try:
        first = batcher.submit("a", [data], "unknown")
        second = batcher.submit("b", [data, data], "unknown")
        slow.go.set()
        for future in (first, second):
            with pytest.raises(NotFound):
                future.result(WAIT)
        del first, second, future
        slow.batches.clear()
        deadline = time.monotonic() + WAIT
        while sys.getrefcount(data) > before and time.monotonic() < deadline:
            time.sleep(0.01)  # the thread is about to let go
        assert sys.getrefcount(data) == before
    finally:
        gc.enable()
