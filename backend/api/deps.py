"""What routes ask for, as `Annotated` aliases: a route's parameters say everything that it needs.

All are coroutines: FastAPI would call plain functions in a thread each, which costs more than they do.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from backend.api.metrics import Metrics
from backend.api.packs import Gate
from backend.api.problems import ProblemError
from backend.api.protection import Protection
from backend.service.app import Service
from backend.settings import Settings


async def get_service(request: Request) -> Service:
    """The service that the application opened at its start."""
    service: Service = request.app.state.service
    return service


async def get_settings(request: Request) -> Settings:
    """The application's settings."""
    settings: Settings = request.app.state.settings
    return settings


async def get_metrics(request: Request) -> Metrics:
    """The application's own counters."""
    metrics: Metrics = request.app.state.metrics
    return metrics


async def get_gate(request: Request) -> Gate:
    """What bounds the requests that compute at the same time."""
    gate: Gate = request.app.state.gate
    return gate


async def get_protection(request: Request) -> Protection:
    """Keys, usage and the audit log."""
    protection: Protection = request.app.state.protection
    return protection


async def refuse_unknown_query(request: Request) -> None:
    """Raises ProblemError 422 for a parameter of the address that the route does not read: it may be a slip.

    Otherwise `POST /predict?model_id=…`, whose model_id is a field of the form, would answer by another model.
    """
    if not request.query_params:
        return
    operation = request.app.openapi()["paths"][request.scope["route"].path_format][request.method.lower()]
    known = {given["name"] for given in operation.get("parameters", ()) if given["in"] == "query"}
    if unknown := sorted(set(request.query_params) - known):
        hint = f"This route reads: {', '.join(sorted(known))}." if known else "This route reads none."
        raise ProblemError(422, "request.unknown_query", f"Unknown parameter in the address: {unknown[0]!r}.", hint)


ServiceDep = Annotated[Service, Depends(get_service)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
GateDep = Annotated[Gate, Depends(get_gate)]
MetricsDep = Annotated[Metrics, Depends(get_metrics)]
ProtectionDep = Annotated[Protection, Depends(get_protection)]

_ID = {"min_length": 1, "max_length": 128, "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$"}

DatasetId = Annotated[str, Path(description="Id of the data set", examples=["cifake-0a1b2c3d"], **_ID)]
ModelId = Annotated[str, Path(description="Id of the model", examples=["cifake-logreg-1c0ffee1"], **_ID)]
EvaluationId = Annotated[str, Path(description="Id of the evaluation", examples=["5b1d0c8a93e7f246"], **_ID)]
FingerprintId = Annotated[str, Path(description="Id of the fingerprint", examples=["began-gaussian-5b1d0c8a"], **_ID)]
JobId = Annotated[str, Path(description="Id of the job", examples=["3f9c2a71d04be581"], **_ID)]

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on the page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="Items to skip")]
WaitSeconds = Annotated[
    float,
    Query(ge=0, le=600, description="Seconds to wait for the result before answering 202 with the job"),
]
