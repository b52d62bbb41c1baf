"""The HTTP application: `create_app(settings)` wires layers, routes and the service together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from backend.api import documentation, problems
from backend.api.admission import Admission
from backend.api.auth import Authorize
from backend.api.deps import refuse_unknown_query
from backend.api.draining import Draining
from backend.api.limits import BodyLimit
from backend.api.metrics import Metrics
from backend.api.observing import Observe
from backend.api.packs import Gate
from backend.api.protection import Protection
from backend.api.routes import (
    audit,
    datasets,
    eda,
    enrol,
    evaluations,
    fingerprints,
    fit,
    health,
    images,
    jobs,
    models,
    options,
    predict,
    robustness,
)
from backend.api.runtime import one_blas_thread, tune_runtime
from backend.api.security import CrossOrigin, Guard, SecurityHeaders
from backend.api.spool import sweep
from backend.core.errors import NotFound
from backend.core.extractors.session import share_arena
from backend.service.app import open_service
from backend.service.heap import few_heaps
from backend.service.jobs import Jobs
from backend.settings import Settings, load_settings

log = logging.getLogger("deepfake.api")

UPLOAD_PATHS = ("/fit", "/predict", "/eda", "/datasets", "/models", "/fingerprints", "/fingerprints/attribute")
"""The addresses that take files; every other body is small."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, or those of the environment. The service opens when the server starts."""
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        few_heaps()
        share_arena()
        service = await run_in_threadpool(open_service, chosen)
        app.state.protection = Protection(service.database, chosen)
        app.state.service = service
        keepers = [asyncio.create_task(app.state.protection.keep()), asyncio.create_task(tune_runtime())]
        app.state.metrics.watch(service)
        for name in await run_in_threadpool(sweep, service.jobs.root, _is_job(service.jobs)):
            log.info("removed the unfinished upload %s of an earlier run", name)
        try:
            with app.state.draining.on_signals(), one_blas_thread():
                yield
        finally:
            for keeper in keepers:
                keeper.cancel()
            await run_in_threadpool(app.state.protection.flush)
            await run_in_threadpool(service.close)

    app = FastAPI(
        title="Deepfake Classification",
        version=version("deepfake-classification"),
        summary="Tell REAL photographs from FAKE (AI-generated) images, and train your own detector on a plain CPU.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # `Observe` has its own; each request would ask
    )
    app.state.settings = chosen
    app.state.metrics = Metrics()
    app.state.draining = Draining(chosen.drain_seconds)
    app.state.gate = Gate(chosen.workers, chosen.max_waiting)
    for noun in (
        fit,
        enrol,
        models,
        predict,
        datasets,
        images,
        eda,
        robustness,
        evaluations,
        fingerprints,
        jobs,
        options,
        health,
        audit,
    ):
        app.include_router(noun.router, dependencies=[Depends(refuse_unknown_query)])
    app.router.routes.insert(0, predict.direct)
    documentation.install(app)
    problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(
        Admission, upload_paths=UPLOAD_PATHS, max_uploads=chosen.max_uploads, min_free=int(chosen.min_free)
    )
    app.add_middleware(Authorize, settings=chosen)
    app.add_middleware(Guard, allowed_hosts=(*chosen.allowed_hosts, *_own_name(chosen.host)))
    app.add_middleware(BodyLimit, max_upload_bytes=int(chosen.max_upload_bytes), upload_paths=UPLOAD_PATHS)
    app.add_middleware(CrossOrigin, origins=chosen.cors_origins)
    app.add_middleware(Observe, metrics=app.state.metrics, draining=app.state.draining)
    app.add_middleware(SecurityHeaders)
    return app


def _own_name(host: str) -> tuple[str, ...]:
    """A server that listens on one address answers to it; "every address" is no name."""
    return () if host in ("0.0.0.0", "::") else (host,)  # noqa: S104 (compared, not bound)


def _is_job(jobs: Jobs) -> Callable[[str], bool]:
    def is_job(name: str) -> bool:
        try:
            jobs.get(name)
        except NotFound:
            return False
        return True

    return is_job
