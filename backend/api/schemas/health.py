"""Health and readiness."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.api.schemas.common import Strict


class Health(Strict):
    """The process is alive."""

    status: Literal["ok"]


class Check(Strict):
    """One thing that must work."""

    ok: bool
    detail: str


class Ready(Strict):
    """Predictions can be answered."""

    status: Literal["ready"]
    model_id: str = Field(description="The active model")
    checks: dict[str, Check]
