"""The processes of a cluster of one's own: the scheduler, and workers that outlive it.

Whoever can send a message to either of them runs code in it. Beyond loopback both speak TLS and accept only
certificates of the cluster's own authority; without certificates they refuse to start there.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backend.core.errors import ConfigError, Unavailable
from backend.service.cluster import apply_config, fair_memory, given_security
from backend.settings import Settings

if TYPE_CHECKING:
    from distributed import Nanny

RETRY_SECONDS = 1.0
"""Pause of a worker before it looks for its scheduler again."""

_CLOSE_SECONDS = 10.0
_NO_PAGES = "127.0.0.1:0"  # no routes are served, but the port opens all the same
_log = logging.getLogger(__name__)


def run_scheduler(settings: Settings, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serves a scheduler until SIGINT or SIGTERM; `on_ready` hears its address as soon as it listens.

    Raises ConfigError where `host` can be reached from elsewhere and there are no certificates, and Unavailable where
    the port cannot be used.
    """
    if settings.tls_ca is None and not _is_loopback(host):
        raise ConfigError(
            f"A scheduler on {host} would run the code of whoever reaches it.",
            "Name certificates in DEEPFAKE_TLS_CA, DEEPFAKE_TLS_CERT and DEEPFAKE_TLS_KEY "
            "(deepfake cluster certificates makes them), or listen on 127.0.0.1.",
        )
    apply_config()

    async def serve(stop: asyncio.Event) -> None:
        from distributed import Scheduler

        logging.getLogger("distributed").setLevel(logging.WARNING)  # after the import, which sets it
        scheduler = Scheduler(
            host=host,
            port=port,
            protocol="tcp" if settings.tls_ca is None else "tls",
            security=given_security(settings),
            dashboard=False,
            dashboard_address=_NO_PAGES,
        )
        try:
            await scheduler
        except OSError as error:
            raise Unavailable(
                f"Port {port} on {host} cannot be used: {error.strerror or error}.", "Choose another with --port."
            ) from error
        try:
            on_ready(str(scheduler.address))
            await stop.wait()
        finally:
            await scheduler.close()

    _run_until_signal(serve)


def run_workers(settings: Settings, count: int, memory: int, on_ready: Callable[[str], None]) -> None:
    """Keeps `count` worker processes of `memory` bytes (0: a fair share) at the settings' scheduler until a signal.

    A process that dies is replaced, and a scheduler that is away is waited for. `on_ready` hears each worker's address.
    Raises ConfigError where the settings name no scheduler.
    """
    address = settings.dask_scheduler_address
    if not address:
        raise ConfigError("No scheduler is named.", "Set DASK_SCHEDULER_ADDRESS, e.g. tls://HOST:8786.")
    apply_config()
    # On loopback, where TLS is not asked for, nothing may listen on another address either.
    host = "127.0.0.1" if _is_loopback(urlsplit(address).hostname or "") else None

    async def keep_worker(stop: asyncio.Event) -> None:
        from distributed import Nanny

        while not stop.is_set():
            nanny = Nanny(
                address,
                nthreads=1,
                memory_limit=memory or fair_memory(count),
                host=host,
                security=given_security(settings),
                dashboard_address=_NO_PAGES,
                silence_logs=logging.WARNING,
            )
            try:
                if await _finished_first(_start(nanny), stop):
                    on_ready(str(nanny.worker_address))
                    await _finished_first(nanny.finished(), stop)
            except (OSError, RuntimeError) as error:
                _log.warning("No scheduler at %s (%s); trying again", address, error)
            finally:
                with suppress(OSError, TimeoutError, RuntimeError):
                    await nanny.close(timeout=_CLOSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)

    async def serve(stop: asyncio.Event) -> None:
        await asyncio.gather(*(keep_worker(stop) for _ in range(count)))

    _run_until_signal(serve)


async def _start(nanny: Nanny) -> None:
    await nanny


async def _finished_first(work: Coroutine[None, None, None], stop: asyncio.Event) -> bool:
    """Whether `work` ended before `stop` was set; else it is cancelled. Raises what `work` raised."""
    task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        return task.done()
    finally:
        task.cancel()
        stopping.cancel()


def _run_until_signal(serve: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(stop)

    asyncio.run(main())


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
