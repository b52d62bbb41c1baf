"""The gate before every route: key, scope, rate and quota are checked before a byte of the body is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.access import Access, find_access
from backend.api.addresses import client_address, parse_networks
from backend.api.problems import ProblemError, document_of, headers_of, problem_document, problem_response
from backend.api.protection import Protection
from backend.core.errors import DeepfakeError
from backend.service.audit import LOCAL, NOBODY, AuditEntry
from backend.service.keys import ApiKey
from backend.settings import Settings


class Authorize:
    """Lets a request through to the routes or answers it by itself; writes the audit log and counts usage.

    Leaves in `scope["state"]`: `client` (key's id, else address), `key_id` ("" without one), `address`, `template`.
    Routes may leave there: `images` (how many they answered), `target` (the id that an action was about).
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._trusted = parse_networks(settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        address = client_address(scope, self._trusted)
        access = find_access(scope["method"], scope["path"])
        state.update(address=address, client=address, key_id="", template=access.path if access else "")
        protection: Protection | None = getattr(scope["app"].state, "protection", None)
        if protection is None:  # the service is not open: routes say so
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).getlist("authorization")
        key = None
        try:
            # two such fields are no key
            key = await protection.identify(access, ", ".join(sent) if sent else None, address)
            if key is not None:
                state.update(client=key.id, key_id=key.id)
            allowance = await protection.admit(access, key)
        except DeepfakeError as error:  # the database does not answer
            document = {**document_of(error), "instance": scope["path"]}
            await problem_response(document, headers_of(error))(scope, receive, send)
            return
        except ProblemError as refusal:
            if refusal.status_code in (401, 403):
                entry = _entry(scope, access, key, refusal.status_code, "")
                await protection.record(entry, is_refusal=True)
            await _answer(refusal, scope["path"])(scope, receive, send)
            return
        request = _Admitted(protection, access, key, scope)
        await request.pass_on(self.app, receive, send, allowance.headers if allowance else {})


class _Admitted:
    """A request that may pass: its answer gets headers and an entry of the audit log, its key is charged for it."""

    def __init__(self, protection: Protection, access: Access | None, key: ApiKey | None, scope: Scope) -> None:
        self._protection, self._access, self._key, self._scope = protection, access, key, scope
        self._is_recorded = access is None or not access.is_audited

    async def pass_on(self, app: ASGIApp, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                present.update(headers)
                await self._record(message["status"], present.get("location", ""))
            await send(message)

        try:
            await app(self._scope, receive, send_and_record)
        except Exception:
            await self._record(500, "")
            raise
        finally:
            if self._key is not None:
                self._protection.usage.add(self._key.id, int(self._scope["state"].get("images", 0)))

    async def _record(self, status: int, location: str) -> None:
        """The entry, once and before the answer is sent: who got an answer is in the log."""
        if self._is_recorded:
            return
        self._is_recorded = True
        entry = _entry(self._scope, self._access, self._key, status, _target(self._scope, location))
        await self._protection.record(entry)


def _answer(refusal: ProblemError, path: str) -> Any:
    document = problem_document(
        refusal.status_code, refusal.code, str(refusal.detail), refusal.hint, refusal.extensions
    )
    return problem_response({**document, "instance": path}, refusal.headers)


def _entry(scope: Scope, access: Access | None, key: ApiKey | None, status: int, target: str) -> AuditEntry:
    return AuditEntry(
        action=f"{access.method} {access.path}" if access else "unknown address",
        status=status,
        key_id=key.id if key else "",
        key_name=key.name if key else NOBODY if status == 401 else LOCAL,
        target=target,
        request_id=str(scope["state"].get("request_id", "")),
        address=scope["state"]["address"],
    )


def _target(scope: Scope, location: str) -> str:
    """The id that an action was about: what the route says, the one in its address, or that of the job it made."""
    named = scope["state"].get("target") or next(
        (value for name, value in scope.get("path_params", {}).items() if name.endswith("_id")), ""
    )
    return str(named or location.rpartition("/")[2])
