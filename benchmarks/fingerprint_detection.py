"""REAL against FAKE by fingerprints, by other features without a network, by the network's, and by all of these."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.demo import make_demo
from backend.core.extractors import DEFAULT_SPEC, FINGERPRINT, Extractor, concatenation, create
from backend.core.extractors.fingerprint import file_name
from backend.core.extractors.stored import digest_of_file
from backend.core.fingerprints.denoisers import DENOISERS
from backend.core.fingerprints.fingerprint import enrol
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.core.fingerprints.sums import FingerprintSums
from backend.core.heads import HeadConfig, fit_head
from backend.core.images import decode
from backend.core.metrics import auroc
from benchmarks.attribution import Rows
from benchmarks.image_sets import SIDE, features, read_cifake, read_generators
from benchmarks.record import ROOT

COUNTS = {"train": 2000, "validation": 500, "test": 1500}
STRENGTHS = (0.001, 0.01, 0.1)
"""Values of `C` of which the validation images choose."""

DENOISER_NAMES = tuple(name for name in DENOISERS if name != "nlm")  # the slowest of them
DEMO = "demonstration"


def detection(folder: Path, without_network: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Kind -> C, AUROC on CIFAKE's validation and test images, and on each generator against REAL images.

    They are CIFAKE's for the generators of gen32.zip, its own for the demonstration set.
    """
    specs = {"fingerprints": {}, "without a network": concatenation(without_network), "network": DEFAULT_SPEC}
    rows = {kind: _features(folder, kind, spec) for kind, spec in specs.items()}
    beside = {
        "network and fingerprints": ("network", "fingerprints"),
        "network and those without": ("network", "without a network"),
        "all of these": tuple(specs),
    }
    for kind, kinds in beside.items():
        rows[kind] = {name: np.concatenate([rows[one][name] for one in kinds], axis=1) for name in rows["network"]}
    return {kind: _measure(found, seed) for kind, found in rows.items()}


def _features(folder: Path, kind: str, spec: dict[str, Any]) -> dict[str, Rows]:
    path = folder / f"detection-{kind.replace(' ', '-')}.npz"
    if not path.exists():
        drawn = read_cifake(COUNTS, 1)
        of = create(spec, backbones=ROOT / "models" / "backbones") if spec else _fingerprints(folder, drawn["train"])
        files = {f"{part} {label}": found for part, by_class in drawn.items() for label, found in by_class.items()}
        files |= read_generators() | _demonstration()
        np.savez(path, **{name: features(found, of) for name, found in files.items()})  # type: ignore[arg-type]
        print("detection", kind, file=sys.stderr, flush=True)
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def _fingerprints(folder: Path, train: dict[str, list[bytes]]) -> Extractor:
    """Scores against the fingerprints of the training images of each class; none of them is compared with itself."""
    digests = []
    for denoiser in DENOISER_NAMES:
        for label, found in train.items():
            sums = FingerprintSums.of([decode(data).pixels for data in found], (SIDE, SIDE), denoiser, None)
            data = FrozenFingerprint.of(enrol(label, sums)).to_bytes()
            digests.append(digest_of_file(data))
            (folder / file_name(digests[-1])).write_bytes(data)
    return create({"name": FINGERPRINT, "fingerprints": digests}, backbones=folder)


def _demonstration() -> dict[str, list[bytes]]:
    """Files of the demonstration set: its REAL ones, and the FAKE ones of all its generators."""
    found: dict[str, list[bytes]] = {f"{DEMO} REAL": [], DEMO: []}
    for image in make_demo():
        found[DEMO if image.generator else f"{DEMO} REAL"].append(image.data)
    return found


def _measure(rows: dict[str, Rows], seed: int) -> dict[str, Any]:
    def stacked(part: str) -> tuple[Rows, NDArray[np.int8]]:
        real, fake = rows[f"{part} REAL"], rows[f"{part} FAKE"]
        return np.concatenate([real, fake]), np.repeat(np.array([0, 1], np.int8), [len(real), len(fake)])

    heads = {c: fit_head(*stacked("train"), HeadConfig(name="logreg", C=c, seed=seed)) for c in STRENGTHS}

    def area(c: float, X: Rows, y: NDArray[np.int8]) -> float:
        return float(auroc(y, heads[c].scores(X)) or 0.0)

    best = max(STRENGTHS, key=lambda c: area(c, *stacked("validation")))
    others = {}
    for name in (name for name in rows if " " not in name):
        real, fake = rows[f"{name} REAL" if name == DEMO else "test REAL"], rows[name]
        y = np.repeat(np.array([0, 1], np.int8), [len(real), len(fake)])
        others[name] = area(best, np.concatenate([real, fake]), y)
    return {
        "C": best,
        "validation": area(best, *stacked("validation")),
        "test": area(best, *stacked("test")),
        "generators": others,
    }


def table(result: dict[str, Any]) -> str:
    """A Markdown table: AUROC, one row a kind of features."""
    found = result["detection"]
    names = [name for name in found["network"]["generators"] if name != DEMO]
    lines = [
        f"| features | CIFAKE | {' | '.join(names)} | mean of the eight | {DEMO} set |",
        "| --- | --- |" + " --- |" * (len(names) + 2),
    ]
    for kind, row in found.items():
        areas = [row["generators"][name] for name in names]
        shown = [row["test"], *areas, float(np.mean(areas)), row["generators"][DEMO]]
        cells = " | ".join(f"{area:.3f}" for area in shown)
        lines.append(f"| {kind} | {cells} |")
    return "\n".join(lines)
