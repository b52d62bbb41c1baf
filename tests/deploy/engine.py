"""A Docker engine of the test's own, and its command lines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

START_S = 60.0
_BRIDGE = Path("/sys/class/net/docker0")


class Skipped(Exception):
    """Why nothing can be tried on this machine."""


class Shell:
    """Runs commands with an environment of their own; what they print goes to a log file."""

    def __init__(self, environment: Mapping[str, str], log: IO[bytes]) -> None:
        self.environment = dict(environment)
        self.log = log

    def run(self, *command: str | Path, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> None:
        """Runs a command to its end; an AssertionError where it fails."""
        self._note(command)
        ran = subprocess.run(
            command, env=self.environment, stdin=stdin, stdout=stdout or self.log, stderr=self.log, check=False
        )
        assert ran.returncode == 0, f"{' '.join(map(str, command))} failed with {ran.returncode}: see the log"

    def read(self, *command: str | Path, check: bool = True) -> str:
        """What a command prints on standard output, without the ends; an AssertionError where it fails and `check`."""
        self._note(command)
        ran = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=self.log, check=False)
        self.log.write(ran.stdout)
        assert ran.returncode == 0 or not check, f"{' '.join(map(str, command))} failed with {ran.returncode}"
        return ran.stdout.decode(errors="replace").strip()

    def _note(self, command: Sequence[str | Path]) -> None:
        self.log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        self.log.flush()


@contextmanager
def _network_kept(shell: Shell) -> Iterator[None]:
    """Puts packet filter, forwarding and bridges back to what they were: an engine leaves them changed."""
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    before, forwarded, had_bridge = shell.read("iptables-save"), forwarding.read_text(), _BRIDGE.exists()
    for table, chain in (("filter", ":FORWARD ACCEPT [0:0]\n"), ("nat", "")):
        if f"*{table}" not in before:  # it was empty
            before += f"\n*{table}\n{chain}COMMIT\n"
    try:
        yield
    finally:
        subprocess.run(["iptables-restore"], input=before.encode() + b"\n", stderr=shell.log, check=False)
        forwarding.write_text(forwarded)
        if _BRIDGE.exists() and not had_bridge:
            shell.read("ip", "link", "delete", _BRIDGE.name, check=False)


@contextmanager
def running_engine(folder: Path, log: IO[bytes]) -> Iterator[Shell]:
    """A shell whose `docker` speaks to an engine that keeps everything in `folder` and ends with the block.

    Raises Skipped with the reason where no engine can be started.
    """
    if os.geteuid() != 0:
        raise Skipped("an engine of the test's own needs root")
    missing = [name for name in ("dockerd", "docker", "iptables", "debootstrap") if shutil.which(name) is None]
    if missing or compose_command() is None:
        raise Skipped(f"not installed: {', '.join(missing) or 'docker-compose'}")
    if Path("/var/run/docker.sock").exists():
        shell = Shell(os.environ, log)
        if shell.read("docker", "info", "--format", "{{.ServerVersion}}", check=False):
            raise Skipped("an engine runs here already, and the test would share its images: stop it first")
    with _network_kept(Shell(os.environ, log)):
        yield from _served(folder, log)


def _served(folder: Path, log: IO[bytes]) -> Iterator[Shell]:
    socket = folder / "docker.sock"
    log.flush()
    engine = subprocess.Popen(
        [
            *("dockerd", "--data-root", folder / "engine", "--exec-root", folder / "run", "--pidfile", folder / "pid"),
            *("--host", f"unix://{socket}", "--storage-driver", "overlay2", "--mtu", str(_mtu())),
        ],
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    shell = Shell({**os.environ, "DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "0"}, log)
    try:
        deadline = time.monotonic() + START_S
        while not (version := shell.read("docker", "version", "--format", "{{.Server.Version}}", check=False)):
            if engine.poll() is not None or time.monotonic() > deadline:
                raise Skipped("the Docker daemon does not start here: its messages stand in the log")
            time.sleep(0.5)
        print(f"engine {version}, {' '.join(compose_command() or ())}", flush=True)
        yield shell
    finally:
        engine.terminate()
        engine.wait(60)


def compose_command() -> tuple[str, ...] | None:
    """`docker compose` where that is installed, else `docker-compose`; None where neither is."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else None


def _mtu() -> int:
    """Bytes of the largest packet on the way to the internet: containers must not send larger ones."""
    route = subprocess.run(["ip", "route", "show", "default"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"dev (\S+)", route)
    return int(Path(f"/sys/class/net/{found[1]}/mtu").read_text()) if found else 1500
