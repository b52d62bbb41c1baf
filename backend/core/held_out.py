"""Heads on a network that has seen the training images: only images that it did not see can tell heads apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.core.heads import HEADS, HeadConfig, fit_head
from backend.core.metrics import hinge_losses
from backend.core.splits import halves, thin

WHOLE_BELOW = 1_000
"""With fewer validation images all of them choose C and calibrate, and all of them set the threshold: halves of so few
would cost more than the little that three numbers can be fooled by."""

SAMPLE_ROWS = 6_000
"""Most training rows that candidates for C are fitted on."""


@dataclass(frozen=True)
class Rows:
    """Images of one split as features. `y` is 1 for FAKE and 0 for REAL; rows that share a group belong together."""

    X: NDArray[np.float32]  # (n, dimensions)
    y: NDArray[np.int8]  # (n,)
    groups: NDArray[np.int64]  # (n,)
    generators: NDArray[np.str_] | None = None  # (n,): of the FAKE ones, "" where it is not known; None: of no one

    def some(self, chosen: NDArray[np.bool_]) -> Rows:
        """Those of the mask."""
        names = None if self.generators is None else self.generators[chosen]
        return Rows(self.X[chosen], self.y[chosen], self.groups[chosen], names)


def both(first: Rows, second: Rows) -> Rows:
    """The rows of both, in that order."""
    names = [np.full(len(rows.y), "") if rows.generators is None else rows.generators for rows in (first, second)]
    return Rows(
        np.concatenate([first.X, second.X]),
        np.concatenate([first.y, second.y]),
        np.concatenate([first.groups, second.groups]),
        np.concatenate(names),
    )


def two_halves(
    groups: NDArray[np.int64], y: NDArray[np.int8], seed: int, *, whole_below: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the images that calibrate, and of those that set the threshold.

    Disjoint, groups whole; all images twice where they are fewer than `whole_below` or too few groups to part.
    """
    everyone = np.ones(len(y), dtype=bool)
    if len(y) < whole_below:
        return everyone, everyone
    first = halves(groups, seed, y)
    if len(np.unique(y[first])) < 2 or len(np.unique(y[~first])) < 2:
        return everyone, everyone
    return first, ~first


def choose_c_on(
    train: Rows, held_out: Rows, config: HeadConfig, progress: Callable[[str, float], None]
) -> tuple[HeadConfig, dict[str, float]]:
    """(the head's config with the C of the lowest loss on `held_out`, that loss for each candidate by its text).

    Candidates are fitted on a sample of `train`. Cross-validation among rows that the network has seen would say that
    the weakest penalty is best. A head without C, and a config that names one, stay as they are.
    """
    from backend.core.heads.choose import GRID

    if "C" not in HEADS[config.name].options or config.C is not None:
        return config, {}
    some = thin(train.groups, train.y, SAMPLE_ROWS, config.seed)
    X, y, groups = train.X[some], train.y[some], train.groups[some]
    names = None if train.generators is None else train.generators[some]
    losses: dict[float, float] = {}
    for number, C in enumerate(GRID):
        head = fit_head(X, y, replace(config, C=C), groups=groups, generators=names)
        losses[C] = _loss(head.scores(held_out.X), held_out.y, HEADS[config.name].loss)
        progress("choose C", (number + 1) / len(GRID))
    best = min(losses, key=lambda C: losses[C])
    return replace(config, C=best), {f"{C:g}": round(loss, 5) for C, loss in losses.items()}


def _loss(scores: NDArray[np.float64], y: NDArray[np.int8], loss: str) -> float:
    if loss == "hinge":
        return float(hinge_losses(y, scores).mean())
    return float(np.logaddexp(0.0, np.where(y > 0, -scores, scores)).mean())
