"""Figures for Prometheus, in a registry of their own; each server process has its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from backend.api.collectors import FromService
from backend.service.app import Service
from backend.service.drift import Drift

_LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)


class Metrics:
    """What the service counts about itself since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_route: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.drift: Drift | None = None  # set by `watch`
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

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request that has ended; status 0: its client was gone before an answer began."""
        found = self._of_route.get((method, route, status))
        if found is None:
            found = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            self._of_route[method, route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def watch(self, service: Service) -> None:
        """Adds what is read from the service whenever the metrics are asked for: queue, models, drift, jobs, disk."""
        self.drift = Drift(service.registry)
        self.registry.register(FromService(service, self.drift))

    def count_answer(self, model_id: str, verdict: str, probability_fake: float) -> None:
        """Counts one image that was answered."""
        self.predictions.labels(verdict).inc()
        if self.drift is not None:
            self.drift.add(model_id, verdict, probability_fake)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
