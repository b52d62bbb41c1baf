"""Steps that the workflows share: one call on a worker, and the features that a job needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from backend.core.errors import Conflict
from backend.service.dataset_info import INFO, DatasetInfo
from backend.service.datasets import FeatureChunk
from backend.service.features import compute_chunk
from backend.service.importing import import_dataset, make_dataset_id
from backend.service.job_context import JobContext
from backend.service.quotas import require_dataset_room
from backend.service.sources import ImportLimits
from backend.service.storage import exists

if TYPE_CHECKING:
    from backend.service.app import Service


def call_on_worker(context: JobContext, function: Callable[..., Any], task: Any) -> Any:
    """What the function returns, run on one worker; its progress is the job's."""
    service: Service = context.service
    return service.engine.call(
        function,
        task,
        context.report,
        cancelled=context.cancelled,
        report=context.report,
        on_progress=context.progress,
    )


def compute_features(context: JobContext, chunks: Sequence[FeatureChunk], spec: dict[str, Any], digest: str) -> None:
    """Computes those features of the chunks that are not cached, by the extractor of a complete spec and its digest."""
    service: Service = context.service
    missing = service.features.missing(chunks, digest)
    total = sum(chunk.rows for chunk in chunks)
    done = total - sum(chunk.rows for chunk in missing)
    compute = partial(
        compute_chunk,
        spec=spec,
        backbones=service.settings.backbones_dir,
        cache_root=service.features.root,
        cancelled=context.turn,
    )

    def collect(number: int, _: None) -> None:
        nonlocal done
        done += missing[number].rows
        context.progress("features", done, total)

    context.progress("features", done, total)
    service.engine.map(compute, missing, on_result=collect, cancelled=context.cancelled)


def import_named(context: JobContext, params: dict[str, Any]) -> DatasetInfo:
    """The data set that the source of a job's {"name", "source"} becomes; one that an earlier start made is kept."""
    service: Service = context.service
    name, settings = str(params["name"]), service.settings
    dataset_id = make_dataset_id(name, context.job_id)
    folder = service.datasets.prepare(dataset_id)
    if not exists(folder / INFO):
        if service.database.get_dataset(name) is not None:
            raise Conflict(f"There is a data set {name!r} already.", "Choose another name or delete that one.")
        require_dataset_room(service.database, settings, 0)
        limits = ImportLimits(
            max_members=settings.max_archive_members,
            max_unpacked_bytes=settings.max_unpacked_bytes,
            max_pixels=settings.max_pixels,
        )
        try:
            import_dataset(
                params["source"],
                folder,
                id=dataset_id,
                name=name,
                limits=limits,
                run=lambda function, tasks, done: service.engine.map(
                    function, tasks, on_result=done, cancelled=context.cancelled
                ),
                progress=context.progress,
                stop=context.turn,
                downloads=settings.data_dir / "downloads",
                scratch=settings.scratch / "downloads",
                admit=partial(require_dataset_room, service.database, settings),
            )
        except Exception as error:
            if not context.goes_on_elsewhere(error):
                service.datasets.discard(dataset_id)
            raise
    info = service.datasets.publish(dataset_id)
    try:
        service.database.save_dataset(info.to_json())
    except Conflict:  # another import took the name while this one ran
        service.datasets.hide(dataset_id)
        service.datasets.discard(dataset_id)
        raise
    return info
