"""The database's tables. A change here needs a migration in `migrations/versions/` (a test compares the two)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables; constraints get names that are the same on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class DatasetRow(Base):
    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(String(256), unique=True)
    version: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[str] = mapped_column(String(32))
    source: Mapped[Any] = mapped_column(JSON)
    info: Mapped[dict[str, Any]] = mapped_column(JSON)


class ModelRow(Base):
    __tablename__ = "models"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[str] = mapped_column(String(32))
    dataset_id: Mapped[str | None] = mapped_column(String(128))  # no foreign key: a model outlives its data set
    card: Mapped[dict[str, Any]] = mapped_column(JSON)


class EvaluationRow(Base):
    """What an evaluation found: of a model (`kind` "evaluate"), or of generators ("matrix", without a model)."""

    __tablename__ = "evaluations"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)  # of the job that made it
    kind: Mapped[str] = mapped_column(String(64))
    model_id: Mapped[str | None] = mapped_column(String(128), index=True)
    created_at: Mapped[str] = mapped_column(String(32))
    result: Mapped[dict[str, Any]] = mapped_column(JSON)


class FingerprintRow(Base):
    """An enrolled source of images; its arrays lie in the store. One generator has one fingerprint a denoiser."""

    __tablename__ = "fingerprints"
    __table_args__ = (UniqueConstraint("generator", "denoiser"),)

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    generator: Mapped[str] = mapped_column(String(128))
    denoiser: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(32))
    record: Mapped[dict[str, Any]] = mapped_column(JSON)


class SettingRow(Base):
    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_created_at", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[str | None] = mapped_column(String(32))
    finished_at: Mapped[str | None] = mapped_column(String(32))
    lease_owner: Mapped[str | None] = mapped_column(String(256))
    lease_until: Mapped[float | None] = mapped_column(Float)  # seconds since 1970, UTC
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)


class ProgressRow(Base):
    """Where a job is. `already_done` of `done` were there when the stage began (cached): they say nothing of speed."""

    __tablename__ = "job_progress"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(64))
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    already_done: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[float] = mapped_column(Float)  # seconds since 1970, UTC, of the stage
    updated_at: Mapped[float] = mapped_column(Float)


class KeyRow(Base):
    """An API key without its secret. Revoked and expired ones stay, so that the audit log can be read."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the secret, hexadecimal
    created_at: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[str | None] = mapped_column(String(32))
    revoked_at: Mapped[str | None] = mapped_column(String(32))
    rate: Mapped[str | None] = mapped_column(String(32))  # such as 100/second; None: the service's own rates
    images_per_day: Mapped[int | None] = mapped_column(Integer)


class UsageRow(Base):
    """What a key asked for on one day (UTC)."""

    __tablename__ = "usage"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    images: Mapped[int] = mapped_column(BigInteger)


class AuditRow(Base):
    """One action, or `count` refusals of one minute. No file names, no contents, no keys."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    key_id: Mapped[str] = mapped_column(String(32))  # "" without a key
    key_name: Mapped[str] = mapped_column(String(100))  # without a key "local", "cli" or "nobody", see audit.py
    action: Mapped[str] = mapped_column(String(128))  # method and route template, or the command
    target: Mapped[str] = mapped_column(String(200))  # id of the data set, model, job or key; "" where there is none
    status: Mapped[int] = mapped_column(Integer)  # of HTTP
    request_id: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column(Integer)
