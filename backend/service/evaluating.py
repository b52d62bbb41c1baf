"""The parts of a model's evaluation that run on a worker: which images, and their figures by generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.detector import Detector, Progress, restore
from backend.core.errors import Conflict, NotFound
from backend.core.generators import add_verdicts, evaluate_generators, note
from backend.core.hypothesis import Trial, conclude
from backend.service.backbones import local_backbones, make_extractor
from backend.service.dataset_index import digest_of, read_index
from backend.service.dataset_info import INDEX, DatasetInfo
from backend.service.datasets import DatasetStore
from backend.service.features import FeatureStore
from backend.service.gathering import Gathered, Source, blocks, gather, needed_chunks, unnamed_generator
from backend.service.model_files import PREDICTIONS, read_arrays
from backend.service.storage import read_bytes
from backend.settings import StorePath

TEST, ALL = "test", "all"
"""Which images: those that a data set names as test images, all of them where it names none; or all in any case."""

_DIGESTED = ("sha256", "label", "split", "generator", "group")  # what a data set's digest is made of
_UNKNOWN = (
    "The images that the model was trained on are not here any more: those among the evaluated ones could not be left "
    "out, and figures of generators that it knows may be too good."
)


class OfModel(Protocol):
    """A task that asks a model about images: what says which of them it has learnt."""

    @property
    def datasets(self) -> StorePath: ...

    @property
    def folder(self) -> StorePath: ...  # of the model

    @property
    def card(self) -> Mapping[str, Any]: ...

    @property
    def trained_on(self) -> DatasetInfo | None: ...  # the data set of its fit, where it is still there


@dataclass(frozen=True)
class EvaluateTask:
    """Everything the worker needs, as paths and plain values."""

    datasets: StorePath
    sources: tuple[Source, ...]
    features: StorePath
    backbones: StorePath
    folder: StorePath  # of the model
    card: Mapping[str, Any]
    trained_on: DatasetInfo | None  # the data set of its fit, where it is still there
    split: str


def choose_images(task: EvaluateTask) -> tuple[list[list[int]], str]:
    """(for each source the chunks whose features are needed, the digest of the extractor that makes them).

    Raises NoImages where no image is left, Conflict where this installation would compute other features than those
    that the model was fitted on.
    """
    gathered, chosen, *_ = _choose(task)
    needed = needed_chunks(task.sources, gathered.places(chosen))
    digest = make_extractor(task.card["extractor"]["spec"], task.backbones).digest
    if digest != task.card["extractor"]["digest"]:
        raise Conflict(
            "The model was fitted on features that this installation computes differently.",
            "Fit it again, or restore the backbone that its card names.",
        )
    return needed, digest


def evaluate_on_worker(task: EvaluateTask, progress: Progress) -> dict[str, Any]:
    """The figures as JSON: of `evaluate_generators`, `add_verdicts`, `conclude`; `seen` of generators; `excluded`."""
    gathered, chosen, excluded, is_known = _choose(task)
    detector = _detector(task)
    y, names = gathered.y[chosen], gathered.generators[chosen]
    scores, odd, done = np.empty(len(y)), np.zeros(len(y), bool), 0
    store, places = FeatureStore(task.features), gathered.places(chosen)
    for images, features in blocks(store, task.sources, places, detector.extractor.digest):
        progress("evaluate", done, len(y))
        scores[images] = found = detector.scores(features)
        odd[images] = detector.outside(features) | detector.doubted(features, detector.probabilities(found))
        done += len(images)
    probabilities = detector.probabilities(scores)
    files = (each[chosen] for each in (gathered.shortest, gathered.longest, gathered.quality))
    unsure = odd | detector.unsure(probabilities, *files)
    called = probabilities >= detector.threshold
    seed = int(task.card.get("seed") or 0)
    figures = evaluate_generators(y, scores, probabilities, detector.threshold, names, seed=seed)
    add_verdicts(figures, y, called, unsure, names)
    seen = {str(name) for name in task.card.get("generators", ())}
    if task.trained_on is not None and is_known:
        seen.add(unnamed_generator(task.trained_on))
    for row in figures["generators"]:
        row["seen"] = row["generator"] in seen
    if not is_known:
        figures["notes"].append(note("training_unknown", _UNKNOWN))
    calls = {row["generator"]: called[(y == 1) & (names == row["generator"])] for row in figures["generators"]}
    trial = Trial(str(task.card["id"]), tuple(name for name in calls if name in seen), calls, figures["fpr"])
    return {**figures, "excluded": {"in_training": excluded}, "conclusion": conclude([trial], seed)}


def _choose(task: EvaluateTask) -> tuple[Gathered, NDArray[np.bool_], int, bool]:
    """(all images, mask of those to evaluate, how many were left out as training images, whether those are known)."""
    gathered = gather(task.datasets, task.sources)
    wanted = np.ones(len(gathered.y), bool)
    for number in range(len(task.sources)) if task.split == TEST else ():
        mine = gathered.source == number
        if (gathered.split[mine] == TEST).any():
            wanted &= ~mine | (gathered.split == TEST)
    trained = np.zeros(len(wanted), bool)
    if (known := training_pixels(task)) is not None:
        trained = np.asarray(pc.is_in(gathered.pixels, value_set=known), dtype=bool)
    return gathered, wanted & ~trained, int(np.count_nonzero(wanted & trained)), known is not None


def training_pixels(task: OfModel) -> pa.Array | None:
    """The pixel digests of the images that the model was trained or calibrated on; None where they are not known.

    Those of its own data set but for the test images, and the FAKE ones of every data set that was enrolled.
    """
    own, store = _own_pixels(task), DatasetStore(task.datasets)
    if own is None:
        return None
    try:
        indexes = [
            store.index(str(one["dataset_id"]), ["label", "pixel_sha256"]) for one in task.card.get("enrolled", ())
        ]
    except NotFound:
        return None
    brought = [index.filter(pc.equal(index["label"], 1))["pixel_sha256"].combine_chunks() for index in indexes]
    return pa.concat_arrays([own, *brought])


def _own_pixels(task: OfModel) -> pa.Array | None:
    if task.trained_on is None:
        return None
    try:
        told = pq.read_table(BytesIO(read_bytes(task.folder / PREDICTIONS)), columns=["row", "path", "split"])
        path = task.datasets / task.trained_on.id / task.trained_on.file(INDEX)
        index = read_index(path, [*_DIGESTED, "row", "path", "pixel_sha256"], with_dropped=True)
    except FileNotFoundError:
        return None
    if not _is_training_set(task.trained_on, index, task.card):
        return None
    rows = told["row"].to_numpy()
    if (len(rows) and rows.max() >= index.num_rows) or not index["path"].take(rows).equals(told["path"]):
        return None  # another data set, or one that was imported in another order
    return index["pixel_sha256"].take(rows[np.asarray(pc.not_equal(told["split"], TEST))]).combine_chunks()


def find_training_set(infos: list[DatasetInfo], card: Mapping[str, Any]) -> DatasetInfo | None:
    """The data set that a model was fitted on, by its id or as the same images under another one; None: it is gone.

    The same images may have been imported without the name of their generator: such a set is a guess by its size, which
    `training_pixels` checks.
    """
    known = card.get("dataset") or {}
    whole = [info for info in infos if not info.dropped]
    candidates = (
        [info for info in infos if info.id == known.get("id")],
        [info for info in whole if info.digest == known.get("digest")],
        [info for info in whole if info.images == known.get("images") and set(info.generators) == {""}],
    )
    return next((found[0] for found in candidates if found), None)


def _is_training_set(info: DatasetInfo, index: pa.Table, card: Mapping[str, Any]) -> bool:
    """Whether the data set is the one of the fit, or the same images without the name of their only generator."""
    known, names = card.get("dataset") or {}, list(card.get("generators", ()))
    if info.id == known.get("id") or info.digest == known.get("digest"):
        return True
    if len(names) != 1 or set(info.generators) != {""}:
        return False
    named = pc.if_else(pc.equal(index["label"], 1), names[0], "")
    return digest_of(index.set_column(index.column_names.index("generator"), "generator", named)) == known.get("digest")


def _detector(task: EvaluateTask) -> Detector:
    backbones = local_backbones(task.card["extractor"]["spec"], task.backbones)
    try:
        return restore(task.card, read_arrays(task.folder), backbones=backbones)
    except FileNotFoundError as error:
        raise NotFound("The model was removed meanwhile.", "GET /models lists the models that exist.") from error
