"""`deepfake backup` and `deepfake restore`: everything that the service keeps, to one file and back."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import JsonFlag, failing, opened, print_json
from backend.core.errors import Conflict


def backup(
    file: Annotated[Path, typer.Argument(help="The tar file to write; it must not exist yet.")],
    with_features: Annotated[
        bool, typer.Option("--with-features", help="Also cached features, which can be computed anew.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write data sets, models, jobs, keys and the audit log to one file, also while the service runs."""
    from backend.service.backup import back_up

    with failing(as_json), opened() as service:
        if file.exists():
            raise Conflict(f"{file} exists already.", "Give the name of a new file.")
        part = file.with_name(f".{file.name}.part")
        try:
            # for its owner only: it holds everybody's images
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as archive:
                figures = back_up(service, archive, with_features=with_features)
                archive.flush()
                os.fsync(archive.fileno())
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
        if as_json:
            print_json({"file": str(file), "size_bytes": file.stat().st_size, **asdict(figures)})
        else:
            typer.echo(f"{file}: {figures.datasets} data sets, {figures.models} models, {file.stat().st_size:,} bytes.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `deepfake backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Remove the data sets, models and jobs that are there first.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring back what a backup holds, into an empty installation whose server is stopped."""
    from backend.service.backup import restore as restore_file

    with failing(as_json), file.open("rb") as archive, opened() as service:
        figures = restore_file(service, archive, force=force)
        if as_json:
            print_json({"file": str(file), **asdict(figures)})
        else:
            typer.echo(f"Restored {figures.datasets} data sets, {figures.models} models and {figures.rows} rows.")
