"""Jobs: work that takes longer than a request."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backend.api.schemas.common import Strict

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JobKind = Literal["import", "fit", "profile", "robustness", "evaluate", "matrix", "fingerprint"]


class JobProgress(Strict):
    """How far a job is."""

    stage: str = Field(description="What it is doing", examples=["features"])
    done: int = Field(description="Units finished in this stage, images mostly", examples=[51200])
    total: int = Field(description="Units in this stage", examples=[120000])
    images_per_second: float | None = Field(description="Speed of this stage so far", examples=[731.4])
    seconds_left: float | None = Field(description="Estimate for this stage", examples=[94.1])


class JobOut(Strict):
    """A job. It survives a restart of the server and is then taken up where it stopped."""

    id: str = Field(examples=["fit-3f9c2a71"])
    kind: JobKind
    state: JobState
    progress: JobProgress | None = None
    result: dict[str, Any] | None = Field(None, description="Ids of what the finished job made")
    reason: str | None = Field(None, description="Why it failed, for a person")
    error_code: str | None = Field(None, description="Why it failed, for a program: a problem's `code`")
    created_at: str = Field(description="UTC, ISO 8601", examples=["2026-03-01T12:00:00Z"])
    started_at: str | None = None
    finished_at: str | None = None
    attempts: int = Field(0, description="How many times it was started; a killed server counts")
    cancel_requested: bool = Field(False, description="It was told to stop and will within a chunk")
    params: dict[str, Any] = Field(default_factory=dict, description="What was asked, without paths of the server")


class JobPage(Strict):
    """A page of jobs, newest first."""

    items: list[JobOut]
    total: int = Field(description="Jobs that match, on all pages")
    limit: int
    offset: int
