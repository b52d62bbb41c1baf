"""The composition root: settings in, every store and process wired together out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Conflict, NotFound
from backend.service.database import Database
from backend.service.dataset_info import PROFILE, DatasetInfo
from backend.service.datasets import DatasetStore
from backend.service.engine import Engine
from backend.service.features import FeatureStore
from backend.service.importing import make_dataset_id
from backend.service.jobs import Jobs
from backend.service.predictor import Predictor
from backend.service.registry import Registry
from backend.service.revising import locked, require_version, revise
from backend.service.runner import Runner
from backend.service.workflows import WORKFLOWS
from backend.settings import Settings, count_cores


@dataclass(frozen=True)
class Service:
    """Everything that a route or a command may call."""

    settings: Settings
    database: Database
    datasets: DatasetStore
    features: FeatureStore
    registry: Registry
    predictor: Predictor
    engine: Engine
    jobs: Jobs
    _runners: list[Runner]

    def profile(self, dataset_id: str) -> dict[str, Any] | None:
        """The profile that an earlier job made of the data set as it is now, or None. Raises NotFound."""
        info = self.datasets.get(dataset_id)
        try:
            text = (self.datasets.root / info.id / info.file(PROFILE)).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        profile: dict[str, Any] = json.loads(text)
        return profile

    def delete_dataset(self, dataset_id: str) -> None:
        """Removes a data set, its images and the features that no other data set shares.

        Raises NotFound, or Conflict while a job uses it.
        """
        folder = self.datasets.folder(dataset_id)
        with locked(folder):
            info = self.datasets.get(folder.name)
            self._require_unused(info)
            chunks = self.datasets.chunks(info.id)
            others = [other.id for other in self.datasets.list() if other.id != info.id]
            shared = {chunk.digest for other in others for chunk in self.datasets.chunks(other)}
            self.database.delete_dataset(info.id)
            self.datasets.delete(info.id)
        self.features.delete(chunk for chunk in chunks if chunk.digest not in shared)

    def revise_dataset(self, dataset_id: str, changes: Mapping[int, str], version: int | None = None) -> DatasetInfo:
        """The data set with other labels, as its next version; see `revising.revise` for `changes`.

        Raises NotFound, Conflict while a job uses it or where it is not at `version` any more, and what revise raises.
        """
        folder = self.datasets.folder(dataset_id)
        with locked(folder):
            info = self.datasets.get(folder.name)
            require_version(info, version)
            self._require_unused(info)
            revised = revise(folder, info, changes)
            self.database.save_dataset(revised.to_json())
        return revised

    def _require_unused(self, info: DatasetInfo) -> None:
        """Raises Conflict while a job waits or runs that reads this data set, or that made it and goes on with it."""
        for state in ("queued", "running"):
            for job in self.jobs.list(state=state, limit=100_000)[0]:
                made = make_dataset_id(str(job.params["name"]), job.id) if "name" in job.params else None
                if job.params.get("dataset_id") in (info.id, info.name) or made == info.id:
                    raise Conflict(f"The job {job.id!r} uses this data set.", "Wait until it has ended, or cancel it.")

    def close(self) -> None:
        """Stops work; jobs that run go back to the queue and are resumed by the next start."""
        for runner in self._runners:
            runner.close()
        self.engine.close()
        self.database.close()


def open_service(settings: Settings, *, run_jobs: bool = True) -> Service:
    """The wired service. With `run_jobs` this process also works off the queue, and its worker processes start.

    Without it nothing is started: predictions, lists and submitting jobs work, and whoever runs jobs does them.
    """
    for folder in (settings.data_dir, settings.models_dir, settings.backbones_dir):
        folder.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    database.upgrade()
    registry = Registry(settings.models_dir, settings.backbones_dir, database, threads=count_cores())
    registry.sync()
    jobs = Jobs(database, settings)
    runners: list[Runner] = []
    service = Service(
        settings=settings,
        database=database,
        datasets=DatasetStore(settings.data_dir / "datasets"),
        features=FeatureStore(settings.data_dir / "features"),
        registry=registry,
        predictor=Predictor(registry, settings.max_pixels, at_once=count_cores()),
        engine=Engine(settings),
        jobs=jobs,
        _runners=runners,
    )
    if run_jobs:
        runners.append(Runner(jobs, WORKFLOWS, service, prepare=lambda: _prepare(service)))
        runners[0].start()
    return service


def _prepare(service: Service) -> None:
    """Once, in the process that runs jobs: the worker processes, and an end to what earlier ones left half done."""
    service.engine.start()
    service.registry.clear_leftovers()
    known = {info["id"]: info for info in service.database.list_datasets()}
    for dataset_id in known:
        if not (service.datasets.root / dataset_id).exists():  # its folder is gone: its name is free again
            service.database.delete_dataset(dataset_id)
    for info in service.datasets.list():
        if known.get(info.id) != info.to_json():  # killed between files and row, or the database is a new one
            with suppress(NotFound), locked(service.datasets.root / info.id):
                service.database.save_dataset(service.datasets.get(info.id).to_json())
    unfinished = [job for state in ("queued", "running") for job in service.jobs.list(state=state, limit=100_000)[0]]
    tokens = {job.id[:8] for job in unfinished}
    staging = service.datasets.root.glob(".staging-*") if service.datasets.root.is_dir() else ()
    names = {path.name.removeprefix(".staging-") for path in staging}
    service.datasets.clear_staging(frozenset(name for name in names if name[-8:] in tokens))
