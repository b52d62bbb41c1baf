"""Keys, scopes, rates and quotas over HTTP, against a real server that asks for keys."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from backend.api.access import ACCESS
from backend.service.keys import FRESH_SECONDS, SCOPES
from tests.api.protected import DATABASE_PASSWORD, call, command, make_key, picture
from tests.running import RunningService
from tests.service.exported import archive

ORIGIN = "https://photos.example"
ALLOWED = archive("allowed-1")
"""An exported model that the operator has listed."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    service = RunningService(tmp_path_factory.mktemp("protected"))
    database = service.folder / f"{DATABASE_PASSWORD}.db"
    service.environment |= {
        "DEEPFAKE_REQUIRE_KEYS": "always",
        "DEEPFAKE_CORS_ORIGINS": ORIGIN,
        "DEEPFAKE_ALLOWED_MODELS": hashlib.sha256(ALLOWED).hexdigest().upper(),
        "DEEPFAKE_MAX_UPLOADS": "2",
        "DEEPFAKE_RATE_WRONG_KEYS": "40/minute",
        "DEEPFAKE_TRUSTED_PROXIES": "127.0.0.1",
        "DEEPFAKE_LOG_LEVEL": "debug",
        "DATABASE_URL": f"sqlite:///{database}",
        "AWS_SECRET_ACCESS_KEY": DATABASE_PASSWORD,
    }
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def keys(server: RunningService) -> dict[str, str]:
    """A key of each scope, and some more: name -> text."""
    made = {scope: make_key(server, scope) for scope in SCOPES}
    made["slow"] = make_key(server, "fit", rate="3/hour")
    made["few"] = make_key(server, "predict", images_per_day=3)
    made["revoked"] = make_key(server, "fit")
    time.sleep(FRESH_SECONDS)
    return made


def test_without_a_key_only_the_open_routes_answer(server: RunningService) -> None:
    for row in ACCESS:
        path = row.path.replace("{n}", "0").replace("{dataset_id}", "x").replace("{model_id}", "x")
        answer = call(server, row.method, path.replace("{job_id}", "x"))
        if row.scope is None:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "security.key_missing"), row
            assert answer.headers["www-authenticate"] == "Bearer"


def test_each_scope_opens_its_routes_and_no_others(server: RunningService, keys: dict[str, str]) -> None:
    for row in ACCESS:
        if row.scope is None:
            continue
        path = row.path.replace("{n}", "0").replace("{dataset_id}", "no").replace("{model_id}", "no")
        for scope in SCOPES:
            answer = call(server, row.method, path.replace("{job_id}", "no"), keys[scope])
            if SCOPES.index(scope) < SCOPES.index(row.scope):
                assert (answer.status_code, answer.json()["code"]) == (403, "security.scope"), (row, scope)
                assert answer.json()["scope"] == row.scope
            else:
                is_scope = answer.status_code == 403 and answer.json()["code"] == "security.scope"
                assert answer.status_code != 401, (row, scope)
                assert not is_scope, (row, scope)


@pytest.mark.parametrize("path", ["/", "/nothing", "/models/", "/openapi.json/", "/admin"])
def test_what_the_table_does_not_know_is_closed(server: RunningService, keys: dict[str, str], path: str) -> None:
    assert call(server, "GET", path).status_code == 401
    for scope in SCOPES:
        answer = call(server, "GET", path, keys[scope])
        assert (answer.status_code, answer.json()["code"]) == (404, "route.unknown")


@pytest.mark.parametrize("form", ["Basic {}", "{}", "Bearer", "Bearer {} {}", "Bearer {}x", "Token {}"])
def test_a_wrong_key_is_refused(server: RunningService, keys: dict[str, str], form: str) -> None:
    answer = call(server, "GET", "/models", headers={"Authorization": form.format(*[keys["admin"]] * 2)})
    assert (answer.status_code, answer.json()["code"]) == (401, "security.key_invalid")


def test_the_web_apps_key_shows_the_check_page_and_nobodys_images(server: RunningService, keys: dict[str, str]) -> None:
    answer = call(server, "POST", "/predict", keys["predict"], files={"files": ("a.png", picture())})
    assert answer.status_code == 200
    assert int(answer.headers["ratelimit-remaining"]) < int(answer.headers["ratelimit-limit"]) == 1000
    for path in ("/options", "/models", "/models/cifake-logreg"):
        assert call(server, "GET", path, keys["predict"]).status_code == 200
    for path in ("/datasets", "/jobs", "/models/cifake-logreg/predictions", "/models/cifake-logreg/export"):
        assert call(server, "GET", path, keys["predict"]).status_code == 403


def written(service: RunningService) -> int:
    """Bytes that the server has written so far, to whatever file or socket."""
    lines = Path(f"/proc/{service.pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])


def upload(port: int, key: str, size: int, *, expects: bool = False) -> bytes:
    """The beginning of the answer to an upload of so many bytes that is sent until the answer is there."""
    head = (
        f"POST /datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n"
        + (f"Authorization: Bearer {key}\r\n" if key else "")
        + ("Expect: 100-continue\r\n" if expects else "")
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}\r\n".encode())
        if expects:
            return connection.recv(4096)
        connection.settimeout(0.01)
        piece, sent = b"x" * 1_000_000, 0
        while sent < size:
            try:
                return connection.recv(4096)
            except TimeoutError:
                pass
            connection.settimeout(20)
            connection.sendall(piece)
            connection.settimeout(0.01)
            sent += len(piece)
        connection.settimeout(20)
        return connection.recv(4096)


@pytest.mark.parametrize("expects", [True, False])
@pytest.mark.parametrize(("key", "status"), [("", 401), ("predict", 403)])
def test_a_refused_gigabyte_leaves_the_disk_untouched(
    server: RunningService, keys: dict[str, str], key: str, status: int, expects: bool
) -> None:
    before = written(server)
    answer = upload(server.port, keys.get(key, ""), 10**9, expects=expects)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    time.sleep(0.2)
    assert written(server) - before < 100_000
    assert list((server.folder / "data" / "jobs").glob("*/upload")) == []


def hold(port: int, key: str) -> socket.socket:
    """An upload on its way: the server has let it in, and waits for its body."""
    head = (
        "POST /datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n"
        f"Content-Type: multipart/form-data; boundary=X\r\nAuthorization: Bearer {key}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(head.encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 100")
    connection.sendall(b"--X\r\n")
    return connection


def test_uploads_in_flight_are_bounded(server: RunningService, keys: dict[str, str]) -> None:
    held = [hold(server.port, keys["fit"])]
    assert upload(server.port, keys["fit"], 10**8, expects=True).startswith(b"HTTP/1.1 503")
    held.append(hold(server.port, keys["admin"]))  # the last place is for others
    assert upload(server.port, keys["slow"], 10**8, expects=True).startswith(b"HTTP/1.1 503")
    small = {"archive": ("a.zip", b"no zip")}
    assert call(server, "POST", "/datasets", keys["fit"], files=small, data={"name": "small"}).status_code == 422
    predicted = call(server, "POST", "/predict", keys["predict"], files={"files": ("a.png", picture())})
    assert predicted.status_code == 200  # small requests take no place
    for connection in held:
        connection.close()
    assert within(5, lambda: upload(server.port, keys["fit"], 10**8, expects=True).startswith(b"HTTP/1.1 100"))


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether something becomes true in that time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_revoked_key_ends_within_seconds(server: RunningService, keys: dict[str, str]) -> None:
    text = keys["revoked"]
    assert call(server, "GET", "/jobs", text).status_code == 200
    command(server, "keys", "revoke", text.split("_")[1])
    assert within(2 * FRESH_SECONDS, lambda: call(server, "GET", "/jobs", text).status_code == 401)


def test_a_keys_own_rate_and_its_images_a_day(server: RunningService, keys: dict[str, str]) -> None:
    slow, few = keys["slow"], keys["few"]
    statuses = [call(server, "GET", "/jobs", slow).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = call(server, "GET", "/models", slow)
    assert refused.json()["code"] == "limit.rate"
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    two = [("files", ("a.png", picture())), ("files", ("b.png", picture()))]
    answers = [call(server, "POST", path, few, files=two) for path in ("/predict", "/eda", "/predict")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "limit.images"
    assert 0 < int(answers[2].headers["retry-after"]) <= 86_400
    identity = few.split("_")[1]
    assert within(8, lambda: used_today(server, identity))


def used_today(server: RunningService, key_id: str) -> bool:
    """Whether the database knows that the key was used."""
    return any(key["id"] == key_id and key["last_used"] for key in command(server, "keys", "list"))


def test_guessing_from_one_address_is_slowed_down_and_nobody_is_locked_out(
    server: RunningService, keys: dict[str, str]
) -> None:
    guess = f"dfk_{'0' * 12}_{'x' * 43}"
    came_from = {"X-Forwarded-For": "203.0.113.50"}
    answers = [call(server, "GET", "/models", guess, headers=came_from) for _ in range(45)]
    assert [answer.status_code for answer in answers] == [401] * 40 + [429] * 5
    assert answers[-1].json()["code"] == "limit.wrong_keys"
    assert call(server, "GET", "/models", keys["predict"], headers=came_from).status_code == 200
    elsewhere = {"X-Forwarded-For": "203.0.113.50, 198.51.100.7"}  # its own claim stands before what the proxy wrote
    assert call(server, "GET", "/models", guess, headers=elsewhere).status_code == 401


def test_another_sites_pages_are_let_in_by_setting_only(server: RunningService, keys: dict[str, str]) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    browser = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    preflight = call(server, "OPTIONS", "/predict", headers={"Origin": ORIGIN, **asks, **browser})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in preflight.headers
    image = {"files": ("a.png", picture())}
    answer = call(server, "POST", "/predict", keys["predict"], files=image, headers={"Origin": ORIGIN, **browser})
    assert answer.status_code == 200
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (ORIGIN, "Origin")
    refused = call(server, "POST", "/predict", headers={"Origin": ORIGIN, **browser})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    for origin in ("https://evil.example", f"{ORIGIN}.evil.example", "http://photos.example", "null"):
        for key in ("", keys["predict"]):
            foreign = call(server, "POST", "/predict", key, files=image, headers={"Origin": origin, **browser})
            assert (foreign.status_code, foreign.json()["code"]) == (403, "security.cross_site")
            assert "access-control-allow-origin" not in foreign.headers
        assert call(server, "OPTIONS", "/predict", headers={"Origin": origin, **asks, **browser}).status_code == 403


def test_only_a_listed_model_is_imported(server: RunningService, keys: dict[str, str]) -> None:
    def send(content: bytes) -> requests.Response:
        return call(server, "POST", "/models", keys["admin"], files={"archive": ("model.zip", content)})

    other = send(ALLOWED + b"x")
    assert (other.status_code, other.json()["code"]) == (403, "security.model_not_allowed")
    assert call(server, "POST", "/models", keys["admin"], files={"files": b"x"}).status_code == 422
    taken = send(ALLOWED)
    assert (taken.status_code, taken.json()["id"], taken.json()["active"]) == (201, "allowed-1", False)
    assert send(ALLOWED).status_code == 409
    image = {"files": ("a.png", picture())}
    answers = [
        call(server, "POST", "/predict", keys["predict"], files=image, data={"model_id": model}).json()["predictions"]
        for model in ("allowed-1", "cifake-logreg")
    ]
    assert answers[0][0]["probability_fake"] == answers[1][0]["probability_fake"]
    assert call(server, "DELETE", "/models/allowed-1", keys["admin"]).status_code == 204


def test_changes_and_refusals_are_in_the_audit_log(server: RunningService, keys: dict[str, str]) -> None:
    command(server, "keys", "revoke", make_key(server, "fit").split("_")[1])
    chosen = call(server, "POST", "/set", keys["admin"], json={"model_id": "cifake-logreg"})
    assert chosen.status_code == 200
    call(server, "DELETE", "/models/cifake-logreg", keys["fit"])
    call(server, "POST", "/datasets", keys["fit"], files={"archive": ("secret-name.zip", b"x")}, data={"name": "n"})
    answer = call(server, "GET", "/audit?limit=1000", keys["admin"])
    entries = answer.json()["items"]
    mine = next(entry for entry in entries if entry["request_id"] == chosen.headers["x-request-id"])
    assert mine["key_id"] == keys["admin"].split("_")[1]
    described = (mine["action"], mine["target"], mine["status"], mine["address"])
    assert described == ("POST /set", "cifake-logreg", 200, "127.0.0.1")
    actions = {(entry["action"], entry["status"]) for entry in entries}
    assert ("POST /datasets", 422) in actions
    assert ("keys revoke", 200) in actions
    assert not any(action in ("POST /predict", "POST /eda") and status == 200 for action, status in actions)
    assert "secret-name" not in answer.text
    since = call(server, "GET", "/audit?since=2100-01-01", keys["admin"]).json()
    assert since == {"items": [], "total": 0, "limit": 50, "offset": 0}
    assert len(command(server, "audit", "--limit", "3")) == 3


def test_no_secret_is_in_the_log(server: RunningService, keys: dict[str, str]) -> None:
    """Last: the log of all requests above, at its most talkative, and of ones that fail."""
    for key in (*keys.values(), "dfk_000000000000_" + "s3cr3t" * 8):
        for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"Basic {key}"}, {"X-Api-Key": key}):
            call(server, "GET", f"/models/nothing?key={key}", headers=headers)
    text = server.log.read_text()
    assert "GET" in text
    assert not [key for key in keys.values() if key in text or key.split("_", 2)[2] in text]
    assert "s3cr3t" not in text
    assert DATABASE_PASSWORD not in text


def test_predictions_leave_nothing_on_the_disk(server: RunningService, keys: dict[str, str]) -> None:
    folders = [server.folder / "data", server.folder / "models"]

    def files() -> dict[str, int]:
        return {str(path): path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()}

    before = files()
    image = picture() + bytes(700_000)  # eight are more than stays in memory
    images = [("files", (f"{n}.png", image)) for n in range(8)]
    assert call(server, "POST", "/predict", keys["predict"], files=images).status_code == 200
    assert call(server, "POST", "/eda", keys["predict"], files=images).status_code == 200
    assert files() == before


def test_a_url_of_a_database_shows_no_password_when_it_fails(server: RunningService) -> None:
    broken = RunningService(server.folder / "broken")
    broken.environment["DATABASE_URL"] = f"postgresql+psycopg://user:{DATABASE_PASSWORD}@127.0.0.1:9/none"
    with pytest.raises(AssertionError, match="did not start"):
        broken.start()
    log = broken.log.read_text()
    assert DATABASE_PASSWORD not in log
    assert "database" in log.lower()
