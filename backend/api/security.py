"""Keeps other web sites away from a service on somebody's own machine, and puts security headers on every answer."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import problem_document, problem_response

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>.+)")
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}


_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-ID"


class CrossOrigin:
    """Lets pages of the given origins use the service (CORS): answers their preflights, and marks their requests.

    Never with credentials: a page sends an API key itself, so what a browser keeps (cookies) is of no use. Origins are
    compared as a whole. It marks a request by `scope["state"]["is_allowed_origin"]`, for `Guard`.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self.app, self.origins = app, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins = Headers(scope=scope).getlist("origin") if scope["type"] == "http" else []
        if len(origins) != 1 or origins[0] not in self.origins:
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["is_allowed_origin"] = True

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origins[0]
                headers["Access-Control-Expose-Headers"] = _EXPOSED
                headers.add_vary_header("Origin")
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_with_origin)
        else:
            await self.app(scope, receive, send_with_origin)


class Guard:
    """Refuses a request whose Host is not on the list, and one that another web site drives; neither body is read.

    The list of host names stops DNS rebinding: a page that points its own name at 127.0.0.1 still sends that name.
    `Origin` and `Sec-Fetch-Site` stop forms and scripts of other sites. Programs such as curl send neither and pass.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str]) -> None:
        self.app = app
        self.allowed_hosts = frozenset(name.lower().strip("[]") for name in allowed_hosts)
        self.allows_all = "*" in self.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_allowed_origin = bool(scope.get("state", {}).get("is_allowed_origin"))
        refusal = self._refusal(scope.get("method", "GET"), headers, is_allowed_origin)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await problem_response(refusal)(scope, receive, send)

    def _refusal(self, method: str, headers: Headers, is_allowed_origin: bool) -> dict[str, object] | None:
        named = headers.getlist("host")
        host = split_host(named[0]) if len(named) == 1 else None
        if host is None or not (self.allows_all or host[0] in self.allowed_hosts):
            return problem_document(
                421,
                "security.host",
                "This service does not answer for that host name.",
                "Use the address that the service printed, or add the name to DEEPFAKE_ALLOWED_HOSTS on the server.",
            )
        if not is_allowed_origin and is_cross_site(method, host, headers):
            return problem_document(
                403,
                "security.cross_site",
                "A page of another web site may not use this service.",
                "Call it from its own pages or from a program.",
            )
        return None


def split_host(value: str) -> tuple[str, str] | None:
    """(name, port) of a Host header in lower case, brackets of IPv6 taken off, port "" if none; None if malformed."""
    match = _HOST.fullmatch(value.lower())
    return (match["v6"] or match["name"], match["port"] or "") if match else None


def is_cross_site(method: str, host: tuple[str, str], headers: Headers) -> bool:
    """Whether a browser sent this for a page of another origin. Following a link to here (a GET) is not counted."""
    site = headers.get("sec-fetch-site", "")
    if method in SAFE_METHODS:
        return site == "cross-site" and headers.get("sec-fetch-mode", "") != "navigate"
    if site not in ("", "same-origin", "none"):
        return True
    origins = headers.getlist("origin")
    return bool(origins) and not (len(origins) == 1 and _is_own(origins[0], host))


def _is_own(origin: str, host: tuple[str, str]) -> bool:
    match = _ORIGIN.fullmatch(origin.lower())
    theirs = split_host(match["host"]) if match else None
    if match is None or theirs is None:
        return False
    default = _DEFAULT_PORTS[match["scheme"]]
    return (theirs[0], theirs[1] or default) == (host[0], host[1] or default)


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class SecurityHeaders:
    """Adds headers that forbid sniffing, framing, foreign use and caching, unless the route set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", ())}
                added = [header for header in _RAW_HEADERS if header[0] not in present]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
