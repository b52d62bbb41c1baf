"""The robustness battery: a model on changed copies of a sample of a data set's test images."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.detector import Detector, restore
from backend.core.errors import Cancelled, NotFound, OneClass
from backend.core.images import MOST_PIXELS, decode
from backend.core.robustness import measure_robustness, score_copies
from backend.service.backbones import local_backbones
from backend.service.database import utc_now
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk, read_chunk
from backend.service.evaluating import find_training_set, training_pixels
from backend.service.job_context import JobContext
from backend.service.model_files import PREDICTIONS, Card, read_arrays
from backend.service.signals import Turn
from backend.service.storage import read_bytes, write_bytes
from backend.settings import StorePath, store_path

if TYPE_CHECKING:
    from backend.service.app import Service

LEAST_IMAGES, MOST_IMAGES, IMAGES = 20, 5_000, 1_000
_AT_ONCE, _PIXELS_AT_ONCE = 32, 4_000_000
"""The copies of so many images, or of so many pixels, are scored together."""


def run_battery(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Job "robustness": {"model_id", "dataset_id", "images", "seed"} -> {"model_id", "dataset_id"}.

    The result stands in the model's folder and goes with the model; a later one of the same data set takes its place.
    """
    service: Service = context.service
    info = service.datasets.get(str(params["dataset_id"]))
    card = service.registry.get(str(params["model_id"]))
    folder = service.registry.folder(card["id"])
    sample = SampleTask(
        service.datasets.root,
        info,
        folder,
        card,
        int(params["images"]),
        int(params["seed"]),
        trained_on=find_training_set(service.datasets.list(), card),
    )
    drawn = service.engine.call(draw_sample, sample, cancelled=context.cancelled)
    rows = drawn.rows
    tasks = _tasks(context, info, card, np.array(rows))
    scores: dict[int, list[list[float]]] = {}
    done = 0

    def collect(number: int, found: list[list[float]]) -> None:
        nonlocal done
        scores[number] = found
        done += len(tasks[number].rows)
        context.progress("robustness", done, len(rows))

    context.progress("robustness", 0, len(rows))
    service.engine.map(score_chunk, tasks, on_result=collect, cancelled=context.cancelled)
    together = np.concatenate([np.array(scores[number]) for number in range(len(tasks))], axis=1)
    y = np.array(drawn.labels, dtype=np.int8)
    result = {
        "model_id": card["id"],
        "dataset_id": info.id,
        "dataset_version": info.version,
        "split": drawn.split,
        "excluded": {"in_training": drawn.excluded},
        "images": {"REAL": int((y == 0).sum()), "FAKE": int((y == 1).sum())},
        "seed": int(params["seed"]),
        "created_at": utc_now(),
        "rows": measure_robustness(service.registry.detector(card["id"]), y, together),
    }
    write_bytes(_path(folder, info.id), json.dumps(result, allow_nan=False).encode())
    return {"model_id": card["id"], "dataset_id": info.id}


def read_robustness(service: Service, model_id: str, dataset_id: str) -> dict[str, Any]:
    """The latest result of a model over a data set. Raises NotFound."""
    folder = service.registry.folder(str(service.registry.get(model_id)["id"]))
    info = service.datasets.get(dataset_id)
    try:
        result: dict[str, Any] = json.loads(read_bytes(_path(folder, info.id)))
    except FileNotFoundError:
        raise NotFound(
            f"The robustness of {model_id!r} over {info.name!r} was not measured.", "POST /robustness measures it."
        ) from None
    return result


def _path(folder: StorePath, dataset_id: str) -> StorePath:
    return folder / f"robustness-{dataset_id}.json"


def _tasks(context: JobContext, info: DatasetInfo, card: Card, rows: NDArray[np.int64]) -> list[ScoreTask]:
    """One task a chunk that has images of the sample, in row order."""
    service: Service = context.service
    tasks, start = [], 0
    for chunk in service.datasets.chunks(info.id):
        chosen = rows[(rows >= start) & (rows < start + chunk.rows)]
        if len(chosen):
            places = tuple(int(row) - start for row in chosen)
            folder, backbones = service.registry.folder(card["id"]), service.settings.backbones_dir
            tasks.append(ScoreTask(chunk, start, places, folder, backbones, json.dumps(card), context.turn))
        start += chunk.rows
    return tasks


@dataclass(frozen=True)
class SampleTask:
    """What the images are drawn from."""

    datasets: StorePath
    info: DatasetInfo
    folder: StorePath  # of the model
    card: Mapping[str, Any]
    images: int
    seed: int
    trained_on: DatasetInfo | None  # the data set of its fit, where it is still there


@dataclass(frozen=True)
class Sample:
    """The images whose copies are scored."""

    rows: list[int]  # in order
    labels: list[int]  # 1 FAKE, 0 REAL
    split: str  # that they are of, or "all"
    excluded: int | None  # images left out since they stand in the model's training set; None: those are not known


def draw_sample(task: SampleTask) -> Sample:
    """As many REAL as FAKE images, where there are enough, none of which the model has learnt.

    Of the data set that the model was fitted on, its own test images; of another one the images marked as test, all
    where none are. Runs on a worker, since it reads a row for every image. Raises OneClass.
    """
    index = DatasetStore(task.datasets).index(task.info, ["row", "label", "split", "pixel_sha256"])
    row, label = (index[name].to_numpy() for name in ("row", "label"))
    split = np.asarray(index["split"].to_pylist(), dtype=np.str_)
    own = (task.card.get("dataset") or {}).get("id") == task.info.id
    tested = _tested_rows(task.folder) if own else None
    is_test = np.isin(row, tested) if tested is not None else split == "test"
    name = "test" if is_test.any() else "all"
    candidates = np.flatnonzero(is_test) if is_test.any() else np.arange(len(row))
    known, excluded = training_pixels(task), None
    if known is not None:
        learnt = np.asarray(pc.is_in(index["pixel_sha256"], value_set=known), dtype=bool)[candidates]
        candidates, excluded = candidates[~learnt], int(learnt.sum())
    random = np.random.default_rng(task.seed)
    drawn = []
    for value, title in ((0, "REAL"), (1, "FAKE")):
        of_class = candidates[label[candidates] == value]
        if len(of_class) == 0:
            besides = f" besides the {excluded} images that the model was trained on" if excluded else ""
            raise OneClass(
                f"There are no {title} images to test on{besides}.", "Choose a data set with images of both classes."
            )
        drawn.append(random.permutation(of_class)[: task.images // 2])
    chosen = np.sort(np.concatenate(drawn))
    return Sample(row[chosen].tolist(), label[chosen].tolist(), name, excluded)


def _tested_rows(folder: StorePath) -> NDArray[np.int64] | None:
    """The rows of the images that the model was tested with; None where it keeps no note of them."""
    try:
        table = pq.read_table(io.BytesIO(read_bytes(folder / PREDICTIONS)), columns=["row", "split"])
    except (FileNotFoundError, pa.ArrowException):
        return None
    is_test = np.asarray(table["split"].to_pylist(), dtype=np.str_) == "test"
    rows: NDArray[np.int64] = table["row"].to_numpy()[is_test]
    return rows if len(rows) else None


@dataclass(frozen=True)
class ScoreTask:
    """The images of one chunk that are in the sample."""

    chunk: FeatureChunk
    start: int  # row of the chunk's first image
    rows: tuple[int, ...]  # places in the chunk
    folder: StorePath  # of the model
    backbones: StorePath
    card: str  # JSON
    stop: Turn


def score_chunk(task: ScoreTask) -> list[list[float]]:
    """Scores [copies, images] of the chunk's images, see `score_copies`. Runs on a worker."""
    detector = _detector(task.card, str(task.folder), str(task.backbones))
    files = read_chunk(task.chunk)
    parts: list[NDArray[np.float64]] = []
    images: list[NDArray[np.uint8]] = []
    seeds: list[int] = []
    for row in task.rows:
        if task.stop():
            raise Cancelled("The job was told to stop.")
        image = decode(files[row], max_pixels=MOST_PIXELS, reduce_above=detector.extractor.reduce_above)
        images.append(image.pixels)
        seeds.append(task.start + row)
        is_last = row == task.rows[-1]
        if is_last or len(images) == _AT_ONCE or sum(pixels.size for pixels in images) >= 3 * _PIXELS_AT_ONCE:
            parts.append(score_copies(detector, images, seeds))
            images, seeds = [], []
    scores: list[list[float]] = np.concatenate(parts, axis=1).tolist()
    return scores


@lru_cache(maxsize=2)
def _detector(card: str, folder: str, backbones: str) -> Detector:
    """The detector of a card (JSON), loaded once in each worker process."""
    about = json.loads(card)
    local = local_backbones(about["extractor"]["spec"], store_path(backbones))
    return restore(about, read_arrays(store_path(folder)), backbones=local)
