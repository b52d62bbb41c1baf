"""REAL against FAKE by features without a network, by the network's, and by both: on CIFAKE and on other generators."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.extractors import DEFAULT_SPEC, concatenation, create
from backend.core.heads import HeadConfig, fit_head
from backend.core.metrics import auroc
from benchmarks.attribution import Rows
from benchmarks.image_sets import features, read_cifake, read_generators
from benchmarks.record import ROOT

COUNTS = {"train": 2000, "validation": 500, "test": 1500}
STRENGTHS = (0.001, 0.01, 0.1)
"""Values of `C` of which the validation images choose."""


def detection(folder: Path, without_network: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Kind -> C, AUROC on CIFAKE's validation and test images, and on each generator against the same REAL images."""
    rows = {kind: _features(folder, kind, spec) for kind, spec in _specs(without_network).items()}
    rows["both"] = {name: np.concatenate([found[name] for found in rows.values()], axis=1) for name in rows["network"]}
    return {kind: _measure(found, seed) for kind, found in rows.items()}


def _specs(without_network: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {"without a network": concatenation(without_network), "network": DEFAULT_SPEC}


def _features(folder: Path, kind: str, spec: dict[str, Any]) -> dict[str, Rows]:
    path = folder / f"detection-{kind.replace(' ', '-')}.npz"
    if not path.exists():
        of = create(spec, backbones=ROOT / "models" / "backbones")
        drawn = read_cifake(COUNTS, 1)
        files = {f"{part} {label}": found for part, by_class in drawn.items() for label, found in by_class.items()}
        np.savez(path, **{name: features(found, of) for name, found in (files | read_generators()).items()})  # type: ignore[arg-type]
        print("detection", kind, file=sys.stderr, flush=True)
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def _measure(rows: dict[str, Rows], seed: int) -> dict[str, Any]:
    def stacked(part: str) -> tuple[Rows, NDArray[np.int8]]:
        real, fake = rows[f"{part} REAL"], rows[f"{part} FAKE"]
        return np.concatenate([real, fake]), np.repeat(np.array([0, 1], np.int8), [len(real), len(fake)])

    heads = {c: fit_head(*stacked("train"), HeadConfig(name="logreg", C=c, seed=seed)) for c in STRENGTHS}

    def area(c: float, X: Rows, y: NDArray[np.int8]) -> float:
        return float(auroc(y, heads[c].scores(X)) or 0.0)

    best = max(STRENGTHS, key=lambda c: area(c, *stacked("validation")))
    real = rows["test REAL"]
    others = {
        name: area(best, np.concatenate([real, found]), np.repeat(np.array([0, 1], np.int8), [len(real), len(found)]))
        for name, found in rows.items()
        if " " not in name
    }
    return {
        "C": best,
        "validation": area(best, *stacked("validation")),
        "test": area(best, *stacked("test")),
        "generators": others,
    }


def table(result: dict[str, Any]) -> str:
    """A Markdown table: AUROC, one row a kind of features."""
    found = result["detection"]
    names = list(found["network"]["generators"])
    lines = [
        f"| features | CIFAKE | {' | '.join(names)} | mean of the eight |",
        "| --- | --- |" + " --- |" * (len(names) + 1),
    ]
    for kind, row in found.items():
        areas = [row["generators"][name] for name in names]
        cells = " | ".join(f"{area:.3f}" for area in [row["test"], *areas, float(np.mean(areas))])
        lines.append(f"| {kind} | {cells} |")
    return "\n".join(lines)
