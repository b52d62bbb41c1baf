"""Job "profile": every image of a data set measured on workers; then the profile with its audit, as one file."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.core.audit.report import INDEX_COLUMNS, audit
from backend.core.audit.traits import join, measure_traits, read_header
from backend.core.eda import RowInfo, finish, merge, stats_of
from backend.core.eda_partial import LABEL_NAMES, Partial
from backend.core.errors import Cancelled
from backend.core.images import MOST_PIXELS, DecodedImage, decode
from backend.service.dataset_info import PROFILE, DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk, read_chunk
from backend.service.signals import Turn
from backend.service.storage import read_bytes, write_bytes
from backend.settings import StorePath

if TYPE_CHECKING:
    from backend.service.app import Service
    from backend.service.job_context import JobContext

MOST_AUDITED = 120_000
"""Of larger data sets every second, third ... image is audited; all are profiled."""


def profile_images(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "profile": {"dataset_id"} -> {"dataset_id"}; the profile stands beside the data set's index.

    Each version of a data set has a profile of its own.
    """
    service: Service = context.service
    info = service.datasets.get(params["dataset_id"])
    if read_profile(service.datasets.root, info) is not None:
        return {"dataset_id": info.id}
    chunks = service.datasets.chunks(info.id)
    total = sum(chunk.rows for chunk in chunks)
    every = max(1, -(-total // MOST_AUDITED))
    files = tuple(context.folder / f"measures-{number}.npz" for number in range(len(chunks)))
    tasks, start = [], 0
    for chunk, file in zip(chunks, files, strict=True):
        tasks.append(ProfileTask(service.datasets.root, info, chunk, start, every, file, context.turn))
        start += chunk.rows
    merged, waiting = Partial(), dict[int, Partial]()
    done = joined = 0

    def collect(number: int, part: Partial) -> None:
        nonlocal merged, done, joined
        waiting[number] = part
        while joined in waiting:  # in row order, so that the figures never depend on the workers' speed
            merged = merge(merged, waiting.pop(joined))
            joined += 1
        done += chunks[number].rows
        context.progress("profile", done, total)

    context.progress("profile", 0, total)
    service.engine.map(profile_chunk, tasks, on_result=collect, cancelled=context.cancelled)
    finish_task = FinishProfileTask(service.datasets.root, info, merged, files)
    service.engine.map(finish_profile, [finish_task], on_result=lambda *_: None, cancelled=context.cancelled)
    return {"dataset_id": info.id}


def read_profile(root: StorePath, info: DatasetInfo) -> dict[str, Any] | None:
    """The profile of that version below the data sets' folder `root`, or None.

    One that an earlier program made, without an audit, does not count: it is made anew.
    """
    try:
        profile: dict[str, Any] = json.loads(read_bytes(_path(root, info)))
    except FileNotFoundError:
        return None
    return profile if "audit" in profile else None


def read_findings(root: StorePath, info: DatasetInfo) -> list[dict[str, str]] | None:
    """`[{code, severity, title}]` of the audit, for a model's card; None where the data set was not audited yet."""
    profile = read_profile(root, info)
    if profile is None:
        return None
    return [{key: found[key] for key in ("code", "severity", "title")} for found in profile["audit"]["findings"]]


@dataclass(frozen=True)
class ProfileTask:
    """One chunk of a data set to be measured."""

    datasets: StorePath
    info: DatasetInfo
    chunk: FeatureChunk
    start: int  # row of its first image
    every: int  # rows that this number divides are audited
    measures: StorePath  # file for the numbers of each image: too much for messages
    stop: Turn


def profile_chunk(task: ProfileTask) -> Partial:
    """Sums over one chunk's images, without dropped ones; the numbers of each stand in a file. Runs on a worker."""

    def go_on() -> None:
        if task.stop():
            raise Cancelled("The job was told to stop.")

    columns = ["row", "label", "split", "generator", "bytes"]
    index = DatasetStore(task.datasets).index_rows(task.info, task.start, task.start + task.chunk.rows, columns)
    go_on()
    infos = [RowInfo(**{**row, "label": LABEL_NAMES[row["label"]]}) for row in index.to_pylist()]
    files = read_chunk(task.chunk)
    images = (decode(files[info.row - task.start], max_pixels=MOST_PIXELS) for info in infos)
    traits: list[NDArray[Any]] = []

    def measure(images: list[DecodedImage], infos: list[RowInfo], spectra: NDArray[np.float32]) -> None:
        go_on()
        seen = [place for place, info in enumerate(infos) if info.row % task.every == 0]
        rows = [infos[place].row for place in seen]
        headers = [read_header(files[row - task.start]) for row in rows]
        traits.append(measure_traits([images[place] for place in seen], headers, rows, spectra[seen]))

    partial = stats_of(images, infos, measure)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, images=partial.images(), traits=join(traits))
    write_bytes(task.measures, buffer.getvalue())
    return replace(partial, blocks=())


@dataclass(frozen=True)
class FinishProfileTask:
    """The measures of all images, to become the profile."""

    datasets: StorePath
    info: DatasetInfo
    sums: Partial  # of all chunks
    measures: tuple[StorePath, ...]  # their files


def finish_profile(task: FinishProfileTask) -> None:
    """Writes the profile. Runs on a worker, since it reads a row for every image."""
    index = DatasetStore(task.datasets).index(task.info, INDEX_COLUMNS)
    measured = [np.load(io.BytesIO(read_bytes(file)), allow_pickle=False) for file in task.measures]
    merged = replace(task.sums, blocks=tuple(arrays["images"] for arrays in measured))
    profile = finish(merged, index)
    images, traits = merged.images(), join([arrays["traits"] for arrays in measured])
    audited = np.isin(images["row"], traits["row"])
    rows = index.filter(pa.array(np.isin(index["row"].to_numpy(), traits["row"])))
    profile["audit"] = audit(images[audited], traits, rows, profile)
    write_bytes(_path(task.datasets, task.info), json.dumps(profile, allow_nan=False).encode())


def _path(root: StorePath, info: DatasetInfo) -> StorePath:
    return root / info.id / info.file(PROFILE)
