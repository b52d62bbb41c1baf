"""What the serving process asks of Python's own runtime, so that no request waits for it."""

from __future__ import annotations

import asyncio
import gc
import sys

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
