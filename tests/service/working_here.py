"""Jobs in this process, one after the other: for tests of what a workflow does, not of where it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.core.errors import Cancelled
from backend.service.app import Service, open_service
from backend.service.job_context import JobContext
from backend.service.signals import never
from backend.service.workflows import WORKFLOWS
from tests.service.conftest import make_settings


class EngineHere:
    """`map` and `call` as the engine has them, without worker processes."""

    def map(
        self,
        function: Callable[[Any], Any],
        items: Sequence[Any],
        *,
        on_result: Callable[[int, Any], None],
        cancelled: Callable[[], bool] = never,
    ) -> None:
        for number, item in enumerate(items):
            if cancelled():
                raise Cancelled("The work was told to stop.")
            on_result(number, function(item))

    def call(self, function: Callable[..., Any], *args: Any, cancelled: Callable[[], bool] = never, **_: Any) -> Any:
        if cancelled():
            raise Cancelled("The work was told to stop.")
        return function(*args)

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass


def open_here(folder: Path) -> Service:
    """A service with folders of its own whose jobs run when `run_here` is called."""
    return replace(open_service(make_settings(folder), run_jobs=False), engine=EngineHere())  # type: ignore[arg-type]


def run_here(service: Service, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a job; raises what ends it."""
    context = JobContext(service.jobs.submit(kind, params), service, service.jobs)
    try:
        return dict(WORKFLOWS[kind](context, params) or {})
    finally:
        service.jobs.cancel(context.job_id)  # nothing of it waits any more
