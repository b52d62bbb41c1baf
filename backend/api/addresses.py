"""Where a request comes from, also behind reverse proxies that the operator named."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(texts: Sequence[str]) -> Networks:
    """Networks of the settings' text."""
    return tuple(ip_network(text) for text in texts)


def client_address(scope: Scope, trusted: Networks) -> str:
    """The address of whoever asks; "" where the server cannot tell.

    X-Forwarded-For is read from its end, where the proxy nearest to us wrote, and only as far as each hop is trusted:
    whatever a client wrote into it stands before that.
    """
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    if not trusted or not _is_in(address, trusted):
        return address
    hops = [hop.strip() for value in Headers(scope=scope).getlist("x-forwarded-for") for hop in value.split(",")]
    for hop in reversed(hops):
        if "%" in hop or not _is_address(hop):  # what stands after a % is free text
            return address
        address = hop
        if not _is_in(hop, trusted):
            break
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, networks: Networks) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in networks)
