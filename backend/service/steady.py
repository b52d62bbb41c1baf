"""Dask's batches of messages by a clock that nobody sets. Imported by every process of a cluster before it speaks.

`BatchedSend` keeps what comes within two milliseconds of its last message until a time by the wall clock: where that
was set back by an hour in between, for an hour.
"""

from __future__ import annotations

import time

import distributed.batched

# Its wait for a deadline by this clock ends at once, as the event loop reads the other; then it looks again.
distributed.batched.time = time.monotonic  # type: ignore[attr-defined]
