"""The engine with a scheduler that somebody else runs, over TLS with given certificates."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from backend.service.engine import Engine
from backend.settings import load_settings
from tests.service import engine_work as work

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    from distributed import Security

    folder = tmp_path_factory.mktemp("certificates")
    security = Security.temporary()
    (folder / "cert.pem").write_text(security.tls_client_cert)
    (folder / "key.pem").write_text(security.tls_client_key)
    return {"tls_ca": folder / "cert.pem", "tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}


class Cluster:
    """A scheduler and one worker as separate programs."""

    def __init__(self, certificates):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tls://127.0.0.1:{free.getsockname()[1]}"
        self._tls = [f"--{option.replace('_', '-')}" for option in ("tls_ca_file", "tls_cert", "tls_key")]
        self._tls = [text for pair in zip(self._tls, map(str, certificates.values()), strict=True) for text in pair]
        self._processes = []

    def start(self):
        port = self.address.rpartition(":")[2]
        where = ["--host", "127.0.0.1", "--protocol", "tls"]
        self._run("dask_scheduler", *where, "--port", port, "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        self._run("dask_worker", self.address, *where, "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def kill(self):
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def _run(self, program, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, *self._tls]
        self._processes.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))


def test_work_survives_the_death_of_the_scheduler(certificates, tmp_path):
    with ExitStack() as stack:
        cluster = Cluster(certificates)
        stack.callback(cluster.kill)
        cluster.start()
        engine = Engine(load_settings(data_dir=tmp_path, dask_scheduler_address=cluster.address, **certificates))
        stack.callback(engine.close)
        results = {}

        def take(index, result):
            assert index not in results
            results[index] = result
            if len(results) == 5:
                cluster.kill()
                time.sleep(0.5)
                cluster.start()

        engine.map(work.slow_double, range(15), on_result=take)
        assert results == {x: 2 * x for x in range(15)}
        assert engine.call(work.describe)["nice"] == 10
    assert engine.state == "stopped"
