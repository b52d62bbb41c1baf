"""Steps that the workflows share: one call on a worker, and the features that a job needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from backend.service.datasets import FeatureChunk
from backend.service.features import compute_chunk
from backend.service.job_context import JobContext

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
