"""`make test-deploy`: both images built and the compose file brought up with a real engine, and used.

As root on Debian with the packages docker.io, docker-compose, iptables and debootstrap; says "skipped" elsewhere.
An argument is the file for everything that the commands print; by default build/test-deploy.log.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.deploy.composition import Composition, composed, wait_until_ready
from tests.deploy.engine import Shell, Skipped, running_engine
from tests.deploy.job import check_protection, do_main_job, find_again, look_at_web_app
from tests.deploy.scale import try_scale
from tests.deploy.standins import IMAGES, make_base, make_others, served_packages
from tests.running import ROOT, free_port

PORTS = ("PORT", "WEB_PORT", "HTTPS_PORT", "API_HTTPS_PORT")


def main() -> int:
    """Zero where everything worked or nothing can be tried here."""
    log_path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "test-deploy.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whoever ends it leaves no engine behind
    began = time.monotonic()
    with log_path.open("wb") as log, tempfile.TemporaryDirectory(prefix="test-deploy-") as name:
        folder = Path(name)
        try:
            with running_engine(folder, log) as shell:
                try_everything(shell, folder)
        except Skipped as reason:
            print(f"skipped: {reason}")
            return 0
        except BaseException:
            print(f"FAILED; what the commands printed stands in {log_path}")
            raise
    print(f"test-deploy: everything worked, {time.monotonic() - began:.0f} s")
    return 0


def try_everything(shell: Shell, folder: Path) -> None:
    """Builds, starts, uses, restarts, scales and removes; an AssertionError where something does not work."""
    shell.environment |= {**IMAGES, "TORCH_INDEX_URL": ""} | {name: str(free_port()) for name in PORTS}
    shell.environment |= {name: os.urandom(16).hex() for name in ("POSTGRES_PASSWORD", "STORE_SECRET")}
    composition = Composition(shell)
    with served_packages(shell) as packages:
        with step("stand-in for the Python image"):
            make_base(shell, folder, packages)
        with step("Dockerfile.backend"):
            composition.run("build", "backend")
        with step("Dockerfile.frontend"):
            composition.run("build", "frontend")
        with step("stand-ins for PostgreSQL, the object store and Caddy"):
            make_others(shell)
    for name in ("backend", "frontend"):
        size = int(shell.read("docker", "image", "inspect", f"deepfake-{name}", "--format", "{{.Size}}"))
        base = int(shell.read("docker", "image", "inspect", IMAGES["PYTHON_IMAGE"], "--format", "{{.Size}}"))
        print(
            f"  deepfake-{name}: {size / 1e6:,.0f} MB, {(size - base) / 1e6:,.0f} MB of it above the base", flush=True
        )
    with composed(shell) as composition:
        try_one_machine(composition, shell.environment, folder)
    with composed(shell) as composition:
        try_scale(composition, shell.environment, folder, step)


def try_one_machine(composition: Composition, environment: dict[str, str], folder: Path) -> None:
    """`docker compose up` as README.md shows it."""
    url, web_url = (f"http://127.0.0.1:{environment[name]}" for name in ("PORT", "WEB_PORT"))
    with step("up, until both are healthy and the service can predict"):
        composition.run("up", "--detach")
        wait_until_ready(url)
    with step("hardening"):
        check_hardening(composition)
    with step("keys"):
        check_protection(url, composition.inside("frontend", "cat", "/keys/web"))
        key = composition.make_key("backend", "admin")
    with step("import, fit, set, predict"):
        outcome = do_main_job(wait_until_ready(url, key))
    with step("web app"):
        print(f"  seen by {look_at_web_app(web_url)}", flush=True)
    with step("Telegram bot: without a token it says what to do"):
        said = composition.once("bot", "sh", "-c", "python -m frontend.telegram_bot 2>&1; echo status $?")
        assert "@BotFather" in said
        assert said.endswith("status 2")
    with step("backend killed (-9): it comes back by itself"):
        composition.inside(
            "backend", "python", "-c", "import os; os.kill(-1, 9)", check=False
        )  # all but init and itself
        time.sleep(1)
        find_again(wait_until_ready(url, key), outcome)
    with step("down and up: everything is found again"):
        composition.run("down")
        composition.run("up", "--detach")
        find_again(wait_until_ready(url, key), outcome)
        check_protection(url, composition.inside("frontend", "cat", "/keys/web"))
    with step("HTTPS: profile tls"):
        composition.run("--profile", "tls", "up", "--detach")
        authority = composition.read_authority("proxy", folder)
        for name, path in (("HTTPS_PORT", "_stcore/health"), ("API_HTTPS_PORT", "ready")):
            address = f"https://localhost:{environment[name]}/{path}"
            requests.get(address, verify=str(authority), timeout=30).raise_for_status()
    with step("backup, all volumes removed, restored: everything is found again"):
        backup = folder / "backup.tar"
        composition.back_up(backup)
        composition.run("--profile", "tls", "down", "--volumes")
        composition.run("up", "--detach")
        composition.restore(backup)
        find_again(wait_until_ready(url, key), outcome)


def check_hardening(composition: Composition) -> None:
    """Asserts what docs/deployment.md says of both containers."""
    for service in ("backend", "frontend"):
        (container,) = composition.containers(service)
        host = composition.inspect(container)["HostConfig"]
        assert isinstance(host, dict)
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert host["PidsLimit"] > 0
        assert host["Memory"] > 0
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert {entry["HostIp"] for entries in host["PortBindings"].values() for entry in entries} == {"127.0.0.1"}
        assert composition.inside(service, "id", "-u") == "10001"
        write = "import pathlib; pathlib.Path('/app/written').touch()"
        assert not composition.inside(service, "sh", "-c", f'python -c "{write}" && echo written', check=False)
    found = "import importlib.util; print(importlib.util.find_spec('torch'))"
    assert composition.inside("frontend", "python", "-c", found) == "None"


@contextmanager
def step(name: str) -> Iterator[None]:
    """Says what was done and how long it took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
