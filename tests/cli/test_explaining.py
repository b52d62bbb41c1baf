"""`deepfake predict` with what it says beside the verdict, by the detector that the project ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from backend.cli import app
from tests.pictures import fake, photo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures, and settings that know the shipped models alone."""
    (tmp_path / "a.png").write_bytes(photo(1))
    (tmp_path / "b.png").write_bytes(fake(2))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPFAKE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DEEPFAKE_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path


def test_heat_maps_are_written_and_changes_are_counted(folder: Path) -> None:
    asked = ["predict", "a.png", "b.png", "--model", "cifake-logreg", "--explain", "maps", "--stability"]
    ran = CliRunner().invoke(app, asked)
    assert ran.exit_code == 0, ran.output
    head, *rows = ran.stdout.splitlines()
    assert "flips" in head
    assert all(" of 8" in row for row in rows[-2:])
    assert sorted(path.name for path in (folder / "maps").iterdir()) == ["0000-a.png", "0001-b.png"]
    with Image.open(folder / "maps" / "0000-a.png") as heatmap:
        assert (heatmap.size, heatmap.mode) == ((48, 48), "RGBA")
        assert np.asarray(heatmap)[..., 3].max() == 255


def test_without_asking_there_is_nothing_of_it(folder: Path) -> None:
    ran = CliRunner().invoke(app, ["predict", "a.png", "--model", "cifake-logreg", "--json"])
    [prediction] = json.loads(ran.stdout)["predictions"]
    assert (prediction["explanation"], prediction["stability"]) == (None, None)
    assert "flips" not in CliRunner().invoke(app, ["predict", "a.png"]).stdout
