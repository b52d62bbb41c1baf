"""What the serving process asks of Python's own runtime, so that no request waits for it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

SETTLED_SECONDS = 10.0
"""By then the worker processes are connected and all modules that serve are imported."""

YOUNG_OBJECTS = 10_000
"""New objects between two collections of garbage, in place of 700: a burst of requests in flight is no garbage."""

SWITCH_SECONDS = 0.0005
"""A thread that waits for the interpreter gets it after so long, in place of 5 ms: mostly the event loop."""


async def tune_runtime() -> None:
    """Sets both, and hides what lives as long as the process from the garbage collector: now and when settled.

    A full collection walks through the objects of all modules and tables: it held every thread for 100 to 150
    milliseconds, about once a second under load.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    gc.freeze()
    await asyncio.sleep(SETTLED_SECONDS)
    gc.freeze()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within the block a matrix product uses the thread that asks for it.

    The products of a batch take tenths of a millisecond, and every core has a batch of its own: a second thread would
    be waited for in a loop, 40 milliseconds for a batch of 32 on busy cores in place of one.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
