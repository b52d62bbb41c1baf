"""How many requests a key may make in a time; counted in this process's memory, so two servers let twice as many in."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from backend.api.access import Rate
from backend.service.keys import ApiKey
from backend.settings import Settings, parse_rate

if TYPE_CHECKING:
    from limits import RateLimitItem

_MAX_ADDRESSES = 10_000


@dataclass(frozen=True)
class Allowance:
    """What is left of a rate after a request."""

    is_left: bool  # whether this request may pass
    limit: int
    remaining: int
    reset_seconds: int  # until the window ends and counts begin anew, at least 1

    @property
    def headers(self) -> dict[str, str]:
        """The header fields that tell a client (draft-ietf-httpapi-ratelimit-headers, its separate fields)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class Rates:
    """Counts requests in fixed windows: around the end of one, up to twice the rate may pass within its length."""

    def __init__(self, settings: Settings) -> None:
        from limits import RateLimitItemPerSecond  # 70 ms that a server without keys need not wait for
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        def item(text: str) -> RateLimitItem:
            amount, seconds = parse_rate(text)
            return RateLimitItemPerSecond(amount, seconds)

        self._item = item
        self._rates = {
            "predict": item(settings.rate_predict),
            "read": item(settings.rate_read),
            "write": item(settings.rate_write),
        }
        self._wrong = item(settings.rate_wrong_keys)
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)

    def take(self, key: ApiKey, kind: Rate) -> Allowance:
        """Count a request of a key. A rate of its own stands for those of predictions and reading together."""
        if key.rate is not None and kind != "write":
            return self._take(self._item(key.rate), key.id, "all")
        return self._take(self._rates[kind], key.id, kind)

    def take_wrong(self, address: str) -> Allowance:
        """Count a request with a wrong key from an address; an IPv6 network of /64 counts as one address."""
        name = _group(address)
        if len(self._storage.storage) > _MAX_ADDRESSES:  # a flood from everywhere: no memory for each of them
            name = "others"
        return self._take(self._wrong, name, "wrong")

    def _take(self, item: RateLimitItem, name: str, kind: str) -> Allowance:
        is_left = self._limiter.hit(item, name, kind)
        stats = self._limiter.get_window_stats(item, name, kind)
        if stats.reset_time - time.time() > item.get_expiry():  # the clock was put back: this window would not end
            self._limiter.clear(item, name, kind)
            is_left = self._limiter.hit(item, name, kind)
            stats = self._limiter.get_window_stats(item, name, kind)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Allowance(is_left, item.amount, max(0, stats.remaining), reset)


def _group(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(int(parsed) >> 64)
