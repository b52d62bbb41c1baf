"""One compose project: brought up, asked, and taken down with all that it kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from frontend.client import Client
from tests.deploy.engine import Shell, compose_command
from tests.running import ROOT

PROJECT = "deepfake-deploy-test"
PATIENCE_S = 240.0
_AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
KEY_COUNTS_S = 3.0
"""A key that another process made counts after this time."""


class Composition:
    """`docker compose` on the committed file, as a user would call it, under a project name of its own."""

    def __init__(self, shell: Shell) -> None:
        command = compose_command()
        assert command is not None
        self._shell = shell
        files = ("--env-file", str(ROOT / ".env.example"), "--file", str(ROOT / "docker-compose.yml"))
        self._command = (*command, "--project-name", PROJECT, *files)

    def run(self, *arguments: str) -> None:
        """Runs a subcommand to its end."""
        self._shell.run(*self._command, *arguments)

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """What a command prints that runs in a service's container."""
        return self._shell.read(*self._command, "exec", "-T", service, *command, check=check)

    def once(self, service: str, *command: str) -> str:
        """What a command prints in a container of the service that is alone and goes with it."""
        return self._shell.read(*self._command, "run", "--rm", "-T", "--no-deps", service, *command)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers."""
        return self._shell.read(*self._command, "ps", "-q", service).split()

    def kill(self, container: str) -> None:
        """Ends a container at once, as a power cut would."""
        self._shell.run("docker", "kill", container)

    def inspect(self, container: str) -> dict[str, object]:
        """All that the engine knows of a container."""
        found: list[dict[str, object]] = json.loads(self._shell.read("docker", "inspect", container))
        return found[0]

    def read_authority(self, service: str, folder: Path) -> Path:
        """A file below `folder` with the certificate of Caddy's own authority, once it has made one."""
        deadline = time.monotonic() + PATIENCE_S
        while not (text := self.inside(service, "cat", _AUTHORITY, check=False)):
            assert time.monotonic() < deadline, "Caddy has made no certificate"
            time.sleep(0.5)
        file = folder / "authority.crt"
        file.write_text(text)
        return file

    def back_up(self, file: Path) -> None:
        """Writes a backup to `file` as docs/deployment.md says."""
        self.inside("backend", "deepfake", "backup", "/data/backup.tar")
        with file.open("wb") as target:
            self._shell.run(*self._command, "exec", "-T", "backend", "cat", "/data/backup.tar", stdout=target)
        self.inside("backend", "rm", "/data/backup.tar")

    def restore(self, file: Path) -> None:
        """Brings a backup back into a fresh installation as docs/deployment.md says."""
        alone = (*self._command, "run", "--rm", "-T", "--no-deps", "backend")
        self.run("stop", "backend")
        with file.open("rb") as source:
            self._shell.run(*alone, "sh", "-c", "cat > /data/backup.tar", stdin=source)
        self._shell.run(*alone, "deepfake", "restore", "/data/backup.tar")
        self._shell.run(*alone, "rm", "/data/backup.tar")
        self.run("start", "backend")

    def make_key(self, service: str, scope: str) -> str:
        """A new API key, as README.md says how to make one."""
        made = self.inside(service, "deepfake", "keys", "create", "--name", "test", "--scope", scope, "--json")
        time.sleep(KEY_COUNTS_S)
        return str(json.loads(made)["key"])


@contextmanager
def composed(shell: Shell) -> Iterator[Composition]:
    """The composition, not yet up; at the end it is taken down with its volumes, and its log is kept on a failure."""
    composition = Composition(shell)
    try:
        yield composition
    except BaseException:
        composition.run("--profile", "scale", "logs", "--no-color", "--tail", "200")
        raise
    finally:
        composition.run("--profile", "scale", "down", "--volumes", "--remove-orphans")


def wait_until_ready(url: str, key: str | None = None, verify: bool | str = True) -> Client:
    """A client of the service at `url` once that can predict."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            requests.get(f"{url}/ready", timeout=5, verify=verify).raise_for_status()
            return Client(url, key)
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
