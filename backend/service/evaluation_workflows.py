"""The jobs "evaluate" and "matrix": features where they are missing, the figures on a worker, a record at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backend.core.config import FitConfig
from backend.core.errors import InvalidInput
from backend.core.matrix import check_generators
from backend.service.cross_evaluating import (
    MatrixTask,
    Tested,
    check_known,
    choose_for_matrix,
    finish_matrix,
    fit_and_test,
)
from backend.service.database import utc_now
from backend.service.dataset_info import DatasetInfo
from backend.service.evaluating import EvaluateTask, choose_images, evaluate_on_worker, find_training_set
from backend.service.evaluations import EVALUATE, MATRIX
from backend.service.gathering import Source, unnamed_generator
from backend.service.job_context import JobContext
from backend.service.quotas import evict_features
from backend.service.steps import call_on_worker, compute_features

if TYPE_CHECKING:
    from backend.service.app import Service


def evaluate_model(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "evaluate": {"model_id", "dataset_ids", "split"} -> {"evaluation_id", "model_id"}."""
    service: Service = context.service
    card, sources = service.registry.get(params["model_id"]), _sources(service, params["dataset_ids"])
    task = EvaluateTask(
        datasets=service.datasets.root,
        sources=sources,
        features=service.features.root,
        backbones=service.settings.backbones_dir,
        folder=service.registry.folder(card["id"]),
        card={name: value for name, value in card.items() if name != "metrics"},
        trained_on=find_training_set(service.datasets.list(), card),
        split=params["split"],
    )
    needed, digest = service.engine.call(choose_images, task, cancelled=context.cancelled)
    _compute(context, sources, needed, card["extractor"]["spec"], digest)
    figures = call_on_worker(context, evaluate_on_worker, task)
    about = {"model_id": card["id"], "model_name": card["name"], "split": params["split"]}
    return _keep(context, EVALUATE, {**about, "datasets": _describe(sources), **figures})


def cross_evaluate(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "matrix": {"dataset_ids", "generators", "config"} -> {"evaluation_id"}."""
    service: Service = context.service
    sources = _sources(service, params["dataset_ids"])
    config = FitConfig.from_json(params["config"])
    task = MatrixTask(
        datasets=service.datasets.root,
        sources=sources,
        features=service.features.root,
        backbones=service.settings.backbones_dir,
        config=config,
        generators=tuple(params.get("generators") or ()),
        most_bytes=int(service.settings.fit_memory),
        pool=context.folder / "pool.parquet",
        stop=context.turn,
    )
    choice = service.engine.call(choose_for_matrix, task, cancelled=context.cancelled)
    _compute(context, sources, choice.needed, choice.spec, choice.digest)
    tested: dict[int, Tested] = {}

    def collect(number: int, found: Tested) -> None:
        tested[number] = found
        context.progress("matrix", len(tested), len(choice.plans))

    context.progress("matrix", 0, len(choice.plans))
    detectors = [(task, plan) for plan in choice.plans]
    service.engine.map(fit_and_test, detectors, on_result=collect, cancelled=context.cancelled)
    in_order = [tested[number] for number in range(len(detectors))]
    figures = service.engine.call(finish_matrix, (task, choice.plans, in_order), cancelled=context.cancelled)
    figures["excluded"] = {"in_training": choice.excluded}
    about = {"model_id": None, "config": config.to_json()}
    return _keep(context, MATRIX, {**about, "datasets": _describe(sources), **figures})


def resolve_datasets(service: Service, names: Sequence[str]) -> list[DatasetInfo]:
    """The data sets of these ids or names, each once, in order. Raises NotFound, InvalidInput where none is named."""
    infos = {info.id: info for info in (service.datasets.get(name) for name in names)}
    if not infos:
        raise InvalidInput("No data set is named.", "Name at least one.")
    return list(infos.values())


def check_matrix(infos: Sequence[DatasetInfo], generators: Sequence[str]) -> None:
    """Raises, before any image is read, what the counts of the data sets say against a matrix of these generators.

    OneClass without REAL images, InvalidInput with fewer than two generators or one that no data set has.
    """
    names = {name or unnamed_generator(info) for info in infos for name in info.generators}
    check_known(generators, names)
    reals = sum(split["REAL"] for info in infos for split in info.counts.values())
    check_generators(sorted(set(generators) or names), reals)


def _sources(service: Service, ids: Sequence[str]) -> tuple[Source, ...]:
    infos = resolve_datasets(service, ids)
    return tuple(Source(info, tuple(service.datasets.chunks(info.id))) for info in infos)


def _describe(sources: Sequence[Source]) -> list[dict[str, Any]]:
    names = ("id", "name", "version", "digest", "images")
    return [{name: getattr(source.info, name) for name in names} for source in sources]


def _compute(
    context: JobContext, sources: Sequence[Source], needed: list[list[int]], spec: dict[str, Any], digest: str
) -> None:
    chunks = [source.chunks[n] for source, numbers in zip(sources, needed, strict=True) for n in numbers]
    compute_features(context, chunks, spec, digest)


def _keep(context: JobContext, kind: str, figures: dict[str, Any]) -> dict[str, Any]:
    service: Service = context.service
    record = {"id": context.job_id, "kind": kind, "created_at": utc_now(), **figures}
    service.evaluations.add(record)
    evict_features(service)
    ids = {"evaluation_id": context.job_id, "model_id": record["model_id"]}
    return {name: value for name, value in ids.items() if value is not None}
