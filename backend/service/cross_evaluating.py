"""The parts of a train x test matrix that run on workers: which images, one detector a task, and what they say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.errors import Cancelled, InvalidInput
from backend.core.matrix import (
    TEST_SHARE,
    Calls,
    Matrix,
    Plan,
    Pool,
    check_pool,
    choose_rows,
    fit_detector,
    measure_detector,
    plan_detectors,
    summarise,
    training_rows,
)
from backend.core.splits import assign_splits
from backend.service.backbones import make_extractor
from backend.service.duplicates import resolve_groups
from backend.service.features import FeatureStore
from backend.service.gathering import Gathered, Places, Source, blocks, gather, needed_chunks
from backend.service.signals import Turn
from backend.service.storage import read_bytes, written_whole
from backend.settings import StorePath

Tested = tuple[dict[str, Any], Calls]
"""What is known of one detector: its figures, and what it called FAKE."""


@dataclass(frozen=True)
class MatrixTask:
    """Everything the workers need, as paths and plain values."""

    datasets: StorePath
    sources: tuple[Source, ...]
    features: StorePath
    backbones: StorePath
    config: FitConfig
    generators: tuple[str, ...]  # those that take part; none: all
    most_bytes: int  # of features in memory at once, float32, for training and for validation each
    pool: StorePath  # file of the chosen images, which `choose_for_matrix` writes
    stop: Turn


@dataclass(frozen=True)
class Choice:
    """What the images allow."""

    needed: list[list[int]]  # for each source the chunks whose features are needed
    spec: dict[str, Any]  # of the extractor, complete
    digest: str
    plans: list[Plan]
    excluded: int  # test images that stand among those for fitting


def choose_for_matrix(task: MatrixTask) -> Choice:
    """Chooses the images and writes them to `task.pool`.

    Raises what `check_pool` raises, and InvalidInput for a generator that no data set has.
    """
    gathered = gather(task.datasets, task.sources)
    pool, chosen, excluded = _choose(task, gathered)
    places = gathered.places(chosen)
    _write_pool(task.pool, pool, places)
    extractor = make_extractor(task.config.extractor, task.backbones)
    needed = needed_chunks(task.sources, places)
    return Choice(needed, extractor.spec, extractor.digest, plan_detectors(pool), excluded)


def fit_and_test(work: tuple[MatrixTask, Plan]) -> Tested:
    """The figures and calls of one plan's detector. Features of its training images are in memory at once."""
    task, plan = work
    pool, places = _read_pool(task.pool)
    extractor = make_extractor(task.config.extractor, task.backbones)
    most = task.most_bytes // (4 * extractor.dimensions)
    store, seed = FeatureStore(task.features), task.config.seed

    def go_on(_stage: str = "", _done: int = 0, _total: int = 0) -> None:
        if task.stop():
            raise Cancelled("The job was told to stop.")

    learning = training_rows(pool, plan, most, seed)
    X = np.empty((int(learning.sum()), extractor.dimensions), dtype=np.float32)
    for images, features in blocks(store, task.sources, places.some(learning), extractor.digest):
        go_on()
        X[images] = features
    detector, fitted_on = fit_detector(X, pool.some(learning), task.config, extractor, go_on)
    test = pool.split == "test"
    scores = np.empty(int(test.sum()))
    for images, features in blocks(store, task.sources, places.some(test), extractor.digest):
        go_on()
        scores[images] = detector.scores(features)
    figures, calls = measure_detector(pool.some(test), scores, detector, seed)
    return {"fitted_on": fitted_on, **figures}, calls


def finish_matrix(work: tuple[MatrixTask, list[Plan], list[Tested]]) -> Matrix:
    """The matrix as `summarise` gives it."""
    task, plans, tested = work
    return summarise(_read_pool(task.pool)[0], plans, tested, task.config.seed)


def _choose(task: MatrixTask, gathered: Gathered) -> tuple[Pool, NDArray[np.bool_], int]:
    """(the chosen images, their mask, how many test images were left out since they stand among those for fitting)."""
    wanted = _wanted(gathered, task.generators)
    together = resolve_groups(gathered.pixels, _group_names(gathered))
    split = np.full(len(wanted), "", dtype="<U10")
    for number in range(len(task.sources)):
        mine = np.flatnonzero(wanted & (gathered.source == number))
        if len(mine):
            split[mine] = assign_splits(
                gathered.split[mine],
                gathered.y[mine],
                together[mine],
                validation_fraction=task.config.validation_fraction,
                test_fraction=TEST_SHARE,
                seed=task.config.seed,
                generators=gathered.generators[mine],
            )
    learnt = np.unique(together[wanted & (split != "test")])
    crossing = wanted & (split == "test") & np.isin(together, learnt)
    chosen = wanted & ~crossing
    pool = Pool(gathered.y, gathered.generators, together, split, gathered.source).some(chosen)
    check_pool(pool)
    kept = choose_rows(pool, task.config.seed)
    chosen[chosen] = kept
    return pool.some(kept), chosen, int(np.count_nonzero(crossing))


def _wanted(gathered: Gathered, generators: Collection[str]) -> NDArray[np.bool_]:
    """Mask of REAL images and of FAKE ones of these generators, of all where none is named. Raises InvalidInput."""
    present = np.unique(gathered.generators[gathered.y == 1]).tolist()
    check_known(generators, present)
    names = list(generators) or present
    mask: NDArray[np.bool_] = (gathered.y == 0) | np.isin(gathered.generators, names)
    return mask


def check_known(generators: Collection[str], present: Collection[str]) -> None:
    """Raises InvalidInput for a generator that is not among the present ones."""
    if unknown := sorted(set(generators) - set(present)):
        raise InvalidInput(
            f"The data sets have no images of the generator {unknown[0]!r}.",
            f"They have: {', '.join(sorted(present))}.",
        )


def _group_names(gathered: Gathered) -> pa.ChunkedArray:
    """For each image a name that only images of its group in its data set share."""
    parts = [pc.cast(pa.array(numbers), pa.string()) for numbers in (gathered.source, gathered.group)]
    return pa.chunked_array([pc.binary_join_element_wise(*parts, "-")])


def _write_pool(path: StorePath, pool: Pool, places: Places) -> None:
    columns = {"y": pool.y, "generator": pool.generators.tolist(), "group": pool.groups, "split": pool.split.tolist()}
    table = pa.table({**columns, "source": places.source, "row": places.row})
    with written_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _read_pool(path: StorePath) -> tuple[Pool, Places]:
    table = pq.read_table(BytesIO(read_bytes(path)))
    names, split = (np.asarray(table[name].to_pylist(), dtype=np.str_) for name in ("generator", "split"))
    source = table["source"].to_numpy()
    pool = Pool(table["y"].to_numpy(), names, table["group"].to_numpy(), split, source)
    return pool, Places(source, table["row"].to_numpy())
