"""The part of a fit that runs as one task on a worker: cached features in, a model's files out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from backend.core.codec import codec_of
from backend.core.config import FitConfig
from backend.core.detector import CROSS_FIT_BELOW, Detector, Progress, check_trainable, fit
from backend.core.domain import fit_domain
from backend.core.errors import ConfigError, OneClass, TooFewImages
from backend.core.evaluation import cifar_class, evaluate
from backend.core.extractors import FINGERPRINT, Extractor, fingerprints_in, parts_of
from backend.core.extractors.concat import parts_in
from backend.core.extractors.finetuned import FinetunedExtractor
from backend.core.extractors.network import NetworkExtractor
from backend.core.guarantee import promise_fpr
from backend.core.heads import HEADS
from backend.core.held_out import Rows, both
from backend.core.left_out import HEAD as LEFT_OUT_HEAD
from backend.core.left_out import measure_left_out, name_generators, unknown
from backend.core.splits import thin
from backend.core.traces import traces_of
from backend.service.backbones import make_extractor
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk
from backend.service.editing import measure_held_out_edits
from backend.service.enrolling import Enrolling, enrol
from backend.service.features import FeatureStore
from backend.service.fit_columns import FIT_COLUMNS, Columns, read_columns, sees_images
from backend.service.model_files import PREDICTIONS, write_head
from backend.service.storage import read_ahead, written_whole
from backend.settings import StorePath

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class FitTask:
    """Everything the worker needs, as paths and plain values."""

    datasets: StorePath
    info: DatasetInfo  # of the version that is fitted on
    features: StorePath
    backbones: StorePath
    chunks: tuple[FeatureChunk, ...]
    config: FitConfig
    most_bytes: int  # of features in memory at once, float32, for training and for validation each
    folder: StorePath  # of the model
    card: dict[str, Any]  # what is known before the fit
    enrolling: Enrolling | None = None  # images that other data sets bring


def network_knows(info: DatasetInfo, config: FitConfig) -> dict[str, Any]:
    """What a fine-tuned network's graph notes of the images that it was trained on."""
    return {
        "dataset": {"id": info.id, "digest": info.digest},
        "splits": {name: getattr(config, name) for name in ("seed", "validation_fraction", "test_fraction")},
    }


def check_splits(extractor: Extractor, info: DatasetInfo, config: FitConfig) -> None:
    """Raises ConfigError where images that a fine-tuned network has learnt would become validation or test images.

    The same images under another name count as the same data set. Another data set is not looked at: images that it
    shares with the network's own make its figures too good.
    """
    known = network_knows(info, config)
    for about in (part.about for part in parts_in(extractor) if isinstance(part, FinetunedExtractor)):
        if about["dataset"]["id"] != info.id and about["dataset"]["digest"] != info.digest:
            continue
        if about["dataset"]["digest"] != info.digest:
            raise ConfigError(
                "The data set has changed since the network was fine-tuned on it: its splits are others now.",
                "Fine-tune again.",
            )
        if about["splits"] != known["splits"]:
            wanted = ", ".join(f"{name} {value}" for name, value in about["splits"].items())
            raise ConfigError(
                "The network was fine-tuned on this data set with other splits: it would be tested on images that it "
                "has learnt.",
                f"Use those splits ({wanted}), or fine-tune again.",
            )


def check_fit(columns: Columns, config: FitConfig) -> None:
    """Raises OneClass or TooFewImages where the training images, or those that calibrate, do not make a detector."""
    y = columns.y[columns.split == "train"]
    if len(y) == 0:
        raise TooFewImages(
            "All images are named as validation or test images; none is left for training.",
            "Put the training images below train/, or leave the splits out.",
        )
    check_trainable(y)
    held_out = columns.y[columns.split == "validation"]
    only_they_calibrate = sees_images(config) or len(held_out) >= CROSS_FIT_BELOW
    if only_they_calibrate and len(np.unique(held_out)) < 2:
        raise OneClass(
            "The validation images are not of both classes, and nothing else can calibrate this detector.",
            "Name REAL and FAKE images below validation/, or leave the splits out; a class needs several groups.",
        )


def fit_on_worker(task: FitTask, progress: Progress) -> dict[str, Any]:
    """The card of the fitted model, whose other files now stand in `task.folder`.

    Reads features of training and validation images into memory at once, of either at most `task.most_bytes` (a sample
    of the images where there are more, the same each time); all images are then scored, chunk by chunk.
    """
    started = time.perf_counter()
    columns = read_columns(DatasetStore(task.datasets).index(task.info, FIT_COLUMNS), task.config)
    check_fit(columns, task.config)
    extractor = make_extractor(task.config.extractor, task.backbones)
    store, chunks = FeatureStore(task.features), list(task.chunks)
    total = sum(chunk.rows for chunk in chunks)

    def rows(split: str) -> Rows:
        chosen = np.flatnonzero(columns.split == split)
        most = task.most_bytes // (4 * extractor.dimensions)
        chosen = chosen[thin(columns.group[chosen], columns.y[chosen], most, task.config.seed)]
        mask = np.zeros(total, bool)
        mask[columns.row[chosen]] = True
        names = columns.generator[chosen]
        return Rows(store.load(chunks, extractor.digest, mask), columns.y[chosen], columns.group[chosen], names)

    trained, train, validation = columns.split == "train", rows("train"), rows("validation")
    known: dict[str, Any] = {}
    if task.enrolling is not None:
        train, known = enrol(
            task.enrolling, task.info, train, validation, store, digest=extractor.digest, head=task.config.head
        )
    detector = replace(
        fit(train, validation, task.config, extractor, progress),
        sides=(int(columns.shortest[trained].min()), int(columns.longest[trained].max())),
        codec=codec_of(columns.quality[trained]),
        domain=fit_domain(train.X, validation.X, validation.groups, extractor.feature_names, task.config.seed),
        traces=traces_of(train, validation, task.config.doubt, task.config.seed),
    )
    fitted = time.perf_counter()
    judged = list(_judged(detector, store, chunks, progress))
    scores, outside, doubted = (np.concatenate(values)[columns.row] for values in zip(*judged, strict=True))
    probabilities = detector.probabilities(scores)
    metrics = _metrics(columns, (scores, probabilities, outside, doubted), detector, task.config)
    read = np.flatnonzero((columns.split != "test") | task.config.evaluate_test)
    evaluated = time.perf_counter()
    known |= {"fitted_on": len(train.y), "fpr_promise": _promise(columns, probabilities, detector, task.config)}
    known["generators"] = sorted({*task.card["generators"], *(one["generator"] for one in known.get("enrolled", ()))})
    known["left_out_generators"] = _left_out(task.config, train, validation, rows, detector=detector, progress=progress)
    known["edited"] = measure_held_out_edits(detector, columns, chunks, task.config, progress)
    steps = {"fit_s": fitted - started, "evaluate_s": evaluated - fitted, "limits_s": time.perf_counter() - evaluated}
    card = _complete({**task.card, **known}, detector, metrics, {name: round(s, 2) for name, s in steps.items()})
    write_head(task.folder, detector)
    _write_predictions(task.folder / PREDICTIONS, columns, scores, probabilities, read)
    return card


def _left_out(
    config: FitConfig,
    train: Rows,
    validation: Rows,
    rows: Callable[[str], Rows],
    *,
    detector: Detector,
    progress: Progress,
) -> dict[str, Any]:
    """What `measure_left_out` says, at the detector's own false alarms; `rows` reads a split, and only where needed."""
    if not config.measure_limits:
        return unknown("The fit was told not to measure it.")
    if sees_images(config):
        return unknown("The network was trained on images of every generator.")
    if any(part["name"] == FINGERPRINT for part in parts_of(config.extractor)):
        return unknown("The fingerprints of generators stay among the features, whatever is left out.")
    several = len(name_generators(train)) > 1 and config.evaluate_test
    held_out = both(validation, rows("test")) if several else validation
    real = detector.scores(held_out.X[held_out.y == 0])
    fpr = float((detector.probabilities(real) >= detector.threshold).mean()) if len(real) else 0.0
    C = detector.head.chosen.get("C") if config.head.name == LEFT_OUT_HEAD else None
    return measure_left_out(train, held_out, progress, fpr=fpr, C=C, seed=config.seed)


def _complete(
    card: dict[str, Any], detector: Detector, metrics: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    row = HEADS[card["config"]["head"]["name"]]
    described = detector.describe()
    network = detector.extractor if isinstance(detector.extractor, NetworkExtractor) else None
    return {
        **card,
        **described,
        "backbone": network.backbone if network is not None else None,
        "backbone_digest": network.weights if network is not None else None,
        "fingerprints": fingerprints_in(detector.extractor) or None,
        "head": {"name": card["config"]["head"]["name"], **described["head"]},
        "activation": row.activation,
        "loss": row.loss,
        "metrics": metrics,
        "accuracy": {split: metrics[split]["accuracy"] if metrics[split] else None for split in SPLITS},
        "timings": {**card["timings"], **seconds},
    }


def _judged(
    detector: Detector, store: FeatureStore, chunks: list[FeatureChunk], progress: Progress
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]]:
    """Scores of every chunk, and which of its images are outside by their features, and which `real` is doubted."""

    def judge(chunk: FeatureChunk) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        block = store.block(chunk, detector.extractor.digest)
        scores = detector.scores(block)
        return scores, detector.outside(block), detector.doubted(block, detector.probabilities(scores))

    with threadpool_limits(1, user_api="blas"):  # chunks side by side, in place of cores that meet in each product
        for number, judged in enumerate(read_ahead(judge, chunks)):
            progress("evaluate", number, len(chunks))
            yield judged


def _metrics(
    columns: Columns,
    judged: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]],
    detector: Detector,
    config: FitConfig,
) -> dict[str, Any]:
    scores, probabilities, outside, doubted = judged
    unsure = outside | doubted | detector.unsure(probabilities, columns.shortest, columns.longest, columns.quality)
    classes = class_names(columns.path)
    masks = {split: columns.split == split for split in SPLITS}
    if not config.evaluate_test:
        del masks["test"]
    elif (columns.twin_in_train & masks["test"]).any():
        masks["test_without_duplicates"] = masks["test"] & ~columns.twin_in_train
    measured: dict[str, Any] = {"test": None, "test_without_duplicates": None}
    for name, mask in masks.items():
        measured[name] = evaluate(
            columns.y[mask],
            scores[mask],
            probabilities[mask],
            detector.threshold,
            loss="log_loss" if HEADS[config.head.name].loss == "log_loss" else "hinge",
            classes=[classes[i] for i in np.flatnonzero(mask)] if classes else None,
            unsure=unsure[mask],
            seed=config.seed,
        )
        measured[name]["outside_share"] = float(outside[mask].mean()) if mask.any() else None
    return measured


def _promise(
    columns: Columns, probabilities: NDArray[np.float64], detector: Detector, config: FitConfig
) -> dict[str, Any]:
    """What test images promise that share no group, and so no pixels, with images of another split."""
    tested = columns.split == "test"
    real = np.flatnonzero(tested & (columns.y == 0) & ~np.isin(columns.group, columns.group[~tested]))
    rows = real if config.evaluate_test else real[:0]
    called = probabilities[rows] >= detector.threshold
    return promise_fpr(called, columns.group[rows], threshold=detector.threshold, source="test")


def class_names(paths: list[str]) -> list[str] | None:
    """CIFAR-10 classes by file name, or None unless the names show all ten classes."""
    names = [cifar_class(path) for path in paths]
    known = {name for name in names if name is not None}
    return [name or "" for name in names] if len(known) == 10 and None not in names else None


def _write_predictions(
    path: StorePath,
    columns: Columns,
    scores: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> None:
    table = pa.table(
        {
            "row": columns.row[rows],
            "path": [columns.path[row] for row in rows],
            "label": columns.y[rows],
            "split": columns.split[rows].tolist(),
            "score": scores[rows].astype(np.float32),
            "probability_fake": probabilities[rows],  # in full: the card's confusion matrix must come out
        }
    )
    with written_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
