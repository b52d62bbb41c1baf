"""Features -> scores. `HEADS` is the table of heads; `fit_head` fits one, `load_head` reads one from its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import IntegrityError, UnknownHead
from backend.core.heads.base import FittedHead, Labels, Progress, Rows
from backend.core.heads.config import HeadConfig
from backend.core.heads.kernel import KernelHead
from backend.core.heads.linear import LinearHead
from backend.core.heads.mlp import MlpHead
from backend.core.heads.multi import MultiHead
from backend.core.heads.table import HEADS, HeadRow

__all__ = ["HEADS", "FittedHead", "HeadConfig", "HeadRow", "fit_head", "load_head"]

_LARGEST = 1e15
_KINDS: dict[str, Callable[[Mapping[str, NDArray[Any]]], FittedHead]] = {
    LinearHead.kind: LinearHead.from_arrays,
    KernelHead.kind: KernelHead.from_arrays,
    MlpHead.kind: MlpHead.from_arrays,
    MultiHead.kind: MultiHead.from_arrays,
}


def fit_head(
    X: Rows,
    y: Labels,
    config: HeadConfig,
    *,
    groups: NDArray[np.int64] | None = None,
    generators: NDArray[np.str_] | None = None,
    validation: tuple[Rows, Labels] | None = None,
    progress: Progress | None = None,
) -> FittedHead:
    """The head `config.name` fitted on features X (n, d) and labels y (n,), 1 for FAKE.

    X is read in place, never copied or changed. `groups` are kept whole where C is chosen by cross-validation;
    `generators` names each FAKE row's for the head multi, "" where it is not known;
    `validation` rows are only measured, by the heads that train in epochs. `progress(stage, share 0..1)` may raise to
    cancel. Raises UnknownHead.
    """
    if config.name not in HEADS:
        raise UnknownHead(f"There is no head {config.name!r}.", f"Known: {', '.join(HEADS)}.")
    from backend.core.heads.fits import SOLVERS, Fit

    row = HEADS[config.name]
    X = np.ascontiguousarray(X, dtype=np.float32)
    owners = np.arange(len(y)) if groups is None else np.asarray(groups).astype(np.int64)
    names = np.full(len(y), "") if generators is None else generators
    fit = Fit(X, np.asarray(y).astype(np.int8), owners, names, config, validation, progress or _silent)
    return SOLVERS[row.solver](fit, row.objective)


def _silent(_stage: str, _share: float) -> None:
    return None


def load_head(kind: str, arrays: Mapping[str, NDArray[Any]]) -> FittedHead:
    """The head whose `kind` and `arrays()` were stored.

    Raises IntegrityError where they do not belong together, or hold what no fit gives: NaN, or values beyond 1e15.
    """
    if kind not in tuple(_KINDS):  # of a damaged card it may be anything
        raise IntegrityError(f"There is no kind of head {kind!r}.", f"Known: {', '.join(_KINDS)}.")
    try:
        head = _KINDS[kind](arrays)
        if not all((np.abs(array) <= _LARGEST).all() for array in head.arrays().values()):
            raise ValueError("values that are no numbers, or too large")
        return head
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise IntegrityError(f"The arrays do not make a head of kind {kind}.", "Restore the model's files.") from error
