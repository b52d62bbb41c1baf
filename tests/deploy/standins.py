"""Stand-ins, made of Debian's packages, for the images that compose would fetch from a registry of images.

The machine's own settings for packages (pip's and apt's, its certificates) go into them, so that the Dockerfiles need
none. Folders of packages on this machine are served to the builds over HTTP.
"""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.deploy.engine import Shell

IMAGES = {
    "PYTHON_IMAGE": "standin/python:3.11",
    "POSTGRES_IMAGE": "standin/postgres:15",
    "STORE_IMAGE": "standin/store:moto",
    "CADDY_IMAGE": "standin/caddy:2.6",
}
"""The variables of docker-compose.yml that choose images."""

_SYSTEM = "standin/debian:bookworm"
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_HERE = Path(__file__).parent


def make_base(shell: Shell, folder: Path, packages: PackageSettings) -> None:
    """Makes the stand-in for the Python image: Debian with Python 3.11, pip and this machine's settings."""
    root = folder / "root"
    include = "python3.11,python3-pip,python3-venv,ca-certificates"
    shell.run("debootstrap", "--variant=minbase", f"--include={include}", "bookworm", root, *packages.debian)
    archive = folder / "root.tar"
    shell.run("tar", "-C", root, "-cf", archive, ".")
    shell.run("docker", "import", archive, _SYSTEM)
    shutil.rmtree(root)
    archive.unlink()
    context = folder / "python"
    context.mkdir()
    shutil.copy(_BUNDLE, context / "ca-certificates.crt")
    (context / "pip.conf").write_text(packages.pip_conf)
    (context / "apt.conf").write_text(packages.apt_conf)
    (context / "Dockerfile").write_text(
        f"FROM {_SYSTEM}\n"
        f"COPY ca-certificates.crt {_BUNDLE}\n"
        "COPY pip.conf /etc/pip.conf\n"
        "COPY apt.conf /etc/apt/apt.conf.d/99machine\n"
        "RUN ln -s /usr/bin/python3.11 /usr/local/bin/python\n"
    )
    shell.run("docker", "build", "--tag", IMAGES["PYTHON_IMAGE"], context)


def make_others(shell: Shell) -> None:
    """Makes the stand-ins for PostgreSQL, the object store and Caddy; they take the same command lines."""
    for variable in ("POSTGRES_IMAGE", "STORE_IMAGE", "CADDY_IMAGE"):
        name = variable.removesuffix("_IMAGE").lower()
        dockerfile = _HERE / f"{name}.Dockerfile"
        base = f"BASE={IMAGES['PYTHON_IMAGE']}"
        shell.run("docker", "build", "--tag", IMAGES[variable], "--build-arg", base, "--file", dockerfile, _HERE)


class PackageSettings:
    """This machine's settings for pip and apt, with local folders replaced by addresses at `host`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.folders: list[Path] = []
        self.port = 0
        self._pip = _pip_settings()
        self.debian = _debian_mirror()
        self.apt_conf = subprocess.run(
            ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True
        ).stdout

    @property
    def pip_conf(self) -> str:
        """pip's configuration file for inside a container."""
        names = [name for name in ("index-url", "extra-index-url", "find-links", "proxy") if name in self._pip]
        addresses = {name: " ".join(map(self._address, self._pip[name].split())) for name in names}
        own = {"cert": _BUNDLE, "timeout": 180, "trusted-host": self._host}
        return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in {**own, **addresses}.items())

    def _address(self, value: str) -> str:
        path = Path(value.removeprefix("file://"))
        if not path.is_absolute():
            return value
        # Indexes name their files relative to themselves, so the folder above is served.
        root = path if value == str(path) else path.parent
        if root not in self.folders:
            self.folders.append(root)
        below = path.relative_to(root)
        return f"http://{self._host}:{self.port}/{self.folders.index(root)}/{below}/".replace("/./", "/")


@contextmanager
def served_packages(shell: Shell) -> Iterator[PackageSettings]:
    """The machine's package settings, its local folders being served on the engine's bridge meanwhile."""
    host = shell.read("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    if not host:  # older engines leave it out
        subnet = shell.read("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
        host = re.sub(r"\.0/\d+$", ".1", subnet)
    settings = PackageSettings(host)
    server = ThreadingHTTPServer((host, 0), functools.partial(_Handler, settings))
    settings.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield settings
    finally:
        server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    """Serves the files below the settings' folders as /<number of the folder>/<path>."""

    def __init__(self, settings: PackageSettings, *args: object) -> None:
        self._settings = settings
        super().__init__(*args)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """The file of an address; one that does not exist for an address outside."""
        number, _, rest = path.lstrip("/").partition("/")
        folders = self._settings.folders
        if not number.isdigit() or int(number) >= len(folders):
            return "/nonexistent"
        self.directory = str(folders[int(number)])
        return super().translate_path(f"/{rest}")

    def log_message(self, *args: object) -> None:
        """Nothing."""


def _pip_settings() -> dict[str, str]:
    """pip's settings by name without their section; those of the environment win."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        key = re.sub(r"^(:env:|global|install)\.", "", name)
        if key not in found or name.startswith(":env:"):
            found[key] = str(ast.literal_eval(value))
    return found


def _debian_mirror() -> list[str]:
    """The address of Debian's main archive that apt uses here; none where debootstrap's own has to do."""
    uris = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return [uri for uri in uris if uri.rstrip("/").endswith("/debian")][:1]
