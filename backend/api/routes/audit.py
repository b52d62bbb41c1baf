"""The audit log, for whoever operates the service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.deps import Limit, Offset, ProtectionDep
from backend.api.schemas.audit import AuditOut, AuditPage
from backend.api.schemas.common import responses

router = APIRouter(tags=["operation"])


@router.get("/audit", summary="List what was changed, and by whom", responses=responses(422))
def list_audit(
    protection: ProtectionDep,
    *,
    since: Annotated[datetime | None, Query(description="Only entries from this time on; UTC unless it says")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> AuditPage:
    """A page of the entries, newest first: changes of data sets, models and jobs, and refused requests."""
    entries, total = protection.audit.list(since=_utc(since) if since else "", limit=limit, offset=offset)
    items = [AuditOut.model_validate(entry.to_json()) for entry in entries]
    return AuditPage(items=items, total=total, limit=limit, offset=offset)


def _utc(moment: datetime) -> str:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")
