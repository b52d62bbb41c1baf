"""A service on loopback asks for no key, and yet notices a wrong one and writes down what is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import ConfigError
from backend.settings import load_settings
from tests.api.protected import call
from tests.running import RunningService


def test_nothing_asks_for_a_key(running: RunningService) -> None:
    answer = call(running, "GET", "/jobs")
    assert answer.status_code == 200
    assert "ratelimit-limit" not in answer.headers


def test_a_wrong_key_is_noticed(running: RunningService) -> None:
    answer = call(running, "GET", "/jobs", f"dfk_{'0' * 12}_{'x' * 43}")
    assert (answer.status_code, answer.json()["code"]) == (401, "security.key_invalid")


def test_changes_are_in_the_audit_log(running: RunningService) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9"}  # no proxy was named
    deleted = call(running, "DELETE", "/models/nobody-knows-it", headers=forged)
    assert deleted.status_code == 404
    entry = call(running, "GET", "/audit?limit=1").json()["items"][0]
    assert entry == {
        "at": entry["at"],
        "key_id": "",
        "key_name": "local",
        "action": "DELETE /models/{model_id}",
        "target": "nobody-knows-it",
        "status": 404,
        "request_id": deleted.headers["x-request-id"],
        "address": "127.0.0.1",
        "count": 1,
    }


def test_no_model_is_imported_without_a_list(running: RunningService) -> None:
    answer = call(running, "POST", "/models", files={"archive": b"x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "security.model_not_allowed")


@pytest.mark.parametrize(
    ("given", "required"),
    [
        ({}, False),
        ({"host": "::1", "allowed_hosts": "localhost,[::1]"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "192.0.2.7"}, True),
        ({"allowed_hosts": "localhost,photos.example"}, True),  # behind a proxy on this machine
        ({"allowed_hosts": "*"}, True),
        ({"host": "0.0.0.0", "require_keys": "never"}, False),
        ({"require_keys": "always"}, True),
    ],
)
def test_keys_are_required_beyond_loopback(given: dict[str, str], required: bool) -> None:
    assert load_settings(**given).keys_are_required is required


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_predict": "fast"},
        {"rate_write": "0/second"},
        {"trusted_proxies": "proxy.example"},
        {"cors_origins": "*"},
        {"cors_origins": "https://photos.example/"},
        {"cors_origins": "photos.example"},
        {"allowed_models": "abc"},
        {"require_keys": "sometimes"},
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, str], tmp_path: Path) -> None:
    name = next(iter(wrong))
    with pytest.raises(ConfigError, match=f"DEEPFAKE_{name.upper()}"):
        load_settings(data_dir=tmp_path, **wrong)
