"""The worker processes: an embedded Dask cluster on loopback, or a connection to an existing scheduler."""

# mypy: allow-untyped-calls
from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, LocalCluster, Security

CONNECT_SECONDS = 30.0
_GIB = 2**30

CONFIG: dict[str, Any] = {
    # No page is served: the routes are emptied because an address of None would still open a port.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.active-memory-manager.start": False,  # tasks exchange paths: there is nothing to move
    "distributed.worker.preload": ["backend.service.steady"],
    "distributed.worker.profile.enabled": False,
    # Statistics that nobody reads: fifty a second in each process kept an idle service at a tenth of a core.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.diagnostics.cudf": False,
    # A worker whose restart takes long on a busy machine is waited for, not written off.
    "distributed.deploy.lost-worker-timeout": "1h",
    "distributed.worker.memory.monitor-interval": "250ms",
    # A worker keeps no results, so spilling and pausing could only stall it; the limit still ends it.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # Before a worker's first import: freed memory goes back, and one BLAS thread each (a fit lifts that).
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": 65536,
        "MALLOC_ARENA_MAX": 2,
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
        "OPENBLAS_THREAD_TIMEOUT": 4,  # of BLAS, 2**4 cycles: threads that wait sleep instead of taking a core each
    },
}


@dataclass(frozen=True)
class Cluster:
    """A connection to worker processes, and the processes themselves where they are ours."""

    client: Client
    embedded: LocalCluster | None
    niceness: int  # of the worker processes

    def count_threads(self) -> int:
        """The number of worker threads at the moment; 0 where no worker is there, or the scheduler is lost."""
        from backend.service.worker import WorkerManners

        try:
            if self.embedded is None:  # a scheduler that was restarted has forgotten it
                self.client.register_plugin(WorkerManners(self.niceness))
            return sum(self.client.nthreads().values())
        except OSError:
            return 0

    def renew_worker(self, address: str) -> None:
        """Put a fresh process in a worker's place, where the workers are ours: a loaded torch cannot be unloaded."""
        if self.embedded is not None:
            with suppress(OSError):  # also a timeout: then it is only heavy
                self.client.restart_workers([address], timeout=60, raise_for_error=False)

    def close(self) -> None:
        """End the connection, and the worker processes where they are ours."""
        self.client.close(timeout=5)
        if self.embedded is not None:
            self.embedded.close(timeout=10)


def apply_config() -> None:
    """Makes Dask in this process behave as the project needs it; before any scheduler, worker or client is made."""
    import dask

    import backend.service.steady  # noqa: F401  # what it changes is there from here on

    dask.config.set(CONFIG)


def open_cluster(settings: Settings) -> Cluster:
    """A running cluster; takes a second or two. Raises OSError or RuntimeError where it cannot start or be reached."""
    from distributed import Client, LocalCluster, Security

    from backend.service.worker import WorkerManners

    apply_config()
    logging.getLogger("distributed.scheduler").setLevel(logging.CRITICAL)  # what it reports, the engine raises
    embedded: LocalCluster | None = None
    if settings.dask_scheduler_address:
        address: Any = settings.dask_scheduler_address
        security = given_security(settings)
    else:
        # A message is a pickle, so whoever can connect can run code, on loopback too: TLS with keys of this process.
        security = Security.temporary()
        address = embedded = LocalCluster(
            n_workers=settings.workers,
            threads_per_worker=1,
            memory_limit=settings.worker_memory or fair_memory(settings.workers),
            host="127.0.0.1",
            protocol="tls",
            security=security,
            dashboard_address="127.0.0.1:0",  # ":0" would be opened on every interface
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,
        )
    try:
        client = Client(address, security=security, set_as_default=False, timeout=CONNECT_SECONDS)
        client.register_plugin(WorkerManners(settings.worker_niceness))
    except BaseException:
        if embedded is not None:
            embedded.close(timeout=10)
        raise
    return Cluster(client, embedded, settings.worker_niceness)


def given_security(settings: Settings) -> Security:
    """TLS by the certificate of the settings for scheduler, worker and client alike; none where there is none."""
    from distributed import Security

    if settings.tls_ca is None:
        return Security(require_encryption=False)
    certificate, key = str(settings.tls_cert), str(settings.tls_key)
    return Security(
        require_encryption=True,
        tls_ca_file=str(settings.tls_ca),
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
        tls_client_cert=certificate,
        tls_client_key=key,
    )


def fair_memory(workers: int) -> int:
    """Bytes a worker may use: its share of three quarters of the machine, but 4 GiB where the machine has that much.

    A fit runs in one worker while the others idle: an equal share alone would stop it on a machine of many cores.
    """
    from distributed.system import MEMORY_LIMIT

    usable = int(MEMORY_LIMIT * 0.75)
    return max(usable // workers, min(usable, 4 * _GIB))
