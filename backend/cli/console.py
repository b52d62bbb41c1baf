"""What every command shares: opening the service, one JSON document on --json, progress, exit statuses."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.core.errors import Cancelled, Conflict, DeepfakeError

if TYPE_CHECKING:  # its imports take a second that `--help` and a usage error need not wait for
    from backend.service.app import Service
    from backend.service.database import Database
    from backend.service.jobs import Job, JobProgress

FAILED = 1

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


class JobFailed(DeepfakeError):
    """A job that ended without a result, with the code it recorded."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.job_code = code


@contextmanager
def failing(as_json: bool) -> Iterator[None]:
    """Turns our own errors, a full disk or an unreadable file, and bugs, into a message and exit status 1."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):  # whoever read our output wants no more: typer ends in silence
        raise
    except DeepfakeError as error:
        code = error.job_code if isinstance(error, JobFailed) else error.code
        _fail(as_json, code, error.message, error.hint)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(as_json, "file", f"{where}{error.strerror or error}", "")
    except KeyboardInterrupt:
        _fail(as_json, Cancelled.code, "Interrupted.", "")
    except Exception:
        traceback.print_exc()
        _fail(as_json, DeepfakeError.code, "This is a bug: what happened stands on standard error.", "")


def _fail(as_json: bool, code: str, message: str, hint: str) -> None:
    if as_json:
        print_json({"error": {"code": code, "message": message, "hint": hint}})
    else:
        typer.echo(f"Error: {message}" + (f"\n{hint}" if hint else ""), err=True)
    raise typer.Exit(FAILED)


@contextmanager
def opened(*, run_jobs: bool = False) -> Iterator[Service]:
    """The service on the folders that the environment names, closed at the end. `run_jobs` starts the cluster."""
    from backend.service.app import open_service
    from backend.settings import load_settings

    service = open_service(load_settings(), run_jobs=run_jobs)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def opened_database() -> Iterator[Database]:
    """The database alone, at its newest revision: for commands that need no models, no jobs and no lock."""
    from backend.service.database import Database
    from backend.settings import load_settings

    database = Database(load_settings().database)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


def note(database: Database, action: str, target: str) -> None:
    """Writes a change that this command has made to the audit log."""
    from backend.service.audit import CLI, Audit, AuditEntry

    Audit(database).record(AuditEntry(action=action, status=200, key_name=CLI, target=target))


def run_job(service: Service, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, waited for with its progress on standard error; Ctrl-C cancels it.

    Raises JobFailed with the job's own reason, or Cancelled.
    """
    job = service.jobs.submit(kind, params)
    line = ProgressLine()
    try:
        while not job.finished:
            job = service.jobs.wait(job.id, 0.5)
            line.show(job)
    except KeyboardInterrupt:
        line.end()
        typer.echo("Cancelling…", err=True)
        with suppress(Conflict):  # it ended in this very moment
            service.jobs.cancel(job.id)
        while not job.finished:
            job = service.jobs.wait(job.id, 1.0)
    line.end()
    if job.state == "cancelled":
        raise Cancelled("The job was cancelled.")
    if job.state == "failed":
        raise JobFailed(job.reason or "The job failed.", job.error_code or "job.failed")
    return dict(job.result or {})


class ProgressLine:
    """One line on standard error that is rewritten on a terminal, and written once a stage elsewhere."""

    def __init__(self) -> None:
        self._stage = ""
        self._width = 0

    def show(self, job: Job) -> None:
        """Writes where the job stands."""
        if job.progress is None:
            return
        text = _describe(job.progress)
        if sys.stderr.isatty():
            typer.echo(f"\r{text:<{self._width}}", err=True, nl=False)
            self._width = len(text)
        elif job.progress.stage != self._stage:
            self._stage = job.progress.stage
            typer.echo(text, err=True)

    def end(self) -> None:
        """Leaves the line, so that what follows starts on its own."""
        if self._width:
            typer.echo("", err=True)
            self._width = 0


def _describe(progress: JobProgress) -> str:
    text = f"{progress.stage}: {progress.done:,} of {progress.total:,}"
    if progress.images_per_second:
        text += f", {progress.images_per_second:,.0f} images a second"
    if progress.seconds_left is not None:
        text += f", {time.strftime('%H:%M:%S', time.gmtime(progress.seconds_left))} left"
    return text


def print_json(document: Any) -> None:
    """Writes one JSON document to standard output."""
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Writes rows as aligned columns to standard output; heads that are all empty are left out."""
    lines = [heads, *rows] if any(heads) else rows
    widths = [max(len(row[i]) for row in lines) for i in range(len(heads))]
    for row in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
