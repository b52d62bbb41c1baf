"""From a source to a data set: chunks on workers, each one Parquet shard; then the index over all of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from backend.core.errors import Cancelled, ImageError, NoImages
from backend.core.images import decode, pixel_digest
from backend.service.dataset_index import figures_of, write_version
from backend.service.dataset_info import SHARDS, DatasetInfo
from backend.service.downloads import KNOWN, fetch_known
from backend.service.duplicates import resolve_groups
from backend.service.shards import LABEL_NAMES, ShardWriter, read_values, written_whole
from backend.service.signals import never
from backend.service.sources import ChunkPlan, Description, ImportLimits, RawImage, Skip, open_source

MAX_REPORTED = 100
"""So many skipped files are named, per chunk and per data set; all are counted."""

IMAGES_BETWEEN_STOPS = 50
"""A chunk asks so often whether to go on."""

Progress = Callable[[str, int, int], None]


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


Runner = Callable[
    [Callable[[ImportTask], ChunkReport], list[ImportTask], Callable[[int, ChunkReport], None]],
    None,
]
"""Runs the function on every task, in any order and process, and calls back with a task's position and its report."""


def run_import_task(task: ImportTask) -> ChunkReport:
    """The report of import_chunk."""
    return import_chunk(task.description, task.plan, Path(task.shard_path), task.limits, task.stop)


def import_chunk(
    description: Description,
    plan: ChunkPlan,
    shard_path: Path,
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
    if finished and shard_path.exists():
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
    with written_whole(report_path) as temporary:
        temporary.write_text(json.dumps({"key": key, "report": asdict(report)}), encoding="utf-8")
    return report


def _read_report(path: Path, key: str) -> ChunkReport | None:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
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
    folder: Path,
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
        raise NoImages(f"None of the files could be read as an image.{why}", "Send images in REAL/ and FAKE/ folders.")
    _remove_strays(folder / SHARDS, {report.shard for report in ordered})
    index = pa.concat_tables([read_values(folder / SHARDS / report.shard, report.number) for report in ordered])
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
    write_version(folder, info, index)
    return info


def _remove_strays(shards: Path, kept: set[str]) -> None:
    """Removes shards without images or of an earlier plan, and what killed workers left half-written."""
    for path in shards.iterdir():
        if path.suffix != ".json" and path.name not in kept:
            path.unlink()


def run_here(
    function: Callable[[ImportTask], ChunkReport],
    tasks: list[ImportTask],
    on_result: Callable[[int, ChunkReport], None],
) -> None:
    """A Runner that works in this process, one task after another."""
    for position, task in enumerate(tasks):
        on_result(position, function(task))


def import_dataset(
    description: Description,
    folder: Path,
    *,
    id: str,
    name: str,
    limits: ImportLimits,
    run: Runner = run_here,
    progress: Progress | None = None,
    stop: Callable[[], bool] = never,
    downloads: Path | None = None,
) -> DatasetInfo:
    """The description of the data set that now stands in `folder`, a staging folder that a later run may go on with.

    A known archive without a path is downloaded to `downloads`, where it stays. Progress counts files read, stage
    "import". Raises what fetch_known, the source, import_chunk and finish_import raise.
    """
    kind = str(description.get("kind"))
    if kind in KNOWN and not description.get("path") and downloads is not None:
        description = {**description, "path": str(fetch_known(kind, downloads, progress=progress))}
    source = open_source(description, limits)
    plans, groups = source.chunks(), source.groups()
    shards = (folder / SHARDS).resolve()
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
    return finish_import(reports, folder, id=id, name=name, source=kind, groups=groups)


def make_dataset_id(name: str, token: str) -> str:
    """An id of [a-z0-9-] for a data set: the name's letters, then the first 8 letters of `token` (hexadecimal)."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "dataset"
    return f"{slug}-{token[:8]}"
