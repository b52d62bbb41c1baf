"""Figures that are read from the service at the moment that Prometheus asks for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.core.errors import DeepfakeError
from backend.service.app import Service
from backend.service.batching import BATCH_IMAGES, BatchFigures
from backend.service.drift import Drift
from backend.service.jobs import STATES

_BATCH_BOUNDS = (1, 2, 4, 8, 16, BATCH_IMAGES)


class FromService(Collector):
    """Queue, models, drift, jobs and disk. Where the database does not answer, its figures are missing."""

    def __init__(self, service: Service, drift: Drift) -> None:
        self._service, self._drift = service, drift

    def describe(self) -> Iterable[Metric]:
        """Nothing: no figure is read from the database before the first question."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment."""
        figures = self._service.predictor.figures
        yield GaugeMetricFamily("deepfake_images_waiting", "Images that no batch has taken yet", figures.waiting)
        yield _batches(figures)
        free = shutil.disk_usage(self._service.settings.scratch).free
        yield GaugeMetricFamily("deepfake_disk_free_bytes", "Free space where uploads are received", free)
        try:
            yield from [*self._jobs(), self._model()]
            answers = 1
        except DeepfakeError:
            answers = 0
        yield GaugeMetricFamily("deepfake_database_up", "1 where the database answers, else 0", answers)
        yield from self._verdicts()

    def _jobs(self) -> list[Metric]:
        jobs = GaugeMetricFamily("deepfake_jobs", "Jobs by state", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], self._service.jobs.list(state, limit=1)[1])
        progress = GaugeMetricFamily(
            "deepfake_job_progress_ratio",
            "Part of its stage that a running job has done",
            labels=["job_id", "kind", "stage"],
        )
        images_per_second = 0.0
        for job in self._service.jobs.list("running", limit=100)[0]:
            if job.progress is not None:
                share = job.progress.done / job.progress.total if job.progress.total else 0.0
                progress.add_metric([job.id, job.kind, job.progress.stage], share)
                images_per_second += job.progress.images_per_second or 0.0
        speed = GaugeMetricFamily(
            "deepfake_job_images_per_second", "Images a second of the running jobs together", images_per_second
        )
        return [jobs, progress, speed]

    def _model(self) -> Metric:
        model = GaugeMetricFamily("deepfake_active_model_info", "The active model; always 1", labels=["model_id"])
        if active := self._service.registry.active():
            model.add_metric([active], 1)
        return model

    def _verdicts(self) -> Iterator[Metric]:
        shares = GaugeMetricFamily(
            "deepfake_verdict_share",
            "Share of each verdict among a model's last images",
            labels=["model_id", "window", "verdict"],
        )
        expected = GaugeMetricFamily(
            "deepfake_verdict_share_expected",
            "Share of each verdict among the model's test images",
            labels=["model_id", "verdict"],
        )
        psi = GaugeMetricFamily(
            "deepfake_score_psi",
            "Population stability index of a model's last scores against those of its test images",
            labels=["model_id", "window"],
        )
        models = set()
        for row in self._drift.figures():
            models.add(row.model_id)
            for verdict, share in row.shares.items():
                shares.add_metric([row.model_id, str(row.window), verdict], share)
            if row.psi is not None:
                psi.add_metric([row.model_id, str(row.window)], row.psi)
        for model_id in sorted(models):
            reference = self._drift.reference(model_id)
            for verdict, share in (reference.shares if reference else {}).items():
                expected.add_metric([model_id, verdict], share)
        yield from (shares, expected, psi)


def _batches(figures: BatchFigures) -> Metric:
    sizes = sorted(figures.sizes.copy().items())
    buckets = [(str(bound), sum(count for size, count in sizes if size <= bound)) for bound in _BATCH_BOUNDS]
    total = sum(count for _, count in sizes)
    images = sum(size * count for size, count in sizes)
    return HistogramMetricFamily(
        "deepfake_batch_images", "Images that were answered together", [*buckets, ("+Inf", total)], sum_value=images
    )
