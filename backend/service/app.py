"""The composition root: settings in, every store and process wired together out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Conflict, IntegrityError, NotFound
from backend.service.attributing import Attributor
from backend.service.database import Database
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore
from backend.service.engine import Engine
from backend.service.evaluations import Evaluations
from backend.service.features import FeatureStore
from backend.service.fingerprints import Fingerprints
from backend.service.importing import make_dataset_id
from backend.service.irreplaceable import sweep_unused
from backend.service.job_context import sweep_folders
from backend.service.jobs import Jobs, named_datasets
from backend.service.predictor import Predictor
from backend.service.profiling import read_profile
from backend.service.provenance import read_anchors
from backend.service.quotas import chunk_owners, evict_features
from backend.service.registry import Registry
from backend.service.retention import sweep_expired
from backend.service.revising import require_version, revise
from backend.service.runner import Runner
from backend.service.storage import last_changed, require_store, sweep_scratch
from backend.service.workflows import WORKFLOWS
from backend.settings import Settings, count_cores

_IMPORT_SECONDS = 600.0
"""An unfinished model of no job that is younger may be one that is being imported."""


@dataclass(frozen=True)
class Service:
    """Everything that a route or a command may call."""

    settings: Settings
    database: Database
    datasets: DatasetStore
    features: FeatureStore
    registry: Registry
    evaluations: Evaluations
    fingerprints: Fingerprints
    attributor: Attributor
    predictor: Predictor
    engine: Engine
    jobs: Jobs
    _runners: list[Runner]

    def profile(self, dataset_id: str) -> dict[str, Any] | None:
        """The profile that an earlier job made of the data set as it is now, or None. Raises NotFound."""
        return read_profile(self.datasets.root, self.datasets.get(dataset_id))

    def delete_dataset(self, dataset_id: str) -> None:
        """Removes a data set, its images and the features that no other data set shares.

        Raises NotFound, or Conflict while a job uses it.
        """
        id = self.datasets.get(dataset_id).id
        with self.database.locked(_lock_of(id)):
            info = self.datasets.get(id)
            self._require_unused(info)
            owners = chunk_owners(self.datasets)
            self.datasets.hide(info.id)  # before the row: a kill in between must not bring it back
            self.database.delete_dataset(info.id)
        self.datasets.discard(info.id)
        self.features.delete(chunk for chunk, ids in owners.items() if ids == {info.id})

    def revise_dataset(self, dataset_id: str, changes: Mapping[int, str], version: int | None = None) -> DatasetInfo:
        """The data set with other labels, as its next version; see `revising.revise` for `changes`.

        Raises NotFound, Conflict while a job uses it or where it is not at `version` any more, and what revise raises.
        """
        id = self.datasets.get(dataset_id).id
        with self.database.locked(_lock_of(id)):
            info = self.datasets.get(id)
            require_version(info, version)
            self._require_unused(info)
            revised = revise(self.datasets.root / id, info, changes)
            self.database.save_dataset(revised.to_json())
        return revised

    def _require_unused(self, info: DatasetInfo) -> None:
        """Raises Conflict while a job waits or runs that reads this data set, or that made it and goes on with it."""
        for job in self.jobs.unfinished():
            made = make_dataset_id(str(job.params["name"]), job.id) if "name" in job.params else None
            if named_datasets(job.params) & {info.id, info.name} or made == info.id:
                raise Conflict(f"The job {job.id!r} uses this data set.", "Wait until it has ended, or cancel it.")

    def close(self) -> None:
        """Stops work; jobs that run go back to the queue and are resumed by the next start."""
        self.predictor.close()
        for runner in self._runners:
            runner.close()
        self.engine.close()
        self.database.close()


def open_service(settings: Settings, *, run_jobs: bool = True) -> Service:
    """The wired service. With `run_jobs` this process also works off the queue, and its worker processes start.

    Without it nothing is started: predictions, lists and submitting jobs work, and whoever runs jobs does them.
    """
    anchors = read_anchors(settings.c2pa_anchors)
    settings.spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (settings.data_dir, settings.models_dir):
        require_store(folder)
    database = Database(settings.database)
    database.upgrade()
    # the predictor runs one batch a core
    registry = Registry(settings.models_dir, settings.backbones_dir, database, threads=1)
    registry.sync(settings.shipped)
    fingerprints = Fingerprints(settings.data_dir / "fingerprints", database)
    jobs = Jobs(database, settings)
    runners: list[Runner] = []
    service = Service(
        settings=settings,
        database=database,
        datasets=DatasetStore(settings.data_dir / "datasets", database),
        features=FeatureStore(settings.data_dir / "features"),
        registry=registry,
        evaluations=Evaluations(database, registry),
        fingerprints=fingerprints,
        attributor=Attributor(fingerprints, settings.backbones_dir, settings.max_pixels),
        predictor=Predictor(
            registry,
            settings.max_pixels,
            at_once=count_cores() + 1,  # one waits
            anchors=anchors,
        ),
        engine=Engine(settings),
        jobs=jobs,
        _runners=runners,
    )
    if run_jobs:
        runners.append(Runner(jobs, WORKFLOWS, service, prepare=service.engine.start, tidy=lambda: _tidy(service)))
        runners[0].start()
    return service


def _lock_of(dataset_id: str) -> str:
    """Held by whoever changes or removes a data set."""
    return f"dataset {dataset_id}"


def _tidy(service: Service) -> None:
    """Makes files and rows agree, and removes what killed servers left half done. Safe beside other servers."""
    sweep_folders(service.jobs)
    sweep_scratch()
    sweep_expired(service.database, service.settings)
    evict_features(service)
    service.fingerprints.sweep()
    service.registry.forget_removed()
    sweep_unused(service.database, service.registry.backbones)
    known = {info["id"]: info for info in service.database.list_datasets()}
    found = {info.id: info for info in service.datasets.scan()}
    for dataset_id in known.keys() | found.keys():
        if dataset_id not in found or known.get(dataset_id) != found[dataset_id].to_json():
            _reconcile(service, dataset_id)
    unfinished_models, unfinished_datasets = service.registry.list_unfinished(), service.datasets.list_unfinished()
    # asked after the folders: one that is there belongs to a job that is there, or to none that will come
    jobs = [job.id for job in service.jobs.unfinished()]
    changed = last_changed(service.registry.root)
    for model_id in unfinished_models:
        is_new = time.time() - changed.get(model_id, 0.0) < _IMPORT_SECONDS
        if not is_new and not model_id.endswith(tuple(job_id[-8:] for job_id in jobs)):
            service.registry.discard(model_id)
    for dataset_id in unfinished_datasets:
        if not dataset_id.endswith(tuple(job_id[:8] for job_id in jobs)):
            service.datasets.discard(dataset_id)


def _reconcile(service: Service, dataset_id: str) -> None:
    """The row as the folder has it: whoever made, changed or removed the data set was killed between the two."""
    with service.database.locked(_lock_of(dataset_id)):
        try:
            info = service.datasets.read(dataset_id)
        except NotFound:
            service.database.delete_dataset(dataset_id)
        except IntegrityError:  # told in the log by the scan; the row is all that is left of the description
            return
        else:
            with suppress(Conflict):  # another one has its name, and the import that lost it removes it
                service.database.save_dataset(info.to_json())
