"""`deepfake cluster …`: certificates that hold, and a scheduler and workers that outlive each other."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from distributed import Client
from typer.testing import CliRunner

from backend.cli import app
from backend.core.errors import ConfigError
from backend.service.certificates import FILES, make_certificates
from backend.service.cluster import given_security
from backend.service.nodes import run_scheduler
from backend.settings import Settings, load_settings
from tests.running import ROOT, free_port

CLUSTER = [sys.executable, "-m", "backend.cli", "cluster"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates."""
    made = tmp_path_factory.mktemp("cluster") / "certificates"
    make_certificates(made)
    return made


def settings_with(folder: Path | None, address: str = "") -> Settings:
    """Settings of a process of the cluster, with certificates or without."""
    names = ("tls_ca", "tls_cert", "tls_key")
    given = {} if folder is None else {name: folder / file for name, file in zip(names, FILES, strict=True)}
    return load_settings(dask_scheduler_address=address, **given)


@contextmanager
def cluster_process(*arguments: str, log: Path, folder: Path | None, address: str = "") -> Iterator[subprocess.Popen]:
    """A running `deepfake cluster …`; ended by SIGTERM at the end if it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEEPFAKE_")}
    settings = settings_with(folder, address)
    named = {
        "DEEPFAKE_TLS_CA": settings.tls_ca,
        "DEEPFAKE_TLS_CERT": settings.tls_cert,
        "DEEPFAKE_TLS_KEY": settings.tls_key,
    }
    environment |= {name: str(path) for name, path in named.items() if path} | {"DASK_SCHEDULER_ADDRESS": address}
    with log.open("ab") as output:
        process = subprocess.Popen([*CLUSTER, *arguments], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def pid_of_worker() -> int:
    return os.getpid()


def is_let_in(port: int, authority: Path) -> bool:
    """Whether the scheduler talks to somebody who knows the authority but has no certificate of it."""
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as raw,
            context.wrap_socket(raw) as connection,
        ):
            return connection.recv(1) != b""  # TLS 1.3 tells of the missing certificate at the first reading
    except OSError:
        return False


def test_certificates_are_private_signed_by_their_authority_and_never_overwritten(tmp_path: Path) -> None:
    run = CliRunner()
    target = tmp_path / "new"
    first = run.invoke(app, ["cluster", "certificates", str(target)])
    assert first.exit_code == 0, first.output
    assert f"DEEPFAKE_TLS_KEY={target / 'key.pem'}" in first.output
    assert sorted(path.name for path in target.iterdir()) == sorted(FILES)
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    authority, certificate = (x509.load_pem_x509_certificate((target / name).read_bytes()) for name in FILES[:2])
    certificate.verify_directly_issued_by(authority)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    again = run.invoke(app, ["cluster", "certificates", str(target)])
    assert again.exit_code == 1
    assert "exists" in again.output
    assert run.invoke(app, ["cluster", "certificates", str(target), "--if-missing"]).exit_code == 0
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    (target / "key.pem").unlink()  # half a set is no set
    assert run.invoke(app, ["cluster", "certificates", str(target), "--if-missing"]).exit_code == 1


def test_beyond_loopback_a_scheduler_without_certificates_is_refused() -> None:
    ran = CliRunner().invoke(app, ["cluster", "scheduler", "--host", "0.0.0.0"], env={"DEEPFAKE_TLS_CA": ""})
    assert ran.exit_code == 1
    assert "whoever reaches it" in ran.output
    assert "deepfake cluster certificates" in ran.output


@pytest.mark.parametrize("host", ["10.1.2.3", "scheduler", "::"])
def test_every_address_but_loopback_counts_as_beyond(host: str) -> None:
    with pytest.raises(ConfigError):
        run_scheduler(settings_with(None), host, 8786, print)


def test_workers_need_a_scheduler_and_beyond_loopback_certificates() -> None:
    run = CliRunner()
    without = run.invoke(app, ["cluster", "worker"], env={"DASK_SCHEDULER_ADDRESS": ""})
    assert without.exit_code == 1
    assert "DASK_SCHEDULER_ADDRESS" in without.output
    for address in ("tcp://10.1.2.3:8786", "tls://10.1.2.3:8786"):
        refused = run.invoke(app, ["cluster", "worker"], env={"DASK_SCHEDULER_ADDRESS": address, "DEEPFAKE_TLS_CA": ""})
        assert refused.exit_code == 1, address
        assert "tls" in refused.output.lower()


def test_workers_come_back_when_they_or_the_scheduler_are_killed_and_sigterm_ends_all(
    folder: Path, tmp_path: Path
) -> None:
    address = f"tls://127.0.0.1:{(port := free_port())}"
    settings = settings_with(folder, address)
    scheduler_command = ("scheduler", "--host", "0.0.0.0", "--port", str(port))
    logs = {name: tmp_path / f"{name}.log" for name in ("scheduler", "worker")}

    def worker_pid() -> int:
        with Client(address, security=given_security(settings), set_as_default=False, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            return int(client.submit(pid_of_worker, pure=False).result(60))

    with ExitStack() as stack:
        command = ("worker", "--workers", "1", "--memory", "1GiB")
        worker = stack.enter_context(cluster_process(*command, log=logs["worker"], folder=folder, address=address))
        scheduler = stack.enter_context(cluster_process(*scheduler_command, log=logs["scheduler"], folder=folder))
        first = worker_pid()
        assert psutil.Process(first).ppid() == worker.pid

        os.kill(first, signal.SIGKILL)
        wait_for(lambda: worker_pid() != first, "a killed worker process is not replaced")

        scheduler.kill()
        scheduler.wait()
        scheduler = stack.enter_context(cluster_process(*scheduler_command, log=logs["scheduler"], folder=folder))
        last = worker_pid()

        listening = {
            (connection.laddr.ip, connection.laddr.port)
            for pid in (scheduler.pid, worker.pid, last)
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert {ip for ip, open_port in listening if open_port != port} == {"127.0.0.1"}
        stranger = tmp_path / "stranger"
        make_certificates(stranger)
        with pytest.raises(OSError, match=r"(?i)certificate|closed|alert|handshake|timed out"):
            Client(address, security=given_security(settings_with(stranger, address)), timeout=1)
        assert not is_let_in(port, folder / "ca.pem")

        for process in (worker, scheduler):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in (worker, scheduler)] == [0, 0]
        assert not psutil.pid_exists(last)
