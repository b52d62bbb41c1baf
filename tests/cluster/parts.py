"""The parts of an installation past one machine, each a process of its own on free ports of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.running import ROOT, RunningService, free_port

BUCKET = "deepfake"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "only-in-tests", "AWS_REGION": "us-east-1"}


class Part:
    """One process that is started, killed and started again."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.port = free_port()
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, command: list[str], is_ready: Callable[[], bool], seconds: float = 60.0) -> None:
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment}
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + seconds
        while not is_ready():
            assert self._process.poll() is None, f"{self.name} ended:\n{self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{self.name} did not start:\n{self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """kill -9 of the process and of those that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class ObjectStore(Part):
    """moto's server: S3 in memory."""

    def start(self) -> None:
        self.launch([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)], self.listens)

    def client(self) -> Any:
        import boto3

        key, secret, region = CREDENTIALS.values()
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Way(Part):
    """The only way to the object store: without it the store does not answer, and forgets nothing."""

    def __init__(self, folder: Path, store: ObjectStore) -> None:
        super().__init__("way", folder, {})
        self._store = store

    def start(self) -> None:
        """Also again, after it was killed."""
        command = [sys.executable, "-m", "tests.cluster.way", str(self.port), str(self._store.port)]
        self.launch(command, self.listens)


class Scheduler(Part):
    def start(self) -> None:
        command = [sys.executable, "-m", "backend.cli", "cluster", "scheduler", "--port", str(self.port)]
        self.launch(command, self.listens)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"


class Workers(Part):
    """Two worker processes and what replaces them when they die."""

    def start(self) -> None:
        self.launch([sys.executable, "-m", "backend.cli", "cluster", "worker", "--workers", "2"], lambda: True)

    def processes(self) -> list[int]:
        """Ids of the processes that do the work."""
        import psutil

        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]


class PostgreSQL:
    """A server with a data folder of its own; it refuses to run as root, so there it runs as another user."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "tests", "--no-sync", "-E", "UTF8")

    @staticmethod
    def programs() -> Path | None:
        """The folder of the server's programs, or None where there is none."""
        found = shutil.which("initdb")
        places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        return places[-1] if places else None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-l", log, "-o", options)

    def stop_at_once(self) -> None:
        """Ends it without a word to its clients, as a crash would."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self.folder / "data"))

    def remove(self) -> None:
        self.stop_at_once()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        programs = self.programs()
        assert programs is not None
        subprocess.run(
            [str(programs / program), *arguments],
            cwd=self.folder,
            user=self._user,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


class Installation:
    """Store, database, scheduler, workers, and as many API processes as are asked for."""

    def __init__(self, folder: Path, store: ObjectStore) -> None:
        self.folder, self.store = folder, store
        self.way = Way(folder, store)
        self.way.start()
        self.database = PostgreSQL()
        self.database.start()
        self.scheduler = Scheduler("scheduler", folder, self.environment)
        self.scheduler.start()
        self.workers = Workers("workers", folder, self.environment)
        self.workers.start()
        self.replicas: list[RunningService] = []

    @property
    def environment(self) -> dict[str, str]:
        scheduler = {"DASK_SCHEDULER_ADDRESS": self.scheduler.address} if hasattr(self, "scheduler") else {}
        return {
            "DEEPFAKE_DATA_DIR": f"s3://{BUCKET}/data",
            "DEEPFAKE_MODELS_DIR": f"s3://{BUCKET}/models",
            "DATABASE_URL": self.database.url,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.way.port}",
            "DEEPFAKE_JOB_LEASE": "4",
            **scheduler,
            **CREDENTIALS,
        }

    def add_replica(self) -> RunningService:
        replica = RunningService(self.folder / f"replica-{len(self.replicas)}")
        replica.environment |= self.environment | {"DEEPFAKE_SCRATCH_DIR": str(replica.folder / "scratch")}
        replica.start()
        self.replicas.append(replica)
        return replica

    def s3(self) -> Any:
        """A client of the object store."""
        return self.store.client()

    def close(self) -> None:
        for replica in self.replicas:
            replica.kill()
        self.workers.kill()
        self.scheduler.kill()
        self.database.remove()
        self.way.kill()
