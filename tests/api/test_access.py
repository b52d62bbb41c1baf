"""The table of scopes names every route, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from backend.api.access import ACCESS, find_access
from backend.api.addresses import client_address, parse_networks
from backend.api.main import create_app
from backend.api.rates import Rates
from backend.service.keys import ApiKey
from backend.settings import Settings


def routes(app: object) -> set[tuple[str, str]]:
    """(method, template) of every route, those that no document lists too."""
    found: set[tuple[str, str]] = set()
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            found |= routes(inner)
        else:
            assert isinstance(route, Route | APIRoute), route
            found |= {(method, route.path) for method in route.methods or ()}
    return found


def test_every_route_has_its_row(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models"))
    listed = {(method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations}
    rows = {(row.method, row.path) for row in ACCESS}
    assert len(rows) == len(ACCESS)
    assert {place for place in routes(app) if place[0] != "HEAD"} == rows
    assert listed <= rows


def test_only_these_routes_are_open() -> None:
    assert {row.path for row in ACCESS if row.scope is None} == {"/health", "/ready", "/docs", "/openapi.json"}


def test_what_removes_or_decides_needs_admin() -> None:
    for row in ACCESS:
        if row.path == "/set" or (row.method == "DELETE" and not row.path.startswith("/jobs")):
            assert row.scope == "admin"
        if "images" in row.path:
            assert row.scope == "fit"


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/models", "/models"),
        ("GET", "/models/x", "/models/{model_id}"),
        ("DELETE", "/models/x", "/models/{model_id}"),
        ("GET", "/models/x/export", "/models/{model_id}/export"),
        ("GET", "/datasets/d/images/3/thumbnail", "/datasets/{dataset_id}/images/{n}/thumbnail"),
        ("PUT", "/models/x", None),
        ("HEAD", "/models", "/models"),
        ("GET", "/models/", None),
        ("GET", "//models", None),
        ("GET", "/health/x", None),
        ("DELETE", "/models/x/", None),
        ("POST", "/set\n", "/set"),  # the router leads /set%0A to the route
        ("POST", "/set\n\n", None),
    ],
)
def test_an_address_is_matched_as_a_whole(method: str, path: str, template: str | None) -> None:
    found = find_access(method, path)
    assert (found.path if found else None) == template


def test_a_clock_that_is_put_back_locks_no_key_out() -> None:
    rates = Rates(Settings(rate_write="2/minute"))
    key = ApiKey("k", "test", "fit", "", None, None, None, None)
    assert [rates.take(key, "write").is_left for _ in range(3)] == [True, True, False]
    window = next(iter(rates._storage.expirations))
    rates._storage.expirations[window] += 3600  # as it looks after that
    allowance = rates.take(key, "write")
    assert (allowance.is_left, allowance.remaining) == (True, 1)
    assert allowance.reset_seconds <= 60


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # no proxy of ours: what it says of others is not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.9"], "203.0.113.9"),  # the client wrote the first one itself
        ("10.0.0.1", ["1.2.3.4", "203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["fe80::1%x key_id=me, 10.9.9.9"], "10.9.9.9"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
    ],
)
def test_only_a_trusted_proxy_is_believed(peer: str, forwarded: list[str], expected: str) -> None:
    scope = {
        "type": "http",
        "client": (peer, 1234),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }
    assert client_address(scope, parse_networks(("10.0.0.0/8", "::1"))) == expected
