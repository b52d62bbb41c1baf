"""Train, validation and test: cut by whole groups, balanced by class and generator, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST, NOT_GIVEN = "train", "validation", "test", ""
_MOST_FLIPS = 100


def assign_splits(
    given: NDArray[np.str_],
    y: NDArray[np.int8],
    groups: NDArray[np.int64],
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    generators: NDArray[np.str_] | None = None,
) -> NDArray[np.str_]:
    """The split of every image, "train", "validation" or "test".

    Arguments have one entry an image: `given` the split that the data set names ("" = none), `y` 1 for FAKE, `groups`
    a number that images share which must stay together, `generators` names to balance by beside the class.

    A named test or validation split is kept as it is. Without a named test split, about `test_fraction` (0..1) of all
    images become one; without a named validation split, about `validation_fraction` of the images that are not test.
    Both are cut by whole groups; a group that touches a named test or validation split is not cut from, its other
    images stay in train. Train keeps a group of every class before validation gets one, and validation before test: a
    class of one group is in train alone.
    """
    split = np.where(given == NOT_GIVEN, TRAIN, given).astype("<U10")
    strata = _strata(y, generators)
    fixed = np.isin(groups, np.unique(groups[(given == TEST) | (given == VALIDATION)]))
    name_validation = validation_fraction > 0 and not (given == VALIDATION).any()
    if test_fraction > 0 and not (given == TEST).any():
        keep = 2 if name_validation else 1
        split[_cut(groups, y, strata, ~fixed, test_fraction * np.bincount(strata), keep, seed)] = TEST
    if name_validation:
        wanted = validation_fraction * np.bincount(strata[split != TEST], minlength=int(strata.max()) + 1)
        split[_cut(groups, y, strata, ~fixed & (split == TRAIN), wanted, 1, seed + 1)] = VALIDATION
    return split


def halves(groups: NDArray[np.int64], seed: int, y: NDArray[np.int8] | None = None) -> NDArray[np.bool_]:
    """Mask of about half of the rows, groups whole; each half has both classes where `y` is given and it can be."""
    labels = np.zeros(len(groups), np.int8) if y is None else y
    strata = labels.astype(np.int64)
    return _cut(groups, labels, strata, np.ones(len(groups), bool), np.bincount(strata) / 2, 1, seed)


def thin(groups: NDArray[np.int64], y: NDArray[np.int8], most: int, seed: int) -> NDArray[np.bool_]:
    """Mask of about `most` rows, of each class its share, groups whole; of all rows where there are no more."""
    everyone = np.ones(len(groups), bool)
    if len(groups) <= most:
        return everyone
    return _cut(groups, y, y.astype(np.int64), everyone, np.bincount(y) * most / len(groups), 0, seed)


def folds(groups: NDArray[np.int64], y: NDArray[np.int8], k: int, seed: int) -> NDArray[np.int64]:
    """The fold 0..k-1 of every row: groups whole, about equal numbers of each class in each fold."""
    random = np.random.default_rng(seed)
    table, owner = _profiles(groups, y.astype(np.int64))
    fold_of = np.empty(len(table), np.int64)
    load = np.zeros((k, table.shape[1]), np.int64)
    total = np.maximum(table.sum(axis=0), 1)
    single = table.sum(axis=1) == 1
    order = random.permutation(len(table))
    large = order[~single[order]]
    for group in large[np.argsort(-table[large].sum(axis=1), kind="stable")]:
        # the fold that stays least full in the group's own classes
        fullest = ((load + table[group]) / total * (table[group] > 0)).sum(axis=1)
        fold_of[group] = np.argmin(fullest)
        load[fold_of[group]] += table[group]
    for stratum in range(table.shape[1]):
        members = order[single[order] & (table[order, stratum] == 1)]
        fold_of[members] = _deal(load[:, stratum], len(members))
    return fold_of[owner]


def _deal(load: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Folds for `count` single rows, so that `load` plus theirs is as level as it can be."""
    lowest = np.argsort(load, kind="stable")
    for filled in range(len(load), 0, -1):
        held = int(load[lowest[:filled]].sum())
        if filled * int(load[lowest[filled - 1]]) - held <= count:
            break
    level, extra = divmod(count + held, filled)
    room = np.zeros(len(load), np.int64)
    room[lowest[:filled]] = level - load[lowest[:filled]]
    room[lowest[:extra]] += 1
    dealt: NDArray[np.int64] = np.repeat(np.arange(len(load)), room)
    return dealt


def _strata(y: NDArray[np.int8], generators: NDArray[np.str_] | None) -> NDArray[np.int64]:
    """A number for every combination of class and generator."""
    if generators is None:
        return y.astype(np.int64)
    code = np.unique(generators, return_inverse=True)[1]
    strata: NDArray[np.int64] = np.unique(2 * code.astype(np.int64) + y, return_inverse=True)[1]
    return strata


def _profiles(groups: NDArray[np.int64], strata: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each stratum in each group (groups x strata), and each row's line in that table."""
    owner = np.unique(groups, return_inverse=True)[1]
    width = int(strata.max(initial=0)) + 1
    lines = int(owner.max(initial=-1)) + 1
    table = np.bincount(owner * width + strata, minlength=lines * width).reshape(lines, width)
    return table, owner


def _cut(  # noqa: PLR0917
    groups: NDArray[np.int64],
    y: NDArray[np.int8],
    strata: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    wanted: NDArray[np.floating],
    keep: int,
    seed: int,
) -> NDArray[np.bool_]:
    """Mask of allowed rows, whole groups, with about `wanted` rows of each stratum.

    At least `keep` groups of every class stay out, and where more are there at least one is in.
    """
    mask = np.zeros(len(groups), bool)
    rows = np.flatnonzero(allowed)
    if len(rows) == 0:
        return mask
    table, owner = _profiles(groups[rows], strata[rows])
    classes, _ = _profiles(groups[rows], y[rows].astype(np.int64))
    chooser = _Chooser(table, classes > 0, wanted[: table.shape[1]], keep)
    order = np.random.default_rng(seed).permutation(len(table))
    single = table.sum(axis=1) == 1
    chooser.take_large(order[~single[order]])
    chooser.take_single(order[single[order]])
    chooser.level()
    chooser.take_missing_classes(order)
    mask[rows] = chooser.taken[owner]
    return mask


class _Chooser:
    """Takes groups until each stratum is as near its target as whole groups allow."""

    def __init__(
        self, table: NDArray[np.int64], has_class: NDArray[np.bool_], target: NDArray[np.floating], keep: int
    ) -> None:
        self.taken = np.zeros(len(table), bool)
        self._table, self._has_class = table, has_class
        self._missing = target.copy()
        self._weight = 1 / np.maximum(table.sum(axis=0), 1)
        self._spare = has_class.sum(axis=0) - keep  # groups of each class that may still be taken

    def take_large(self, order: NDArray[np.int64]) -> None:
        """Groups of several rows, up to their own share of the target: the rest is for single rows."""
        left = self._missing * (1 - self._table[order].sum(axis=0) * self._weight)
        self._missing -= left
        for group in order:
            rows = self._table[group]
            # how much nearer the squared distance to the target comes, each stratum by its own size
            if (rows * (2 * self._missing - rows) * self._weight).sum() > 0:
                self._take(group)
        self._missing += left

    def take_single(self, order: NDArray[np.int64]) -> None:
        """Groups of one row: as many of each stratum as its target still misses, at once."""
        stratum, of_class = self._table[order].argmax(axis=1), self._has_class[order].argmax(axis=1)
        for number in np.unique(stratum):
            members = order[stratum == number]
            owner_class = of_class[stratum == number][0]
            wanted = int(np.rint(self._missing[number]))
            count = max(0, min(wanted, len(members), int(self._spare[owner_class])))
            self.taken[members[:count]] = True
            self._missing[number] -= count
            self._spare[owner_class] -= count

    def level(self) -> None:
        """Takes or gives back one group after another, the best first, while that brings the strata nearer."""
        for _ in range(_MOST_FLIPS):
            change = np.where(self.taken[:, None], -self._table, self._table)
            gain = (change * (2 * self._missing - change) * self._weight).sum(axis=1)
            gain[~self.taken & (self._has_class & (self._spare < 1)).any(axis=1)] = 0
            best = int(gain.argmax())
            if gain[best] < 1e-9:
                return
            sign = -1 if self.taken[best] else 1
            self.taken[best] = sign > 0
            self._spare[self._has_class[best]] -= sign
            self._missing -= change[best]

    def take_missing_classes(self, order: NDArray[np.int64]) -> None:
        """One more group, the smallest that fits, for a class that got none."""
        sizes = self._table.sum(axis=1)
        for number in range(self._has_class.shape[1]):
            has: NDArray[Any] = self._has_class[:, number]
            if has.any() and not (has & self.taken).any():
                for group in order[np.argsort(sizes[order], kind="stable")]:
                    if has[group] and self._take(group):
                        break

    def _take(self, group: int) -> bool:
        has = self._has_class[group]
        if self.taken[group] or (self._spare[has] < 1).any():
            return False
        self.taken[group] = True
        self._spare[has] -= 1
        self._missing -= self._table[group]
        return True
