"""Host names, other web sites, and the headers of every answer; against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from backend.api import problems
from backend.api.main import create_app
from backend.api.security import Guard, SecurityHeaders, split_host
from backend.settings import Settings
from tests.api.serving import serving, talk


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = FastAPI()
    problems.install(app)

    @app.api_route("/thing", methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"])
    async def thing(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    app.add_middleware(Guard, allowed_hosts=("localhost", "127.0.0.1", "[::1]", "photos.example"))
    app.add_middleware(SecurityHeaders)
    with serving(app) as port:
        yield port


def call(port: int, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, f"http://127.0.0.1:{port}/thing", headers=named)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]", "[::1]:8000", "photos.example", "photos.example:443"],
)
def test_an_allowed_host_passes(port: int, host: str) -> None:
    assert call(port, host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.localhost",
        "127.0.0.1.evil.example",
        "xlocalhost",
        "localhost.",
        "photos.example.evil",
        "user@localhost",
        "localhost:80:80",
        "localhost:x",
        "[::1",
        "::1",
        "[::2]",
        "127.0.0.2",
        "localhost/",
        "*",
    ],
)
def test_a_foreign_host_is_refused(port: int, host: str) -> None:
    answer = call(port, host=host)
    assert (answer.status_code, answer.json()["code"]) == (421, "security.host")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_request_without_host_is_refused(port: int) -> None:
    answer = talk(port, b"GET /thing HTTP/1.0\r\n\r\n")
    assert b" 421 " in answer.splitlines()[0]


def test_two_hosts_are_refused(port: int) -> None:
    answer = talk(port, b"GET /thing HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert answer.splitlines()[0].split()[1] in (b"400", b"421")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},  # another port is another origin
        {"origin": "http://127.0.0.1.evil.example"},
        {"origin": "file://"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "nonsense"},
    ],
)
def test_a_change_for_another_site_is_refused(port: int, method: str, headers: dict[str, str]) -> None:
    answer = call(port, method, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "security.cross_site")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_programs_and_own_pages_pass(port: int, method: str) -> None:
    assert call(port, method).status_code == 200
    assert call(port, method, origin=f"http://127.0.0.1:{port}", sec_fetch_site="same-origin").status_code == 200
    assert call(port, method, sec_fetch_site="none").status_code == 200
    # behind a proxy that speaks TLS, the default port is left out on both sides
    assert call(port, method, host="photos.example", origin="https://photos.example").status_code == 200


def test_reading_for_another_site_is_refused_but_links_work(port: int) -> None:
    assert call(port, sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status_code == 403
    assert call(port, sec_fetch_site="cross-site", sec_fetch_mode="navigate").status_code == 200


def test_a_refused_body_is_not_needed(port: int) -> None:
    """The answer comes while the client still owes its body: nothing was read."""
    head = b"POST /thing HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n"
    assert b" 421 " in talk(port, head).splitlines()[0]


def test_security_headers_are_on_answers_and_refusals(port: int) -> None:
    for answer in (call(port), call(port, host="evil.example"), httpx.get(f"http://127.0.0.1:{port}/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_server_answers_to_the_address_it_listens_on(tmp_path: Path) -> None:
    def ask(listens_on: str, address: str) -> int:
        settings = Settings(host=listens_on, data_dir=tmp_path / "data", models_dir=tmp_path / "models")
        return TestClient(create_app(settings), base_url=f"http://{address}").get("/health").status_code

    assert ask("192.0.2.7", "192.0.2.7:8000") == 200
    assert ask("192.0.2.7", "evil.example") == 421
    assert ask("0.0.0.0", "0.0.0.0") == 421
    assert ask("::1", "[::1]:8000") == 200


def test_a_failure_of_ours_has_the_headers_too(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models"))
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get("/models")  # there is no service: it opens with the server
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_a_star_allows_every_host() -> None:
    guard = Guard(FastAPI(), allowed_hosts=("*",))
    assert guard.allows_all
    assert split_host("ANY.example:80") == ("any.example", "80")
