"""Whether classes, generators and what the pictures show are spread evenly, as far as names and folders tell."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.evaluation import cifar_class

UNKNOWN = ""

_LABEL_FOLDERS = {"real", "fake"}
_SPLIT_FOLDERS = {"train", "training", "val", "valid", "validation", "test"}


def describe_balance(y: NDArray[np.int8], generators: list[str], paths: list[str]) -> dict[str, Any]:
    """`{classes: {label: n}, generators: {name: n}, contents: {name: {label: n}}, content_distance}` as JSON.

    y: 1 FAKE, 0 REAL, -1 unknown. generators counts FAKE images, "" those of an unknown one. contents is empty where
    no name tells what a picture shows. content_distance is the share of images of one class that would have to change
    their content to have the other class's mix (total variation distance), 0..1; None without contents.
    """
    contents = contents_of(paths, y)
    by_content: dict[str, dict[str, int]] = {}
    for content, label in zip(contents, y.tolist(), strict=True):
        if label >= 0:
            row = by_content.setdefault(content, {"REAL": 0, "FAKE": 0})
            row["FAKE" if label else "REAL"] += 1
    return {
        "classes": {"REAL": int((y == 0).sum()), "FAKE": int((y == 1).sum())},
        "generators": dict(
            sorted(Counter(g for g, label in zip(generators, y.tolist(), strict=True) if label == 1).items())
        ),
        "contents": dict(sorted(by_content.items())) if any(contents) else {},
        "content_distance": _distance(by_content) if any(contents) else None,
    }


def contents_of(paths: list[str], y: NDArray[np.int8]) -> list[str]:
    """What each picture shows by its name, "" where nothing tells it: CIFAKE's classes, or a folder of both classes.

    A folder name tells it where it stands below REAL/ as well as below FAKE/ and is no split.
    """
    named = [cifar_class(path) for path in paths]
    if paths and all(named) and len(set(named)) > 1:
        return [name or UNKNOWN for name in named]
    folders = [_folders(path) for path in paths]
    real = {name for names, label in zip(folders, y.tolist(), strict=True) if label == 0 for name in names}
    fake = {name for names, label in zip(folders, y.tolist(), strict=True) if label == 1 for name in names}
    shared = real & fake
    return [next((name for name in reversed(names) if name in shared), UNKNOWN) for names in folders]


def _folders(path: str) -> list[str]:
    """The folders below that of the class, without those of splits."""
    parts = PurePosixPath(path).parts[:-1]
    places = [number for number, part in enumerate(parts) if part.lower() in _LABEL_FOLDERS]
    below = parts[places[-1] + 1 :] if places else ()
    return [part for part in below if part.lower() not in _SPLIT_FOLDERS]


def _distance(by_content: dict[str, dict[str, int]]) -> float | None:
    table = np.array([[row["REAL"], row["FAKE"]] for row in by_content.values()], dtype=np.float64)
    totals = table.sum(axis=0)
    if (totals == 0).any():
        return None
    shares = table / totals
    return round(float(np.abs(shares[:, 0] - shares[:, 1]).sum() / 2), 4)
