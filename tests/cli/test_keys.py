"""`deepfake keys …` and `deepfake audit`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app


@pytest.fixture
def run(tmp_path: Path):
    """Runs a command on folders of its own: (exit status, output)."""
    environment = {"DEEPFAKE_DATA_DIR": str(tmp_path / "data"), "DEEPFAKE_MODELS_DIR": str(tmp_path / "models")}

    def run(*words: str) -> tuple[int, str]:
        ran = CliRunner().invoke(app, list(words), env=environment)
        return ran.exit_code, ran.output

    return run


def test_a_key_is_shown_once_and_listed_without_its_secret(run) -> None:
    _, made = run("keys", "create", "--name", "web", "--scope", "predict", "--rate", "9/minute", "--expires", "2")
    text = made.split()[0]
    assert text.startswith("dfk_")
    status, listed = run("keys", "list")
    assert status == 0
    assert text.split("_")[1] in listed
    assert text.split("_", 2)[2] not in listed + run("keys", "list", "--json")[1] + run("audit", "--json")[1]
    assert "until 20" in listed


def test_a_key_is_revoked_and_both_are_in_the_audit_log(run) -> None:
    key = json.loads(run("keys", "create", "--name", "me", "--scope", "admin", "--json")[1])
    assert json.loads(run("keys", "revoke", key["id"], "--json")[1])["valid"] is False
    assert "revoked" in run("keys", "list")[1]
    entries = json.loads(run("audit", "--json")[1])
    assert [(entry["action"], entry["target"], entry["key_name"]) for entry in entries] == [
        ("keys revoke", key["id"], "cli"),
        ("keys create", key["id"], "cli"),
    ]
    assert "keys revoke" in run("audit", "--since", "2026-01-01")[1]
    assert json.loads(run("audit", "--since", "2100-01-01", "--json")[1]) == []


def test_a_key_goes_into_a_file_that_others_cannot_read_and_is_made_once(run, tmp_path: Path) -> None:
    file = tmp_path / "key"
    make = ("keys", "create", "--name", "web", "--scope", "predict", "--to", str(file), "--if-missing")
    status, output = run(*make)
    text = file.read_text().strip()
    assert status == 0
    assert text not in output
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    run(*make)
    assert file.read_text().strip() == text
    run("keys", "revoke", text.split("_")[1])
    run(*make)
    assert file.read_text().strip() != text
    assert len(json.loads(run("keys", "list", "--json")[1])) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "--name", "x", "--scope", "root"),
        ("keys", "create", "--name", "x", "--scope", "fit", "--rate", "fast"),
        ("keys", "create", "--name", "x", "--scope", "fit", "--if-missing"),
        ("keys", "create", "--name", "x", "--scope", "fit", "--to", "/nowhere/at/all"),
        ("keys", "revoke", "nobody"),
        ("audit", "--since", "yesterday"),
    ],
)
def test_a_wrong_command_says_what_would_be_right(run, words: tuple[str, ...]) -> None:
    status, output = run(*words, "--json")
    assert status == 1
    assert json.loads(output)["error"]["message"]
