"""What each kind of job does, step by step. Every step may run again: what is finished is found and kept."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from backend.core.config import FitConfig
from backend.core.extractors import irreplaceable_files
from backend.service.checking import CheckTask, check_dataset, describe_extractor
from backend.service.database import utc_now
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import FeatureChunk
from backend.service.enrolling import find_enrolling
from backend.service.evaluation_workflows import cross_evaluate, evaluate_model
from backend.service.finetuning import FinetuneTask, finetune_on_worker
from backend.service.fingerprinting import enrol_fingerprint
from backend.service.fingerprints import FINGERPRINT
from backend.service.fitting import FitTask, fit_on_worker
from backend.service.irreplaceable import drop_unused
from backend.service.job_context import JobContext
from backend.service.model_files import model_id_for
from backend.service.profiling import profile_images, read_findings
from backend.service.quotas import evict_features
from backend.service.robustness import run_battery
from backend.service.runner import Workflow
from backend.service.steps import call_on_worker, compute_features, import_named
from backend.settings import count_cores

if TYPE_CHECKING:
    from backend.service.app import Service

_CARD_PACKAGES = ("numpy", "onnxruntime", "pillow", "scikit-learn", "scipy", "timm")


def import_images(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "import": {"name", "source"} -> {"dataset_id"}."""
    return {"dataset_id": import_named(context, params).id}


def fit_detector(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "fit": {"config"} and either {"dataset_id"} or {"name", "source"} -> {"model_id", "dataset_id"}.

    With {"enrol": [{"dataset_id", "generator"}], "before": model id} images of other data sets are trained on as well;
    an entry without a data set means the images of "source" beside a "dataset_id".
    """
    service: Service = context.service
    config = FitConfig.from_json(params["config"])
    started = time.perf_counter()
    came = import_named(context, params) if "source" in params else None
    info = came if came is not None and "dataset_id" not in params else service.datasets.get(params["dataset_id"])
    imported = time.perf_counter()
    name = config.name or f"{info.name} {config.head.name}"
    model_id = model_id_for(name, context.job_id)
    if service.registry.has(model_id):  # an earlier start of this job made it, and could not say so any more
        return {"model_id": model_id, "dataset_id": info.id}
    check = CheckTask(service.datasets.root, info, config)
    service.engine.map(check_dataset, [check], on_result=lambda *_: None, cancelled=context.cancelled)
    chunks = service.datasets.chunks(info.id)
    card = _card_head(model_id, name, config, info)
    card["timings"]["import_s"] = round(imported - started, 2)
    if came is info:  # nobody could look at them before: their audit stands in the card at least
        began = time.perf_counter()
        profile_images(context, {"dataset_id": info.id})
        card["timings"]["audit_s"] = round(time.perf_counter() - began, 2)
    card["audit"] = read_findings(service.datasets.root, info)
    if config.finetune is not None:
        config, card["finetuned"] = _finetune(context, info, chunks, config)
        card["timings"]["finetune_s"] = card["finetuned"]["seconds"]
    try:
        began = time.perf_counter()
        enrolling = find_enrolling(service, params, came)
        _compute_features(context, info, [*chunks, *(enrolling.chunks if enrolling else ())], config)
        card["timings"]["features_s"] = round(time.perf_counter() - began, 2)
        task = FitTask(
            datasets=service.datasets.root,
            info=info,
            features=service.features.root,
            backbones=service.settings.backbones_dir,
            chunks=tuple(chunks),
            config=config,
            most_bytes=int(service.settings.fit_memory),
            folder=service.registry.folder(model_id),
            card=card,
            enrolling=enrolling,
        )
        context.progress("fit", 0, 100)
        fitted = call_on_worker(context, fit_on_worker, task)
        service.registry.add(fitted)
    except Exception as error:
        if not context.goes_on_elsewhere(error):
            service.registry.discard(model_id)
            drop_unused(service.database, service.settings.backbones_dir, irreplaceable_files(config.extractor))
        raise
    evict_features(service)
    return {"model_id": model_id, "dataset_id": info.id}


WORKFLOWS: Mapping[str, Workflow] = {
    "import": import_images,
    "fit": fit_detector,
    "profile": profile_images,
    "evaluate": evaluate_model,
    "matrix": cross_evaluate,
    "robustness": run_battery,
    FINGERPRINT: enrol_fingerprint,
}


def _finetune(
    context: JobContext, info: DatasetInfo, chunks: list[FeatureChunk], config: FitConfig
) -> tuple[FitConfig, dict[str, Any]]:
    """(the config of the fit on the fine-tuned network, the report for the card)."""
    service: Service = context.service
    task = FinetuneTask(
        datasets=service.datasets.root,
        info=info,
        backbones=service.settings.backbones_dir,
        chunks=tuple(chunks),
        config=config,
        most_bytes=int(service.settings.fit_memory),
        folder=context.folder,
        threads=None if service.settings.dask_scheduler_address else count_cores(),
    )
    context.progress("gather", 0, info.images)
    done = call_on_worker(context, finetune_on_worker, task)
    return replace(config, extractor=done["spec"], finetune=None), done["report"]


def _compute_features(context: JobContext, info: DatasetInfo, chunks: list[FeatureChunk], config: FitConfig) -> None:
    service: Service = context.service
    backbones = service.settings.backbones_dir
    # On a worker: a backbone that is not there yet is exported, which takes torch and much memory.
    spec, digest = service.engine.call(describe_extractor, config, info, backbones, cancelled=context.cancelled)
    compute_features(context, chunks, spec, digest)


def _card_head(model_id: str, name: str, config: FitConfig, info: DatasetInfo) -> dict[str, Any]:
    """The part of the card that is known before the fit."""
    return {
        "id": model_id,
        "name": name,
        "notes": config.notes,
        "created_at": utc_now(),
        "shipped": False,
        "dataset": {
            "id": info.id,
            "name": info.name,
            "version": info.version,
            "digest": info.digest,
            "images": info.images,
        },
        "generators": sorted(name for name in info.generators if name),
        "config": config.to_json(),
        "seed": config.seed,
        "timings": {},
        "machine": {"cores": count_cores(), "system": f"{platform.system()} {platform.machine()}"},
        "versions": {package: version(package) for package in _CARD_PACKAGES},
    }
