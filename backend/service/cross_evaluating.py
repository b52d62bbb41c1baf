"""The parts of a train x test matrix that run on a worker: which images, and detector after detector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.detector import Progress
from backend.core.errors import InvalidInput
from backend.core.matrix import TEST_SHARE, Pool, check_pool, choose_rows, cross_evaluate
from backend.core.splits import assign_splits
from backend.service.backbones import make_extractor
from backend.service.duplicates import resolve_groups
from backend.service.features import FeatureStore
from backend.service.gathering import Gathered, Source, blocks, gather, needed_chunks
from backend.settings import StorePath


@dataclass(frozen=True)
class MatrixTask:
    """Everything the worker needs, as paths and plain values."""

    datasets: StorePath
    sources: tuple[Source, ...]
    features: StorePath
    backbones: StorePath
    config: FitConfig
    generators: tuple[str, ...]  # those that take part; none: all


def choose_for_matrix(task: MatrixTask) -> tuple[list[list[int]], dict[str, Any], str]:
    """(for each source the chunks whose features are needed, the extractor's complete spec, its digest).

    Raises what `check_pool` raises, and InvalidInput for a generator that no data set has.
    """
    gathered, _, chosen, _ = _choose(task)
    extractor = make_extractor(task.config.extractor, task.backbones)
    return needed_chunks(task.sources, gathered, chosen), extractor.spec, extractor.digest


def cross_evaluate_on_worker(task: MatrixTask, progress: Progress) -> dict[str, Any]:
    """The matrix as `core.matrix.cross_evaluate` gives it, with `excluded`. All features are in memory at once."""
    gathered, pool, chosen, excluded = _choose(task)
    extractor = make_extractor(task.config.extractor, task.backbones)
    X = np.empty((int(chosen.sum()), extractor.dimensions), dtype=np.float32)
    place = np.cumsum(chosen) - 1
    for images, features in blocks(FeatureStore(task.features), task.sources, gathered, chosen, extractor.digest):
        X[place[images]] = features
        progress("features", int(place[images[-1]]) + 1, len(X))
    return {**cross_evaluate(X, pool.some(chosen), task.config, extractor, progress), "excluded": excluded}


def _choose(task: MatrixTask) -> tuple[Gathered, Pool, NDArray[np.bool_], dict[str, int]]:
    """(all images, the same as a pool, mask of those to use, how many test images were left out for which reason)."""
    gathered = gather(task.datasets, task.sources)
    wanted = _wanted(gathered, task.generators)
    together = resolve_groups(gathered.pixels, _group_names(gathered))
    split = np.full(len(wanted), "", dtype="<U10")
    for number in range(len(task.sources)):
        mine = np.flatnonzero(wanted & (gathered.source == number))
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
    pool = Pool(gathered.y, gathered.generators, together, split, gathered.source)
    chosen = wanted & ~crossing
    check_pool(pool.some(chosen))
    chosen[chosen] = choose_rows(pool.some(chosen), task.config.seed)
    return gathered, pool, chosen, {"in_training": int(np.count_nonzero(crossing))}


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
