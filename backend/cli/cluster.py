"""`deepfake cluster …`: certificates, the scheduler and the workers of a cluster beyond one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import JsonFlag, failing, print_json

app = typer.Typer(help="Run work on several machines.", no_args_is_help=True)


@app.command()
def certificates(
    folder: Annotated[Path, typer.Argument(help="Where ca.pem, cert.pem and key.pem are written.", file_okay=False)],
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Leave files that are there, and succeed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an authority and one certificate for scheduler, workers and API."""
    with failing(as_json):
        from backend.service.certificates import FILES, have_certificates, make_certificates

        made = not (if_missing and have_certificates(folder))
        files = make_certificates(folder) if made else [folder / name for name in FILES]
        if as_json:
            print_json({"made": made, "files": [str(file) for file in files]})
            return
        for variable, file in zip(("DEEPFAKE_TLS_CA", "DEEPFAKE_TLS_CERT", "DEEPFAKE_TLS_KEY"), files, strict=True):
            typer.echo(f"{variable}={file.resolve()}")


@app.command()
def scheduler(
    host: Annotated[str, typer.Option(help="Address to listen on; beyond loopback with certificates only.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8786,
) -> None:
    """Serve the scheduler until Ctrl-C or SIGTERM."""
    with failing(as_json=False):
        from backend.service.nodes import run_scheduler
        from backend.settings import load_settings

        run_scheduler(load_settings(), host, port, lambda address: typer.echo(f"Scheduler: {address}"))


@app.command()
def worker(
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Worker processes; DEEPFAKE_WORKERS by default.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Memory of one process, e.g. 4GiB; DEEPFAKE_WORKER_MEMORY by default.")
    ] = None,
) -> None:
    """Serve worker processes for DASK_SCHEDULER_ADDRESS until Ctrl-C or SIGTERM."""
    with failing(as_json=False):
        from backend.service.nodes import run_workers
        from backend.settings import load_settings

        given = {"workers": workers, "worker_memory": memory}
        settings = load_settings(**{name: value for name, value in given.items() if value is not None})
        run_workers(
            settings,
            settings.workers,
            int(settings.worker_memory),
            lambda address: typer.echo(f"Worker: {address}"),
        )
