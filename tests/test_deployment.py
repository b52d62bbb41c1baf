"""The files of deployments, as far as they can be checked without an engine; `make test-deploy` runs them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from frontend.client import Client
from tests.running import ROOT

DOCKERFILES = ("Dockerfile.backend", "Dockerfile.frontend")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*arguments: str) -> list[Requirement]:
    """What an image installs."""
    printed = subprocess.run(
        [sys.executable, "deploy/requirements.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [Requirement(line) for line in printed.splitlines()]


def pins() -> dict[str, str]:
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say_and_no_rule_is_ignored(name: str) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    ran = subprocess.run(
        [hadolint, "--failure-threshold", "style", ROOT / name], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert "hadolint ignore" not in (ROOT / name).read_text()
    assert not (ROOT / ".hadolint.yaml").exists()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_classic_builder_can_read_the_dockerfiles(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.findall(r"^\s*(?:# syntax=|RUN --|COPY --(?!from=)|.*<<)", text, flags=re.MULTILINE)
    assert re.search(r"^USER 10001:10001$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_is_hardened(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert service["restart"] in ("unless-stopped", "no")
    assert "privileged" not in service
    for port in service.get("ports", []):
        assert re.match(r"\$\{(TLS_)?BIND:-127\.0\.0\.1\}:", port), port


def test_what_users_reach_sees_neither_the_database_nor_the_store_nor_the_cluster() -> None:
    networks = {name: service.get("networks", ["default"]) for name, service in COMPOSE["services"].items()}
    assert {name for name, joined in networks.items() if joined == ["inside"]} == {
        *("postgres", "store", "scheduler", "worker", "bucket", "scale-setup")
    }
    assert {name for name, joined in networks.items() if len(joined) > 1} == {"replica"}


def test_images_of_others_are_pinned_and_no_secret_stands_in_the_file() -> None:
    for service in COMPOSE["services"].values():
        if "build" not in service:
            assert re.search(r":-[a-z/]+:\d[\w.-]*\}$", service["image"]), service["image"]
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN", variable):
                assert re.fullmatch(r"\$\{\w+:-\}", value), variable


def test_every_variable_of_the_compose_file_stands_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = set(re.findall(r"^#(\w+)=", example, flags=re.MULTILINE))
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used - shown == {"CADDY_IMAGE", "POSTGRES_IMAGE", "STORE_IMAGE"}
    assert shown <= used
    assert not re.findall(r"^\w", example, flags=re.MULTILINE), "the example sets nothing by itself"


def test_the_pins_are_versions_that_pyproject_allows() -> None:
    held = pins()
    for requirement in requirements("dependencies", "cluster", "web", "bot"):
        version = held[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} but {version} in deploy/constraints.txt: make pins"


def test_the_web_apps_requirements_are_the_projects_own_and_hold_no_science() -> None:
    whole = {str(requirement) for requirement in requirements("dependencies")}
    web = {str(requirement) for requirement in requirements("web")}
    assert web <= whole
    assert not {"torch", "onnxruntime", "scikit-learn", "sqlalchemy"} & {Requirement(line).name for line in web}
    assert "streamlit" not in {item.name for item in requirements("dependencies", "--without", "streamlit")}


def test_the_web_apps_packages_are_those_it_imports() -> None:
    """A new import of the web app or the bot needs a row of its extra, or their image would miss the package."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "frontend").rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", sources, flags=re.MULTILINE))
    distributions = {"PIL": "pillow", "pillow_heif": "pillow-heif", "telegram": "python-telegram-bot"}
    others = {distributions.get(name, name) for name in imported - set(sys.stdlib_module_names) - {"frontend"}}
    come_with_streamlit = {"altair", "pandas"}
    extras = PROJECT["optional-dependencies"]
    assert others - come_with_streamlit == {Requirement(line).name for line in extras["web"] + extras["bot"]}


def test_the_web_app_reads_its_key_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "web"
    monkeypatch.delenv("DEEPFAKE_API_KEY", raising=False)
    monkeypatch.setenv("DEEPFAKE_API_KEY_FILE", str(file))
    assert Client().api_key is None, "no file yet: the service will say that it wants a key"
    file.write_text("from the file\n")
    assert Client().api_key == "from the file"
    assert Client(api_key="typed").api_key == "typed"
    monkeypatch.setenv("DEEPFAKE_API_KEY", "from the environment")
    assert Client().api_key == "from the environment"
