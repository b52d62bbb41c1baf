"""What exists is documented, and what the documents show works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import typer
from PIL import Image

from backend.api.main import create_app
from backend.cli import app
from backend.core.extractors import EXTRACTORS
from backend.core.heads import HEADS
from backend.settings import Settings, describe_settings
from benchmarks.documents import TABLES, fill
from tests.running import ROOT, RunningService
from tests.traced import traced_png, traced_zip

README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def commands_of(group: typer.core.TyperGroup, name: str) -> Iterator[str]:
    """The full names of a group's commands, and of those that do something themselves."""
    for sub_name, command in group.commands.items():
        full = f"{name} {sub_name}"
        if not isinstance(command, typer.core.TyperGroup) or command.invoke_without_command:
            yield full
        if isinstance(command, typer.core.TyperGroup):
            yield from commands_of(command, full)


def test_every_setting_stands_in_the_readme() -> None:
    expected = [
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else ''} | {row.meaning} |"
        for row in describe_settings()
    ]
    table = README.split("| variable | default | meaning |\n| --- | --- | --- |\n")[1].split("\n\n")[0].splitlines()
    assert table == expected, "\n".join(["The table should be:", *expected])


def test_every_route_stands_in_the_readme(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models")
    paths = create_app(settings).openapi()["paths"]
    routes = {f"`{method.upper()} {path}`" for path, methods in paths.items() for method in methods}
    assert not {route for route in routes if route not in README}
    assert set(re.findall(r"`(?:GET|POST|PATCH|PUT|DELETE) /[^`]*`", README)) <= routes


def test_every_command_stands_in_the_readme() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    commands = set(commands_of(group, "deepfake"))
    assert "deepfake datasets import" in commands
    assert not {command for command in commands if f"`{command}`" not in README}


@pytest.mark.parametrize(("title", "names"), [("Extractors", set(EXTRACTORS)), ("Heads", set(HEADS))])
def test_every_extractor_and_head_stands_in_its_table(title: str, names: set[str]) -> None:
    section = README.split(f"### {title}\n")[1].split("\n#")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE)) == names


def test_every_relative_link_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def blocks(document: str, language: str) -> str:
    """All code blocks of one language, as one script."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", document, flags=re.MULTILINE | re.DOTALL))


def run_blocks(document: str, service: RunningService, folder: Path) -> None:
    """Runs a document's bash blocks, then its Python blocks, as a reader would with the service at $API."""
    (folder / ".curlrc").write_text("fail-with-body\n")  # the documents leave that out for brevity
    binaries = str(Path(sys.executable).parent)
    environment = {
        **service.environment,
        "API": service.url,
        "CURL_HOME": str(folder),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    scripts = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    for language, interpreter in scripts.items():
        script = blocks(document, language)
        assert script
        ran = subprocess.run(
            [*interpreter, script], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"


@pytest.mark.timeout(900)
def test_the_tutorial_leads_to_a_detector_of_ones_own(running: RunningService, tmp_path: Path) -> None:
    run_blocks(TUTORIAL, running, tmp_path)
    names = {card["name"]: card for card in requests.get(f"{running.url}/models", timeout=30).json()["items"]}
    assert {"my first detector", "my second detector", "my own detector", "spectrum"} <= set(names)
    assert names["my first detector"]["active"]
    assert names["my first detector"]["id"] == json.loads((tmp_path / "card.json").read_text())["id"]
    assert names["my first detector"]["accuracy"]["test"] > 0.8
    datasets = {item["name"] for item in requests.get(f"{running.url}/datasets", timeout=30).json()["items"]}
    assert {"demonstration", "my own images", "from Python"} <= datasets


def test_the_readmes_examples_work(fitted: RunningService, tmp_path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "photo.jpg")
    (tmp_path / "began.zip").write_bytes(traced_zip("began", 16))
    for number, name in enumerate(("one", "another")):
        (tmp_path / f"{name}.png").write_bytes(traced_png("began", 100 + number))
    run_blocks(README, fitted, tmp_path)
    [enrolled] = requests.get(f"{fitted.url}/fingerprints?q=began", timeout=30).json()["items"]
    requests.delete(f"{fitted.url}/fingerprints/{enrolled['id']}", timeout=30)
    requests.delete(f"{fitted.url}/datasets/{enrolled['dataset']['id']}", timeout=30)


@pytest.mark.parametrize("name", TABLES)
def test_the_figures_are_those_of_the_results(name: str) -> None:
    assert fill(name) == (ROOT / name).read_text(encoding="utf-8"), "python -m benchmarks.documents writes them"
