"""The audit log."""

from __future__ import annotations

from pydantic import Field

from backend.api.schemas.common import Strict


class AuditOut(Strict):
    """One action, or the refusals of one minute together."""

    at: str = Field(description="UTC, ISO 8601")
    key_id: str = Field(description='"" without a key')
    key_name: str = Field(
        description='Without a key: "local", "cli" (the command line) or "nobody" (refused for lack of one)',
        examples=["web"],
    )
    action: str = Field(examples=["POST /set"])
    target: str = Field(description='Id of the data set, model, job or key; "" where there is none')
    status: int = Field(description="Of HTTP")
    request_id: str
    address: str
    count: int = Field(description="More than 1 for refusals that share an entry")


class AuditPage(Strict):
    """A page of the audit log."""

    items: list[AuditOut]
    total: int
    limit: int
    offset: int
