"""The log: one line a message, as text or as JSON, with the job or request that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

_OURS = ("backend", "deepfake", "uvicorn")
_job: ContextVar[str | None] = ContextVar("job", default=None)


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Sends what this process logs to standard error; our own messages from `level` on, those of packages from warning.

    Called once, by the command that starts the server.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    handler.addFilter(_is_wanted)
    # nobody reads these of a record, and each record would look them up (the last: where it was logged)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as logging's documentation advises
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.WARNING
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())


def _is_wanted(record: logging.LogRecord) -> bool:
    """Packages may give their loggers a level of their own, whatever the root's is."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OURS


def write_line(logger: logging.Logger, message: str, fields: Mapping[str, Any]) -> None:
    """Logs a message at level info, with figures that programs can read: name -> plain value."""
    logger.info(message, extra={"fields": fields})


@contextmanager
def about_job(job_id: str) -> Iterator[None]:
    """Every message of this thread within the block bears the job's id."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    job_id = _job.get()
    return {**({"job_id": job_id} if job_id else {}), **getattr(record, "fields", {})}


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO deepfake.access: message key=value ...`"""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one message, with the traceback below it where there is one."""
        fields = "".join(f" {name}={value}" for name, value in _fields_of(record).items())
        text = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """`{"time": ..., "level": ..., "logger": ..., "message": ..., ...}`, with the fields of `write_line`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one message."""
        document = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False, default=str)


def _time(record: logging.LogRecord) -> str:
    second = int(record.created)
    return f"{_second(second)}.{int((record.created - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
