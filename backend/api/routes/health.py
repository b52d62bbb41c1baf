"""Health, readiness and metrics, for whoever operates the service."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.api.deps import MetricsDep, ServiceDep
from backend.api.draining import Draining
from backend.api.problems import ProblemError
from backend.api.schemas.common import responses
from backend.api.schemas.health import Check, Health, Ready
from backend.core.errors import DeepfakeError
from backend.service.app import Service

router = APIRouter(tags=["operation"])

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.head("/health", include_in_schema=False)  # monitors and proxies ask without wanting the text
@router.get("/health", summary="Is the process alive?", responses=responses())
async def health() -> Health:
    """Always 200 while the process answers at all."""
    return Health(status="ok")


@router.head("/ready", include_in_schema=False)
@router.get("/ready", summary="Can it predict?", responses=responses(503))
def ready(request: Request, service: ServiceDep) -> Ready:
    """200 when the database answers and the active model is loaded; else 503, where `checks` says what is missing.

    Not ready is also a server that was told to end, as long as it serves on. It does not wait for the cluster that runs
    jobs, nor look at the disk: predictions need neither.
    """
    checks = {
        "serving": _check_serving(request.app.state.draining),
        "database": _check_database(service),
        "model": _check_model(service),
    }
    missing = [check.detail for check in checks.values() if not check.ok]
    if missing:
        raise ProblemError(
            503,
            "unavailable.not_ready",
            " ".join(missing),
            "Ask again in a moment; the server's log may say more.",
            headers={"Retry-After": "5"},
            extensions={"checks": {name: check.model_dump() for name, check in checks.items()}},
        )
    return Ready(status="ready", model_id=str(service.registry.active()), checks=checks)


def _check_serving(draining: Draining) -> Check:
    if draining.begun:
        return Check(ok=False, detail="The server is about to end.")
    return Check(ok=True, detail="The server takes requests.")


def _check_database(service: Service) -> Check:
    try:
        service.jobs.list(limit=1)
    except DeepfakeError as error:
        return Check(ok=False, detail=error.message)
    return Check(ok=True, detail="The database answers.")


def _check_model(service: Service) -> Check:
    try:
        service.registry.detector()
    except DeepfakeError as error:
        return Check(ok=False, detail=error.message)
    return Check(ok=True, detail="The active model is loaded.")


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"description": "Prometheus text format", "content": {"text/plain": {}}}, **responses()},
)
def metrics(figures: MetricsDep) -> Response:
    """Of this server process: requests, latencies, queue and batches, verdicts and their drift, jobs, disk.

    docs/operations.md explains each.
    """
    return Response(figures.render(), media_type=PROMETHEUS)
