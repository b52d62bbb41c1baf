"""What the bot counts while it runs: numbers only, in memory only."""

from __future__ import annotations

import statistics
import time
from collections import Counter, deque
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counts since the start."""

    began: float = field(default_factory=time.monotonic)
    refused: int = 0  # for their number
    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=1000))  # from a question to its answer, newest

    def median_s(self) -> float | None:
        """Median seconds to an answer; None before the first."""
        return statistics.median(self.seconds) if self.seconds else None
