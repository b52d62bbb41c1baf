"""Counters for Prometheus, in a registry of their own; and the outermost layer that counts, names and catches."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import problem_document, problem_response
from backend.service.failures import log_failure

log = logging.getLogger("deepfake.api")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)

JobCounts = Callable[[], tuple[dict[str, int], float]]
"""() -> (jobs by state, images a second of the running jobs together)."""


class Metrics:
    """What the service counts about itself since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "deepfake_requests", "Requests by route and status", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "deepfake_request_seconds",
            "Time until the answer was sent",
            ["method", "route"],
            buckets=_LATENCY_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("deepfake_requests_in_flight", "Requests being answered", registry=self.registry)
        self.predictions = Counter(
            "deepfake_predictions", "Images answered, by verdict", ["verdict"], registry=self.registry
        )
        self.refused = Counter(
            "deepfake_refused_images", "Images that could not be answered, by code", ["code"], registry=self.registry
        )

    def watch_jobs(self, count: JobCounts) -> None:
        """Adds jobs by state and images a second, read whenever the metrics are asked for."""
        self.registry.register(_JobCollector(count))

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


class _JobCollector(Collector):
    def __init__(self, count: JobCounts) -> None:
        self._count = count

    def describe(self) -> Iterable[Metric]:
        return []  # nothing is read from the database before the first question

    def collect(self) -> Iterator[Metric]:
        by_state, images_per_second = self._count()
        jobs = GaugeMetricFamily("deepfake_jobs", "Jobs by state", labels=["state"])
        for state, count in by_state.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily(
            "deepfake_job_images_per_second", "Images a second of the running jobs together", images_per_second
        )


class Observe:
    """Counts every request, gives it an id, and turns what nobody expected into a 500 with that id.

    The traceback goes to the log under the id; the answer has the id and nothing else.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, send_and_note)
            except Exception as error:
                log_failure(log, f"request {request_id}: {scope['method']} {_template(scope)} failed", error)
                if status == 0:
                    document = problem_document(
                        500,
                        "internal",
                        "Something went wrong that should not have.",
                        "Tell the operator this request_id: the log has the details.",
                        {"request_id": request_id},
                    )
                    await problem_response(document)(scope, receive, send_and_note)
        route = _template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"  # a client may make up any number
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(method, route).observe(time.perf_counter() - started)


def _template(scope: Scope) -> str:
    """The route's template, so that ids do not become labels; "unmatched" where there is none."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
