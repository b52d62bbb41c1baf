"""`deepfake fingerprints …`: from a folder of images to an attribution, in this process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.service import app as service
from tests.running import ROOT
from tests.service.working_here import EngineHere
from tests.traced import traced_png, traced_zip, write_traced


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with its own data; jobs run in this process."""
    shutil.copytree(ROOT / "models" / "backbones", tmp_path / "models" / "backbones")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPFAKE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DEEPFAKE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("DEEPFAKE_SHIPPED_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(service, "Engine", lambda settings: EngineHere())
    return tmp_path


def run(*arguments: str, status: int = 0) -> Any:
    """What a command printed with --json."""
    ran = CliRunner().invoke(app, ["fingerprints", *arguments, "--json"])
    assert ran.exit_code == status, ran.output
    return json.loads(ran.stdout)


def test_from_images_to_an_attribution(folder: Path) -> None:
    write_traced(folder / "waves", "waves", 20)
    (folder / "dots.zip").write_bytes(traced_zip("dots", 20))
    waves = run("add", "waves", "--generator", "waves")
    dots = run("add", "dots.zip", "--generator", "dots", "--name", "of dots")
    assert (waves["count"], waves["label"]) == (20, "FAKE")
    assert (dots["dataset"]["name"], dots["others"]["count"]) == ("of dots", 20)
    again = run("add", "--dataset", "of dots", "--generator", "points")
    assert again["indistinguishable"][0]["shared_images"] == 20
    assert [one["generator"] for one in run("list")] == ["points", "dots", "waves"]
    compared = run("compare")
    assert [{pair["first"], pair["second"]} for pair in compared["indistinguishable"]] == [{"dots", "points"}]
    assert run("delete", again["id"]) == {"deleted": again["id"]}
    for number in range(4):
        (folder / f"asked-{number}.png").write_bytes(traced_png("waves", 100 + number))
    (folder / "asked-text.png").write_text("no image")
    found = run("attribute", "asked-*.png", "--batch")
    assert found["attributions"][0]["matches"][0]["generator"] == "waves"
    assert found["attributions"][0]["files"] == [f"asked-{number}.png" for number in range(4)]
    assert [error["code"] for error in found["errors"]] == ["image.not_an_image"]
    shown = CliRunner().invoke(app, ["fingerprints", "attribute", "asked-0.png", "asked-text.png"])
    assert "best match" in shown.stdout
    assert "Fewer than three sources" in shown.stdout
    assert "asked-text.png" in shown.stderr
    for command in (["list"], ["compare"]):
        assert "waves" in CliRunner().invoke(app, ["fingerprints", *command]).stdout
    assert run("attribute", "asked-text.png", status=1)["attributions"] == []


def test_what_is_wrong_is_said(folder: Path) -> None:
    (folder / "few.zip").write_bytes(traced_zip("few", 3))
    assert run("add", "few.zip", "--generator", "few", status=1)["error"]["code"] == "dataset.too_few_images"
    assert run("add", "few.zip", "--generator", "few", status=1)["error"]["code"] == "conflict"
    assert run("add", "--generator", "few", status=1)["error"]["code"] == "invalid_input"
    assert run("add", "few.zip", "--generator", "x", "--label", "MAYBE", status=1)["error"]["code"] == "invalid_input"
    assert run("attribute", "few.zip", status=1)["error"]["code"] == "not_found"
    assert run("compare", status=1)["error"]["code"] == "not_found"
    assert run("delete", "nothing", status=1)["error"]["code"] == "not_found"
