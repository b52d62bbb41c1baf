"""`deepfake serve`: the API, and with --web the web app beside it."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import failing
from backend.core.errors import Unavailable

API, WEB = "The API", "The web app"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; DEEPFAKE_HOST by default.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="DEEPFAKE_PORT by default.")] = None,
    web: Annotated[bool, typer.Option("--web", help="Serve the web app as well.")] = False,
    web_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web app.")] = 8501,
) -> None:
    """Serve the API (and with --web the web app) until Ctrl-C."""
    with failing(as_json=False):
        given = {"DEEPFAKE_HOST": host, "DEEPFAKE_PORT": None if port is None else str(port)}
        os.environ.update({name: value for name, value in given.items() if value is not None})
        if web:
            _serve_both(web_port)
        else:
            _serve_api()


def _serve_api() -> None:
    import uvicorn

    from backend.cli.connections import guard_connections
    from backend.cli.ending import Server
    from backend.cli.supervisor import check_port_free
    from backend.service.logs import configure_logging
    from backend.service.storage import check_writable
    from backend.settings import load_settings

    settings = load_settings()
    check_port_free(settings.host, settings.port, "--port")
    check_writable(settings.data_dir)
    configure_logging(settings.log_level, settings.log_format)
    config = uvicorn.Config(
        "backend.api.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http=guard_connections(settings.max_connections),
        log_config=None,  # ours, see above
        log_level=settings.log_level,
        access_log=False,  # the application writes a line a request that says more
        timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
        server_header=False,
        proxy_headers=False,  # DEEPFAKE_TRUSTED_PROXIES says whose are believed; uvicorn would believe this machine's
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has ended by it
        server.run()
    if not server.started:
        sys.exit(3)  # as uvicorn's own command


def _serve_both(web_port: int) -> None:
    from backend.cli.supervisor import Part, check_port_free, run
    from backend.settings import load_settings

    settings = load_settings()
    check_port_free(settings.host, settings.port, "PORT (make) or --port")
    check_port_free(settings.host, web_port, "WEB_PORT (make) or --web-port")
    api_url, web_url = (f"http://{_reachable(settings.host)}:{port}" for port in (settings.port, web_port))
    python = [sys.executable, "-m"]
    web_address = ["--server.address", settings.host, "--server.port", str(web_port)]
    if not settings.keys_are_required:  # else a page that rebinds its name to this machine could use the web app
        names = (*settings.allowed_hosts, settings.host)
        web_address += [f"--server.allowedHosts={name.strip('[]')}" for name in names]
    farewell_s = settings.drain_seconds + settings.stop_seconds
    parts = (
        Part(API, [*python, "backend.cli", "serve"], {}, f"{api_url}/health", farewell_s=farewell_s),
        Part(
            WEB,
            [*python, "streamlit", "run", str(_web_app()), *web_address],
            {"DEEPFAKE_API_URL": api_url},
            f"{web_url}/_stcore/health",
            quiet=True,  # it greets with addresses of its own, and hangs at its end if nobody reads that any more
        ),
    )

    def say_ready(name: str) -> None:
        if name == API:
            typer.echo(f"{API}:     {api_url}  (documentation: {api_url}/docs)\n{_about_detector(api_url)}")
        else:
            typer.echo(f"{WEB}: {web_url}\nReady. Ctrl-C stops both.")

    run(parts, say_ready)
    typer.echo("Stopped.")


def _about_detector(api_url: str) -> str:
    """A sentence on what the service can predict with; it has loaded the detector when it has answered."""
    try:
        with urllib.request.urlopen(f"{api_url}/ready", timeout=60) as answer:  # noqa: S310 (http, our own address)
            return f"Detector {json.load(answer)['model_id']} is loaded."
    except urllib.error.HTTPError as error:
        detail = json.load(error)["detail"]
        return f"Not ready to predict yet: {detail} docs/tutorial.md shows how to fit a detector."


def _reachable(host: str) -> str:
    """The address under which this machine itself reaches a server that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"[{host}]" if ":" in host else host


def _web_app() -> Path:
    """The web app's script. It is started, never imported: the backend must not depend on it."""
    found = importlib.util.find_spec("frontend")
    folders = found.submodule_search_locations if found else None
    script = Path(folders[0]) / "app.py" if folders else None
    if script is None or not script.is_file():
        raise Unavailable("The web app is not installed here.", "Start without --web, or install the whole project.")
    return script
