"""Fine-tuning as one task on a worker: a data set's images in, a network's graph in the folder of backbones out."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.core.detector import Progress
from backend.core.errors import ConfigError
from backend.core.extractors import FINETUNED, check_spec
from backend.core.extractors.finetuned import file_name
from backend.core.extractors.network import reduced
from backend.core.extractors.stored import digest_of_file
from backend.core.held_out import WHOLE_BELOW, two_halves
from backend.core.images import MOST_PIXELS, decode
from backend.core.splits import thin
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk, read_chunk
from backend.service.fit_columns import FIT_COLUMNS, Columns, read_columns
from backend.service.fitting import check_fit, network_knows
from backend.service.storage import exists, read_ahead, read_bytes, write_bytes
from backend.settings import StorePath, local_scratch

if TYPE_CHECKING:
    from backend.core.config import FitConfig
    from backend.core.extractors.graph import FeatureGraph
    from backend.core.finetune.network import Labelled

CHECKPOINT, RESULT = "finetune.safetensors", "finetune.json"
"""In the job's folder: the state of the training, and what it led to."""

VALIDATION_IMAGES = 5_000
"""Most validation images that tell how good an epoch is; they are half of all, the ones that calibrate."""

GATHER = "gather"
"""Stage in which the images are read."""


@dataclass(frozen=True)
class FinetuneTask:
    """Everything the worker needs, as paths and plain values."""

    datasets: StorePath
    info: DatasetInfo  # of the version that is fitted on
    backbones: StorePath
    chunks: tuple[FeatureChunk, ...]
    config: FitConfig  # with `finetune`
    most_bytes: int  # of pixels in memory at once
    folder: StorePath  # of the job: it outlives a killed worker and a killed server
    threads: int | None  # of PyTorch; None: one a core of the worker's machine


def finetune_on_worker(task: FinetuneTask, progress: Progress) -> dict[str, Any]:
    """{"spec": of the extractor that runs the fine-tuned network, "report": for the model card}.

    Goes on from the job's last checkpoint, and trains nothing where that is done. Where the training images need more
    than `task.most_bytes`, a sample of them is taken, the same each time.
    """
    if (done := _read_result(task)) is not None:
        return done
    from backend.core.extractors.backbones import weights_digest  # these import torch
    from backend.core.extractors.export import build_graph, write_graph
    from backend.core.finetune.checkpoint import Place
    from backend.core.finetune.train import Plan, finetune

    config = task.config
    if config.finetune is None:
        raise ConfigError("The fit asks for no fine-tuning.")
    columns = read_columns(DatasetStore(task.datasets).index(task.info, FIT_COLUMNS), config)
    check_fit(columns, config)
    spec = check_spec(config.extractor)
    graph, _ = build_graph(**{key: value for key, value in spec.items() if key != "name"})
    train, validation = _gather(task, columns, graph, progress)
    tuned = finetune(
        graph,
        train,
        validation,
        Plan(config.finetune, config.head.class_weight, config.seed),
        threads=task.threads or len(os.sched_getaffinity(0)),
        progress=progress,
        place=Place(lambda: _read(task.folder / CHECKPOINT), lambda data: write_bytes(task.folder / CHECKPOINT, data)),
    )
    about = {
        "backbone": spec["backbone"],
        "weights": weights_digest(tuned.graph.network),
        "spec": spec,
        **network_knows(task.info, config),
    }
    local_scratch().mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=local_scratch(), prefix=".finetune-") as folder:
        path = Path(folder) / "graph.onnx"
        write_graph(tuned.graph, path, about)
        data = path.read_bytes()
    network = digest_of_file(data)
    write_bytes(task.backbones / file_name(network), data)
    result = {"spec": {"name": FINETUNED, "network": network}, "report": tuned.report}
    write_bytes(task.folder / RESULT, json.dumps(result).encode())
    return result


def _read_result(task: FinetuneTask) -> dict[str, Any] | None:
    """What an earlier start of this job came to, if its graph is still there."""
    data = _read(task.folder / RESULT)
    if data is None:
        return None
    result: dict[str, Any] = json.loads(data)
    return result if exists(task.backbones / file_name(result["spec"]["network"])) else None


def _read(path: StorePath) -> bytes | None:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None


def _gather(task: FinetuneTask, columns: Columns, graph: FeatureGraph, progress: Progress) -> tuple[Labelled, Labelled]:
    """Training images, and the validation images that tell how good an epoch is.

    Pixels stay as they are where all images are squares of one side, no larger than the network's input; else each is
    resized to that once, rounded to whole values.
    """
    from backend.core.finetune.network import Labelled

    used = columns.split != "test"
    shortest, longest = int(columns.shortest[used].min()), int(columns.longest[used].max())
    side = longest if shortest == longest <= graph.input_size else graph.input_size
    train = np.flatnonzero(columns.split == "train")
    most = max(1, task.most_bytes // (3 * side * side))
    train = train[thin(columns.group[train], columns.y[train], most, task.config.seed)]
    held = np.flatnonzero(columns.split == "validation")
    first, _ = two_halves(columns.group[held], columns.y[held], task.config.seed, whole_below=WHOLE_BELOW)
    held = held[first]
    held = held[thin(columns.group[held], columns.y[held], VALIDATION_IMAGES, task.config.seed)]
    chosen = np.concatenate([np.sort(train), np.sort(held)])
    pixels = _read_pixels(task, columns.row[chosen], side, graph, progress)
    y, groups, cut = columns.y[chosen], columns.group[chosen], len(train)
    return Labelled(pixels[:cut], y[:cut], groups[:cut]), Labelled(pixels[cut:], y[cut:], groups[cut:])


def _read_pixels(
    task: FinetuneTask, rows: NDArray[np.int64], side: int, graph: FeatureGraph, progress: Progress
) -> NDArray[np.uint8]:
    """The images of `rows`, in their order, as [n, side, side, 3]."""
    starts = np.cumsum([0, *(chunk.rows for chunk in task.chunks)])
    pixels = np.empty((len(rows), side, side, 3), np.uint8)
    order = np.argsort(rows, kind="stable")
    work = []
    for number, chunk in enumerate(task.chunks):
        low, high = np.searchsorted(rows, starts[number : number + 2], sorter=order)
        if low < high:
            work.append((chunk, int(starts[number]), order[low:high]))

    def read(item: tuple[FeatureChunk, int, NDArray[np.intp]]) -> int:
        chunk, start, places = item
        files = read_chunk(chunk)
        for place in places:
            image = decode(files[rows[place] - start], max_pixels=MOST_PIXELS).pixels
            pixels[place] = to_side(image, side, graph)
        return len(places)

    done = 0
    progress(GATHER, done, len(rows))
    for count in read_ahead(read, work):
        done += count
        progress(GATHER, done, len(rows))
    return pixels


def to_side(image: NDArray[np.uint8], side: int, graph: FeatureGraph) -> NDArray[np.uint8]:
    """The image [height, width, 3] as [side, side, 3]: as it is, or resized as the graph does it."""
    if image.shape[:2] == (side, side):
        return image
    import torch

    with torch.no_grad():
        resized = graph.resize(torch.from_numpy(np.array(reduced(image, side)))[None])[0]
    return resized.round().clamp(0, 255).permute(1, 2, 0).to(torch.uint8).numpy()
