"""What the gate before the routes knows and decides: keys, rates, quotas, and the audit log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from backend.api.access import Access
from backend.api.problems import ProblemError
from backend.api.rates import Allowance, Rates
from backend.core.errors import DeepfakeError
from backend.service.audit import Audit, AuditEntry
from backend.service.database import Database
from backend.service.failures import log_failure
from backend.service.keys import ApiKey, Keys
from backend.service.usage import FLUSH_SECONDS, Usage
from backend.settings import Settings

log = logging.getLogger("deepfake.api")

_COMPLAINT_SECONDS = 60.0
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_HOW = "Send `Authorization: Bearer dfk_...`; the operator makes keys with `deepfake keys create`."
_FIRST_KEY = "deepfake keys create --name NAME --scope admin"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Protection:
    """What the gate knows: keys, rates, what was used, and the audit log."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.required = settings.keys_are_required
        self.keys, self.usage, self.audit = Keys(database), Usage(database), Audit(database)
        self.rates = Rates(settings) if self.required else None
        self._complained_at = float("-inf")

    async def identify(self, access: Access | None, header: str | None, address: str) -> ApiKey | None:
        """The key that a request brings, None without one. Raises ProblemError: wrong, or one is needed."""
        if access is not None and access.scope is None:
            return None
        if header is not None:
            return await self._find(header, address)
        if self.required:
            raise ProblemError(401, "security.key_missing", "This service needs an API key.", _HOW, headers=_CHALLENGE)
        return None

    async def admit(self, access: Access | None, key: ApiKey | None) -> Allowance | None:
        """What is left of the key's rate, None where there is none. Raises ProblemError for what the key may not do."""
        if self.rates is None or key is None:
            return None
        if access is None:  # whatever the table does not know is closed
            if not key.allows("admin"):
                hint = "GET /docs lists the addresses that exist and the methods of each."
                raise ProblemError(404, "route.unknown", "There is nothing at this address.", hint)
            return None
        if not key.allows(str(access.scope)):
            raise ProblemError(
                403,
                "security.scope",
                f"This needs a key with the scope {access.scope!r}; the scope of this one is {key.scope!r}.",
                "Ask the operator for such a key.",
                extensions={"scope": access.scope},
            )
        allowance = self.rates.take(key, access.rate)
        if not allowance.is_left:
            raise _too_many("limit.rate", "This key has made too many requests.", allowance)
        if access.rate == "predict" and key.images_per_day is not None:
            used = await run_in_threadpool(self.usage.images_today, key.id)
            if used >= key.images_per_day:
                raise _day_is_used(key.images_per_day)
        return allowance

    async def keep(self) -> None:
        """Writes usage to the database every few seconds, until it is cancelled; first says where no key exists yet."""
        if self.required:
            await self._say_where_no_key()
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await run_in_threadpool(self.flush)

    def flush(self) -> None:
        """Write what was used since the last time; what the database does not take now waits for the next."""
        try:
            self.usage.flush()
        except DeepfakeError as error:
            log.warning("The usage of keys could not be written: %s", error.message)
        except Exception as error:  # `keep` goes on, and a server that ends closes the rest
            log_failure(log, "The usage of keys could not be written", error)

    async def record(self, entry: AuditEntry, *, is_refusal: bool = False) -> None:
        """Writes an entry of the audit log. Where the database does not take it, the log says so once a minute.

        The answer goes out all the same: what was done is done.
        """
        write = self.audit.record_refusal if is_refusal else self.audit.record
        try:
            await run_in_threadpool(write, entry)
        except DeepfakeError as error:
            now = time.monotonic()
            if now - self._complained_at > _COMPLAINT_SECONDS:
                self._complained_at = now
                log.error("Entries of the audit log cannot be written, such as %s: %s", entry.action, error.message)

    async def _say_where_no_key(self) -> None:
        try:
            await run_in_threadpool(self.keys.refresh)
        except DeepfakeError as error:
            log.warning("The keys could not be read: %s", error.message)
        else:
            if not self.keys.count:
                log.warning("Requests need an API key, and there is none yet: %s", _FIRST_KEY)

    async def _find(self, header: str, address: str) -> ApiKey:
        if not self.keys.is_fresh:
            await run_in_threadpool(self.keys.refresh)
        match = _BEARER.fullmatch(header)
        key = self.keys.find(match[1]) if match else None
        if key is not None:
            return key
        if self.rates is not None:
            allowance = self.rates.take_wrong(address)
            if not allowance.is_left:
                raise _too_many("limit.wrong_keys", "Too many wrong keys came from this address.", allowance)
        hint = f"It is mistyped, revoked or expired. {_HOW}"
        raise ProblemError(401, "security.key_invalid", "This API key does not count.", hint, headers=_CHALLENGE)


def _too_many(code: str, detail: str, allowance: Allowance) -> ProblemError:
    headers = {"Retry-After": str(allowance.reset_seconds), **allowance.headers}
    return ProblemError(429, code, detail, "Try again after the seconds in Retry-After.", headers=headers)


def _day_is_used(limit: int) -> ProblemError:
    now = datetime.now(UTC)
    left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
    detail = f"This key's {limit} images of today are used."
    return ProblemError(
        429, "limit.images", detail, "The day ends at midnight, UTC.", headers={"Retry-After": str(left)}
    )
