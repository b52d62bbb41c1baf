"""Single images of many clients, answered together: one queue, in turns by client, a few threads that empty it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backend.core.errors import Unavailable, Unreachable

Question = TypeVar("Question")
Answer = TypeVar("Answer")

BATCH_IMAGES = 32
BATCH_BYTES = 2 * 2**20
"""A batch ends at either bound: images that are costly to decode shall not hold up many small ones."""


@dataclass
class _Request(Generic[Question, Answer]):
    """The images of one call of `submit`: those that wait, and the answers so far."""

    question: Question
    files: Sequence[bytes]
    answers: list[Answer | None]
    future: Future[list[Answer]]
    taken: int = 0
    answered: int = 0
    failed: BaseException | None = None


@dataclass(frozen=True)
class _Item(Generic[Question, Answer]):
    request: _Request[Question, Answer]
    place: int


@dataclass
class BatchFigures:
    """What the batcher did since it started, for metrics."""

    sizes: Counter[int] = field(default_factory=Counter)  # images in a batch -> batches
    waiting: int = 0  # images that no batch has taken yet


class Batcher(Generic[Question, Answer]):
    """Calls `answer(question, files)` -> one answer a file, for batches of files that different callers submitted.

    A batch is what waits at the moment that a thread is free: an idle service answers a single image at once, a busy
    one answers up to BATCH_IMAGES together. Each client in turn gives one image to a batch, so whoever sends a
    thousand does not keep back whoever sends one. All images of a batch have one question, such as the model's id.
    """

    def __init__(self, answer: Callable[[Question, Sequence[bytes]], Sequence[Answer]], threads: int) -> None:
        self._answer, self._threads = answer, threads
        self._turns: OrderedDict[str, deque[_Request[Question, Answer]]] = OrderedDict()  # by client, who is next first
        self._changed = threading.Condition()
        self._started = self._closed = False
        self.figures = BatchFigures()

    def submit(self, client: str, files: Sequence[bytes], question: Question) -> Future[list[Answer]]:
        """One answer a file, in order, or the exception that `answer` raised.

        Raises Unavailable once the batcher is closed.
        """
        request: _Request[Question, Answer] = _Request(question, files, [None] * len(files), Future())
        if not files:
            request.future.set_result([])
            return request.future
        with self._changed:
            if self._closed:
                raise Unavailable("The service is stopping.", "Try again in a moment.")
            self._start()
            self._turns.setdefault(client, deque()).append(request)
            self.figures.waiting += len(files)
            self._changed.notify(len(files))
        return request.future

    def close(self) -> None:
        """Lets the threads answer what waits and then end; nothing new is taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"batcher-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._turns:
                    if self._closed:
                        return
                    self._changed.wait()
                batch = self._take()
            self._run(batch)

    def _take(self) -> list[_Item[Question, Answer]]:
        """The next batch, one image of each client at a time; the lock is held."""
        question = next(iter(self._turns.values()))[0].question
        batch: list[_Item[Question, Answer]] = []
        size = 0
        passed = 0  # clients in a row whose next images have another question
        while passed < len(self._turns) and len(batch) < BATCH_IMAGES and size < BATCH_BYTES:
            client, requests = self._turns.popitem(last=False)
            request = requests[0]
            if request.question != question:
                passed += 1
            else:
                passed = 0
                batch.append(_Item(request, request.taken))
                size += len(request.files[request.taken])
                request.taken += 1
                if request.taken == len(request.files):
                    requests.popleft()
            if requests:
                self._turns[client] = requests
        self.figures.waiting -= len(batch)
        self.figures.sizes[len(batch)] += 1
        return batch

    def _run(self, batch: list[_Item[Question, Answer]]) -> None:
        question = batch[0].request.question
        try:
            answers = self._answer(question, [item.request.files[item.place] for item in batch])
        except Exception as error:
            may_be_one = not isinstance(error, Unreachable) and len({id(item.request) for item in batch}) > 1
            if may_be_one:  # perhaps one image of somebody else is to blame
                while batch:
                    self._run([batch.pop(0)])
            else:
                self._settle(batch, [None] * len(batch), error)
        else:
            self._settle(batch, answers, None)
        finally:
            batch.clear()  # an error keeps this frame, which would lead back to it and keep the files alive

    def _settle(
        self, batch: list[_Item[Question, Answer]], answers: Sequence[Answer | None], error: Exception | None
    ) -> None:
        ended = []
        with self._changed:
            for item, answer in zip(batch, answers, strict=True):
                request = item.request
                request.answers[item.place] = answer
                request.answered += 1
                request.failed = request.failed or error
                if request.answered == len(request.files):
                    ended.append(request)
        for request in ended:
            if not request.future.set_running_or_notify_cancel():
                continue  # the caller has gone
            if request.failed is not None:
                request.future.set_exception(request.failed)
            else:
                request.future.set_result([answer for answer in request.answers if answer is not None])
