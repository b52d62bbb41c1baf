"""Job "fingerprint": a source of images is enrolled from a data set, or from images that came with the request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from backend.core.errors import Conflict
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER
from backend.service.database import utc_now
from backend.service.fingerprint_sums import Chosen, EnrolTask, choose_images, finish_fingerprint, sum_chunk, sum_task
from backend.service.fingerprints import FINGERPRINT, Record, check_denoiser_name, check_generator_name
from backend.service.job_context import JobContext
from backend.service.model_files import model_id_for
from backend.service.quotas import evict_features
from backend.service.steps import import_named
from backend.service.storage import list_tree, remove

if TYPE_CHECKING:
    from backend.service.app import Service

LABELS = ("FAKE", "REAL")


def fingerprint_params(
    service: Service,
    generator: str,
    *,
    dataset_id: str | None = None,
    label: str = "FAKE",
    source_generator: str | None = None,
    denoiser: str = DEFAULT_DENOISER,
) -> dict[str, Any]:
    """The parameters of the job that enrols images of a data set as `generator`; without one, its caller adds a source.

    Raises NotFound, ConfigError, and Conflict where the name is taken, by a waiting or running job too.
    """
    name, denoiser = check_generator_name(generator), check_denoiser_name(denoiser)
    service.fingerprints.require_free(name, denoiser)
    for job in service.jobs.unfinished():
        if job.kind == FINGERPRINT and (job.params["generator"], job.params["denoiser"]) == (name, denoiser):
            raise Conflict(f"The job {job.id!r} enrols {name} already.", "Wait until it has ended, or cancel it.")
    params: dict[str, Any] = {"generator": name, "label": label, "denoiser": denoiser}
    if dataset_id is not None:
        params |= {"dataset_id": service.datasets.get(dataset_id).id, "source_generator": source_generator}
    return params


def enrol_fingerprint(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "fingerprint" -> {"fingerprint_id", "dataset_id"}.

    {"generator", "label", "denoiser"} and either {"dataset_id", "source_generator"} or {"name", "source"}.
    """
    service: Service = context.service
    generator, denoiser = str(params["generator"]), str(params["denoiser"])
    info = service.datasets.get(params["dataset_id"]) if "dataset_id" in params else import_named(context, params)
    fingerprint_id = model_id_for(f"{generator} {denoiser}", context.job_id)
    task = EnrolTask(
        datasets=service.datasets.root,
        info=info,
        chunks=tuple(service.datasets.chunks(info.id)),
        cache=service.features.root,
        backbones=service.settings.backbones_dir,
        generator=generator,
        label=str(params["label"]),
        source_generator=params.get("source_generator"),
        denoiser=denoiser,
        target=service.fingerprints.path(fingerprint_id),
    )
    chosen = service.engine.call(choose_images, task, cancelled=context.cancelled)
    _sum(context, task, chosen)
    about = service.engine.call(finish_fingerprint, (task, chosen), cancelled=context.cancelled)
    dataset = {name: getattr(info, name) for name in ("id", "name", "version", "digest")}
    record: Record = {"id": fingerprint_id, "label": task.label, "created_at": utc_now(), "dataset": dataset, **about}
    try:
        service.fingerprints.add(record)
    except Conflict:  # another enrolment took the name while this one ran
        remove([task.target])
        raise
    evict_features(service)
    return {"fingerprint_id": fingerprint_id, "dataset_id": info.id}


def _sum(context: JobContext, task: EnrolTask, chosen: Chosen) -> None:
    """Computes those sums that are not cached."""
    service: Service = context.service
    present = list_tree(task.cache / chosen.key)
    tasks = [sum_task(task, chosen, number) for number in chosen.masks]
    missing = [one for one in tasks if one.path.name not in present]
    total = sum(one.chunk.rows for one in tasks)
    done = total - sum(one.chunk.rows for one in missing)

    def collect(place: int, _: None) -> None:
        nonlocal done
        done += missing[place].chunk.rows
        context.progress(FINGERPRINT, done, total)

    context.progress(FINGERPRINT, done, total)
    compute = partial(sum_chunk, cancelled=context.turn)
    service.engine.map(compute, missing, on_result=collect, cancelled=context.cancelled)
