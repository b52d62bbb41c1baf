"""From a source to a data set: chunks on workers, each one Parquet shard; then the index over all of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from backend.core.errors import Cancelled, ImageError, NoImages
from backend.core.images import decode, pixel_digest
from backend.service.dataset_index import figures_of, write_runs, write_version
from backend.service.dataset_info import SHARDS, DatasetInfo
from backend.service.downloads import KNOWN, fetch_into
from backend.service.duplicates import resolve_groups
from backend.service.shards import LABEL_NAMES, ShardWriter, read_values
from backend.service.signals import never
from backend.service.sources import ChunkPlan, Description, ImportLimits, RawImage, Skip, open_source
from backend.service.storage import exists, list_tree, read_ahead, read_bytes, remove, write_bytes, written_whole
from backend.settings import StorePath, local_scratch, store_path

MAX_REPORTED = 100
"""So many skipped files are named, per chunk and per data set; all are counted."""

IMAGES_BETWEEN_STOPS = 50
"""A chunk asks so often whether to go on."""

Progress = Callable[[str, int, int], None]
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ChunkReport:
    """What became of one chunk."""

    number: int
    shard: str  # file name
    images: int
    bytes: int
    skipped: int
    first_skipped: tuple[Skip, ...]  # at most MAX_REPORTED


@dataclass(frozen=True)
class ImportTask:
    """One call of import_chunk, for runners that pass one argument."""

    description: Description
    plan: ChunkPlan
    shard_path: str
    limits: ImportLimits
    stop: Callable[[], bool] = never


@dataclass(frozen=True)
class FinishTask:
    """One call of finish_import, for runners that pass one argument."""

    reports: tuple[ChunkReport, ...]
    folder: StorePath
    id: str
    name: str
    source: str
    groups: Mapping[str, str]


class Runner(Protocol):
    """Runs a function on every task, in any order and process, and calls back with a task's position and its result."""

    def __call__(
        self, function: Callable[[Task], Result], tasks: list[Task], on_result: Callable[[int, Result], None], /
    ) -> None: ...


def run_import_task(task: ImportTask) -> ChunkReport:
    """The report of import_chunk."""
    return import_chunk(task.description, task.plan, store_path(task.shard_path), task.limits, task.stop)


def run_finish_task(task: FinishTask) -> DatasetInfo:
    """The description that finish_import gives."""
    return finish_import(
        list(task.reports), task.folder, id=task.id, name=task.name, source=task.source, groups=task.groups
    )


def import_chunk(
    description: Description,
    plan: ChunkPlan,
    shard_path: StorePath,
    limits: ImportLimits,
    stop: Callable[[], bool] = never,
) -> ChunkReport:
    """The report of one chunk, whose readable images now stand in `shard_path`; the others are named in the report.

    A chunk that an earlier run finished is not read again. Runs on a worker. Raises ArchiveError for a source that
    turns out to be unsafe or damaged as a whole, StorageFull; neither leaves a half-written file.
    """
    key = hashlib.sha256(json.dumps([dict(description), asdict(plan), asdict(limits)]).encode()).hexdigest()
    report_path = shard_path.with_suffix(".json")
    finished = _read_report(report_path, key)
    if finished and exists(shard_path):
        return finished
    images = size = skipped = 0
    first: list[Skip] = []
    with written_whole(shard_path) as temporary, ShardWriter(temporary) as writer:
        for number, item in enumerate(open_source(description, limits).read(plan)):
            if number % IMAGES_BETWEEN_STOPS == 0 and stop():
                raise Cancelled("The import was told to stop.")
            row = _row_of(item, limits.max_pixels) if isinstance(item, RawImage) else item
            if isinstance(row, Skip):
                skipped += 1
                if len(first) < MAX_REPORTED:
                    first.append(row)
                continue
            writer.add(row)
            images, size = images + 1, size + row["bytes"]
    report = ChunkReport(plan.number, shard_path.name, images, size, skipped, tuple(first))
    write_bytes(report_path, json.dumps({"key": key, "report": asdict(report)}).encode())
    return report


def _read_report(path: StorePath, key: str) -> ChunkReport | None:
    try:
        saved = json.loads(read_bytes(path))
    except (OSError, ValueError):
        return None
    if saved.get("key") != key:
        return None
    report = saved["report"]
    return ChunkReport(**report | {"first_skipped": tuple(Skip(**skip) for skip in report["first_skipped"])})


def _row_of(image: RawImage, max_pixels: int) -> dict[str, Any] | Skip:
    """The image as a row of a shard, or why it is none."""
    try:
        decoded = decode(image.data, max_pixels=max_pixels)
    except ImageError as error:
        return Skip(image.path, error.code, error.message)
    return {
        "image": {"bytes": image.data, "path": image.path},
        "label": LABEL_NAMES.index(image.label),
        "split": image.split,
        "generator": image.generator,
        "group": image.group,
        "sha256": hashlib.sha256(image.data).hexdigest(),
        "pixel_sha256": pixel_digest(decoded.pixels),
        "width": decoded.width,
        "height": decoded.height,
        "format": decoded.format,
        "mode": decoded.mode,
        "jpeg_quality": decoded.jpeg_quality,
        "bytes": len(image.data),
    }


def finish_import(
    reports: list[ChunkReport],
    folder: StorePath,
    *,
    id: str,
    name: str,
    source: str,
    groups: Mapping[str, str] | None = None,
    created_at: str = "",
) -> DatasetInfo:
    """The finished data set's description; `folder` now holds index.parquet and info.json beside its shards.

    `groups` (path -> group) adds to the groups that the images carry. Raises NoImages, StorageFull.
    """
    ordered = sorted((report for report in reports if report.images), key=lambda report: report.number)
    skips = [skip for report in sorted(reports, key=lambda report: report.number) for skip in report.first_skipped]
    if not ordered:
        why = f" The first: {skips[0].filename}: {skips[0].message}" if skips else ""
        raise NoImages(
            f"None of the files could be read as an image.{why}",
            "Send JPEG, PNG or other image files; for a training in folders REAL/ and FAKE/.",
        )
    _remove_strays(folder / SHARDS, {report.shard for report in ordered})
    index = pa.concat_tables(
        read_ahead(lambda report: read_values(folder / SHARDS / report.shard, report.number), ordered)
    )
    if groups:
        pairs = zip(index["path"].to_pylist(), index["group"].to_pylist(), strict=True)
        given = [groups.get(path, own) for path, own in pairs]
        index = index.set_column(index.column_names.index("group"), "group", pa.chunked_array([given], pa.string()))
    index = index.append_column("group_id", pa.array(resolve_groups(index["pixel_sha256"], index["group"])))
    index = index.add_column(0, "row", pa.array(range(index.num_rows), pa.int64()))
    info = DatasetInfo(
        id=id,
        name=name,
        version=1,
        created_at=created_at or datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        source=source,
        **figures_of(index),
        skipped={
            "count": sum(report.skipped for report in reports),
            "first": [skip.to_json() for skip in skips[:MAX_REPORTED]],
        },
    )
    write_runs(folder, index)
    write_version(folder, info, index)
    return info


def _remove_strays(shards: StorePath, kept: set[str]) -> None:
    """Removes shards without images or of an earlier plan, and what killed workers left half-written."""
    remove(shards / name for name in list_tree(shards) if not name.endswith(".json") and name not in kept)


def run_here(
    function: Callable[[Task], Result], tasks: list[Task], on_result: Callable[[int, Result], None], /
) -> None:
    """A Runner that works in this process, one task after another."""
    for position, task in enumerate(tasks):
        on_result(position, function(task))


def import_dataset(
    description: Description,
    folder: StorePath,
    *,
    id: str,
    name: str,
    limits: ImportLimits,
    run: Runner = run_here,
    progress: Progress | None = None,
    stop: Callable[[], bool] = never,
    downloads: StorePath | None = None,
    scratch: Path | None = None,
    admit: Callable[[int], None] = lambda _: None,
) -> DatasetInfo:
    """The description of the data set that now stands in `folder`, in which a later run goes on where this one ends.

    A known archive without a path is downloaded to `downloads`, where it stays, by way of the local folder `scratch`
    where `downloads` is not local. Progress counts files read, stage "import". `admit` is asked with the bytes of all
    images before they become a data set. Raises what it, fetch_into, the source, import_chunk and finish_import raise.
    """
    kind = str(description.get("kind"))
    if kind in KNOWN and not description.get("path") and downloads is not None:
        description = {
            **description,
            "path": str(fetch_into(kind, downloads, scratch or local_scratch(), progress=progress)),
        }
    source = open_source(description, limits)
    plans, groups = source.chunks(), source.groups()
    shards = folder / SHARDS
    tasks = [
        ImportTask(dict(description), plan, str(shards / f"{plan.number:05d}.parquet"), limits, stop) for plan in plans
    ]
    total, done = sum(plan.images for plan in plans), 0
    reports: list[ChunkReport] = []

    def collect(position: int, report: ChunkReport) -> None:
        nonlocal done
        done += plans[position].images
        reports.append(report)
        if progress:
            progress("import", done, total)

    if progress:
        progress("import", 0, total)
    run(run_import_task, tasks, collect)
    admit(sum(report.bytes for report in reports))
    made: list[DatasetInfo] = []  # where the others ran too: the index needs memory for every row
    finish = FinishTask(tuple(reports), folder, id, name, kind, groups)
    run(run_finish_task, [finish], lambda _, info: made.append(info))
    return made[0]


def make_dataset_id(name: str, token: str) -> str:
    """An id of [a-z0-9-] for a data set: the name's letters, then the first 8 letters of `token` (hexadecimal)."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "dataset"
    return f"{slug}-{token[:8]}"
