"""Every environment variable of the backend: name, default, meaning.

`load_settings()` reads them, `describe_settings()` lists them for the documentation and the command line.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from backend.core.errors import ConfigError

_PREFIX = "DEEPFAKE_"
_MIB = 2**20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def count_cores() -> int:
    """The number of CPU cores that this process may use, at least 1: its affinity mask and its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return max(1, cores)
    if quota != "max":
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


class Settings(BaseSettings):
    """The backend's configuration, checked and unchangeable. Relative paths count from the working directory."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=True,
        env_ignore_empty=True,
    )

    data_dir: Path = Field(Path("data"), description="Folder of data sets, features, jobs and the database")
    models_dir: Path = Field(Path("models"), description="Folder of detectors and backbones")
    database_url: str = Field(
        "",
        validation_alias="DATABASE_URL",
        repr=False,  # it may hold a password
        description="SQLAlchemy URL of the database (sqlite:///FILE or postgresql+psycopg://...); "
        "empty: SQLite in the data folder",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that the HTTP server listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port that the HTTP server listens on")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        min_length=1,
        description="Host names that requests may be addressed to, separated by commas; * allows all",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe messages that are logged: debug, info, warning or error"
    )

    workers: int = Field(
        default_factory=count_cores,
        ge=1,
        le=1024,
        description="Worker processes of the embedded cluster; one a core",
    )
    worker_memory: ByteSize = Field(
        ByteSize(0),
        description="Memory of one worker process before it is stopped and its work runs again, e.g. 4GiB; "
        "0: a fair share of the machine's, at least 4 GiB where there is that much",
    )
    dask_scheduler_address: str = Field(
        "",
        validation_alias="DASK_SCHEDULER_ADDRESS",
        description="Address of an existing Dask scheduler, tls://HOST:PORT (tcp:// on loopback only); "
        "empty: an embedded cluster",
    )
    tls_ca: Path | None = Field(None, description="PEM file of the authority of the Dask cluster's certificates")
    tls_cert: Path | None = Field(None, description="PEM file of this client's certificate for the Dask cluster")
    tls_key: Path | None = Field(None, description="PEM file of the private key that belongs to the certificate")

    concurrent_jobs: int = Field(1, ge=1, le=64, description="Jobs that run at the same time")
    max_queued_jobs: int = Field(20, ge=1, le=100_000, description="Jobs that may wait; more are refused")
    job_attempts: int = Field(5, ge=1, le=100, description="Starts of one job (a killed server counts) before it fails")
    job_lease: float = Field(
        30.0, ge=1.0, le=3600.0, description="Seconds after which the job of a server that fell silent is taken over"
    )

    max_upload_bytes: ByteSize = Field(ByteSize(2048 * _MIB), gt=0, description="Largest request body, e.g. 2GiB")
    max_unpacked_bytes: ByteSize = Field(
        ByteSize(8192 * _MIB), gt=0, description="Most bytes that one archive may unpack to, e.g. 8GiB"
    )
    max_files: int = Field(1000, ge=1, le=1000, description="Most files in one request")
    max_archive_members: int = Field(2_000_000, ge=1, description="Most members of one archive")
    max_pixels: int = Field(
        64_000_000, ge=64, le=178_000_000, description="Most pixels of one image; larger ones are refused undecoded"
    )

    @field_validator("data_dir", "models_dir", "tls_ca", "tls_cert", "tls_key")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 (links stay links)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("worker_memory")
    @classmethod
    def _enough_memory(cls, value: ByteSize) -> ByteSize:
        if 0 < value < 512 * _MIB:
            raise ValueError("a worker needs at least 512MiB (0 chooses by itself)")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql")):
            raise ValueError("give sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
        if url.startswith("sqlite:///") and url.removeprefix("sqlite:///") in ("", ":memory:"):
            raise ValueError("a database in memory cannot be shared between processes: give a file")
        return url

    @field_validator("dask_scheduler_address")
    @classmethod
    def _safe_scheduler(cls, address: str) -> str:
        if not address:
            return address
        parts = urlsplit(address)
        if parts.scheme not in ("tls", "tcp") or not parts.hostname or parts.port is None:
            raise ValueError("give tls://HOST:PORT")
        if parts.scheme == "tcp" and parts.hostname not in _LOOPBACK:
            raise ValueError("whoever reaches a scheduler runs code on it: beyond this machine only tls:// is accepted")
        return address

    @model_validator(mode="after")
    def _certificates(self) -> Settings:
        given = [self.tls_ca, self.tls_cert, self.tls_key]
        if any(given) and not all(given):
            raise ValueError("DEEPFAKE_TLS_CA, DEEPFAKE_TLS_CERT and DEEPFAKE_TLS_KEY belong together")
        if self.dask_scheduler_address.startswith("tls:") and not all(given):
            raise ValueError("a tls:// scheduler needs DEEPFAKE_TLS_CA, DEEPFAKE_TLS_CERT and DEEPFAKE_TLS_KEY")
        return self

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'deepfake.db'}"

    @property
    def backbones_dir(self) -> Path:
        """The folder of exported backbones."""
        return self.models_dir / "backbones"


@dataclass(frozen=True)
class SettingRow:
    """One environment variable as the documentation shows it."""

    variable: str
    default: str
    meaning: str


def load_settings(**given: Any) -> Settings:
    """The settings of the environment, overruled by `given` (by field name). Raises ConfigError naming each fault."""
    try:
        return Settings(**given)
    except ValidationError as error:
        variables = {name: _variable(name) for name in Settings.model_fields}
        faults = []
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            text = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{variables.get(name, name)}: {text}" if name else text)
        raise ConfigError(f"Wrong settings: {'; '.join(faults)}.", "Correct these environment variables.") from None


def describe_settings() -> list[SettingRow]:
    """One row for each environment variable, in the order of the class."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "number of cores" if name == "workers" else _shown(field.default)
        rows.append(SettingRow(_variable(name), default, field.description or ""))
    return rows


def _variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return str(alias) if alias else f"{_PREFIX}{name.upper()}"


def _shown(value: Any) -> str:
    if isinstance(value, ByteSize):
        return value.human_readable(separator=" ") if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
