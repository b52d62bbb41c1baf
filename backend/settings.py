"""Every environment variable of the backend: name, default, meaning.

`load_settings()` reads them, `describe_settings()` lists them for the documentation and the command line.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from upath import UPath

from backend.core.errors import ConfigError

_PREFIX = "DEEPFAKE_"
_MIB = 2**20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_S3 = "s3://"
_SHIPPED = Path(__file__).parent.parent / "models"

StorePath = Path | UPath
"""A file or folder of this machine (always a Path), or of an object store."""

S3_OPTIONS: dict[str, Any] = {
    "use_listings_cache": False,  # other processes write too
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 20, "retries": {"mode": "standard", "max_attempts": 2}},
}
"""How the object store is spoken to. Address and credentials are in the environment only (AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION), so that no task, card or log can carry them."""


def store_path(text: str) -> StorePath:
    """The place that `text` names: s3://BUCKET/PREFIX, or a path of this machine."""
    return UPath(text.rstrip("/"), **S3_OPTIONS) if text.startswith(_S3) else Path(text)


def local_scratch() -> Path:
    """The folder for local copies in a process that has no settings, such as a worker.

    Raises ConfigError where another user has taken its name: what lies there is not to be trusted.
    """
    if given := os.environ.get(f"{_PREFIX}SCRATCH_DIR"):
        return Path(given)
    folder = Path(tempfile.gettempdir()) / f"deepfake-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ConfigError(f"The folder {folder} belongs to another user.", f"Set {_PREFIX}SCRATCH_DIR.")
    return folder


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


_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def parse_rate(text: str) -> tuple[int, int]:
    """(how many, in how many seconds) of a rate such as 100/second. Raises ValueError."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("give a rate such as 100/second; the units are second, minute, hour and day")
    return int(match[1]), _SECONDS[match[2]]


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

    data_dir: StorePath = Field(
        Path("data"), description="Folder of data sets, features, jobs and the database, or s3://BUCKET/PREFIX"
    )
    models_dir: StorePath = Field(
        Path("models"), description="Folder of detectors and backbones, or s3://BUCKET/PREFIX"
    )
    scratch_dir: Path | None = Field(
        None,
        description="Local folder for uploads on their way, downloads and exports; empty: the data folder, or one "
        "below the system's temporary folder where the data are in an object store",
    )
    shipped_dir: Path | None = Field(
        None,
        description="Folder of detectors that a first start copies into an empty DEEPFAKE_MODELS_DIR; "
        "empty: those that come with the project",
    )
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
    worker_niceness: int = Field(
        10,
        ge=0,
        le=19,
        description="How far worker processes stand back behind what answers requests: 0 not at all, 19 furthest",
    )
    fit_memory: ByteSize = Field(
        ByteSize(4096 * _MIB),
        ge=64 * _MIB,
        description="Most memory for the features that a head is fitted on, e.g. 4GiB; where the training images have "
        "more, a sample of them is taken (every image is still scored)",
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

    c2pa_anchors: Path | None = Field(
        None,
        description="PEM file of the authorities whose C2PA signers count as trusted; empty: none, so that manifests "
        "are told to be intact but nobody's signature is vouched for",
    )

    # protection: keys, rates, quotas, retention
    require_keys: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether requests need an API key: always, never, or auto: where `DEEPFAKE_HOST` or "
        "`DEEPFAKE_ALLOWED_HOSTS` go beyond loopback",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of other web sites whose pages may use this service, such as https://photos.example, "
        "separated by commas; they need a key wherever everybody does",
    )
    rate_predict: str = Field(
        "1000/second", description="Most predictions' requests of one key, where keys are required; one server process"
    )
    rate_read: str = Field("200/second", description="Most reading requests of one key, likewise")
    rate_write: str = Field("120/minute", description="Most changing requests of one key, likewise")
    rate_wrong_keys: str = Field("20/minute", description="Most requests with a wrong key from one address, likewise")
    max_connections: int = Field(
        1000, ge=8, le=100_000, description="Connections at a time; beyond them the one goes that asked for nothing yet"
    )
    max_uploads: int = Field(8, ge=1, le=1000, description="Large uploads that may be received at the same time")
    min_free: ByteSize = Field(
        ByteSize(1024 * _MIB), description="Free disk space that uploads must leave; those that would not are refused"
    )
    max_datasets: int = Field(1000, ge=1, le=1_000_000, description="Most data sets; more are refused")
    max_datasets_bytes: ByteSize = Field(
        ByteSize(0), description="Most bytes of images in all data sets together, e.g. 100GiB; 0: no limit but the disk"
    )
    max_features_bytes: ByteSize = Field(
        ByteSize(0),
        description="Most bytes of cached features; what was not used for longest goes first; 0: no limit but the disk",
    )
    allowed_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="SHA-256 of the exported models (zip files) that may be imported over HTTP, separated by commas; "
        "empty: none",
    )
    keep_jobs_days: int = Field(90, ge=1, le=36_500, description="Days that records of finished jobs are kept")
    keep_audit_days: int = Field(365, ge=1, le=36_500, description="Days that the audit log and usage are kept")

    # operation: logs, the queue of predictions, the end of the server
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of the log: text, or json: one object a line"
    )
    max_waiting: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Requests with images that may wait for their answer; more are refused with 503",
    )
    drain_seconds: float = Field(
        0.0, ge=0.0, le=600.0, description="Seconds that a server told to end still serves, not ready any more"
    )
    stop_seconds: float = Field(
        10.0, ge=1.0, le=600.0, description="Seconds that running requests then have until they are cut off"
    )

    @field_validator("data_dir", "models_dir", mode="plain")
    @classmethod
    def _stored(cls, value: Any) -> StorePath:
        if str(value).startswith(_S3) and not urlsplit(str(value)).netloc:
            raise ValueError("give s3://BUCKET/PREFIX")
        place = store_path(str(value))
        return _absolute(place) if isinstance(place, Path) else place

    @field_validator("scratch_dir", "shipped_dir", "c2pa_anchors", "tls_ca", "tls_cert", "tls_key")
    @classmethod
    def _local(cls, path: Path | None) -> Path | None:
        return None if path is None else _absolute(path)

    @field_validator("allowed_hosts", "trusted_proxies", "cors_origins", "allowed_models", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("rate_predict", "rate_read", "rate_write", "rate_wrong_keys")
    @classmethod
    def _is_rate(cls, rate: str) -> str:
        parse_rate(rate)
        return rate

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)
        return networks

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            is_exact = bool(parts.hostname) and f"{parts.scheme}://{parts.netloc}" == origin
            if not is_exact or parts.scheme not in ("http", "https"):
                raise ValueError("give exact origins such as https://photos.example, without a path; * is not accepted")
        return tuple(origin.lower() for origin in origins)

    @field_validator("allowed_models")
    @classmethod
    def _are_digests(cls, digests: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch("[0-9a-fA-F]{64}", digest) for digest in digests):
            raise ValueError("give SHA-256 digests of 64 hexadecimal digits")
        return tuple(digest.lower() for digest in digests)

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
    def keys_are_required(self) -> bool:
        """Whether a request needs an API key: see `require_keys`."""
        if self.require_keys != "auto":
            return self.require_keys == "always"
        return any(host.lower().strip("[]") not in _LOOPBACK for host in (self.host, *self.allowed_hosts))

    @model_validator(mode="after")
    def _database_beside_a_store(self) -> Settings:
        if not self.database_url and not isinstance(self.data_dir, Path):
            raise ValueError("data in an object store need a DATABASE_URL: there is no folder for a database file")
        return self

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'deepfake.db'}"

    @property
    def backbones_dir(self) -> StorePath:
        """The folder of exported backbones."""
        return self.models_dir / "backbones"

    @property
    def scratch(self) -> Path:
        """The local folder for what is on its way: uploads, downloads, exports."""
        if self.scratch_dir is not None:
            return self.scratch_dir
        return self.data_dir if isinstance(self.data_dir, Path) else local_scratch()

    @property
    def shipped(self) -> Path:
        """The folder of the detectors that come with the project; it need not exist."""
        return self.shipped_dir or _SHIPPED

    @property
    def spool_dir(self) -> Path:
        """The local folder in which uploads are received, one folder a job."""
        return self.scratch / "jobs"


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


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 (links stay links)


def _variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return str(alias) if alias else f"{_PREFIX}{name.upper()}"


def _shown(value: Any) -> str:
    if isinstance(value, ByteSize):
        return value.human_readable(separator=" ") if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
