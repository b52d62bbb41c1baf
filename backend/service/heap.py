"""What a process asks of the C library's allocator. Nothing changes where that is not glibc's."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

HEAPS = 2
"""Heaps for all threads of the serving process; glibc makes 8 a core."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MOST_KEPT, _LARGEST_KEPT = 2**29, 2**25
"""Bytes at the heap's end that are not given back, and the largest block that is taken from a heap (glibc's limit)."""

_USUAL = 2**17
"""What glibc takes for both where the process was not told otherwise."""


def few_heaps() -> None:
    """Threads of this process share HEAPS heaps, since each heap keeps what it once took."""
    _set_option(_M_ARENA_MAX, HEAPS)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Arrays up to _LARGEST_KEPT bytes take memory that others have left, in place of new pages for each of them.

    Workers start with the opposite (cluster.py), which costs a training loop more than half of its time.
    """
    _set_option(_M_TRIM_THRESHOLD, _MOST_KEPT)
    _set_option(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    try:
        yield
    finally:
        _set_option(_M_TRIM_THRESHOLD, int(os.environ.get("MALLOC_TRIM_THRESHOLD_", _USUAL)))
        _set_option(_M_MMAP_THRESHOLD, int(os.environ.get("MALLOC_MMAP_THRESHOLD_", _USUAL)))


def trim_memory() -> None:
    """Return freed memory to the system; nothing where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _set_option(option: int, value: int) -> None:
    """See mallopt(3)."""
    getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)(option, value)
