"""Accuracy against the number of training images, for each method: users bring small sets.

    DEEPFAKE_DATA=... python -m benchmarks.efficiency [--methods NAME ...] [--counts N ...]

From N of CIFAKE's training images a detector is made exactly as a fit makes one (a tenth of them held out, C by
cross-validation, calibration, threshold), then measured on the 10,000 validation images, which no fit has seen. Up to
10,000 images the figures are means over five drawings, with their standard deviation. Test images stay unread.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from backend.core.config import FitConfig
from backend.core.detector import Detector, Rows, fit
from backend.core.extractors import DEFAULT_SPEC, create
from backend.core.heads import HeadConfig
from backend.core.metrics import auroc
from backend.core.splits import assign_splits, thin
from benchmarks.pixels import Features, load_images
from benchmarks.record import RESULTS, write_result

COUNTS = (100, 300, 1_000, 3_000, 10_000, 30_000, 90_000)
DRAWINGS = 5
ONE_DRAWING_ABOVE = 10_000
LAST = {**DEFAULT_SPEC, "stages": "last"}
METHODS: dict[str, tuple[dict[str, Any], HeadConfig]] = {
    "logreg": (DEFAULT_SPEC, HeadConfig("logreg")),
    "svm": (DEFAULT_SPEC, HeadConfig("svm")),
    "svm_rbf": (DEFAULT_SPEC, HeadConfig("svm_rbf")),
    "mlp": (DEFAULT_SPEC, HeadConfig("mlp")),
    "logreg, last layer only": (LAST, HeadConfig("logreg")),
}


def make(rows: Rows, config: FitConfig, extractor: Any) -> Detector:
    """A detector from these rows alone, cut into training and validation as a data set without named splits is."""
    split = assign_splits(
        np.full(len(rows.y), ""),
        rows.y,
        rows.groups,
        validation_fraction=config.validation_fraction,
        test_fraction=0.0,
        seed=config.seed,
    )
    train, validation = (
        Rows(np.ascontiguousarray(rows.X[split == name]), rows.y[split == name], rows.groups[split == name])
        for name in ("train", "validation")
    )
    return fit(train, validation, config, extractor, lambda *_: None)


def measure(detector: Detector, rows: Rows) -> dict[str, float]:
    """Accuracy at the detector's threshold, and AUROC."""
    scores = detector.scores(rows.X)
    called_fake = detector.probabilities(scores) >= detector.threshold
    return {"accuracy": float((called_fake == (rows.y == 1)).mean()), "auroc": float(auroc(rows.y, scores) or 0.0)}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: one row a method, one column a number of images."""
    counts = sorted({int(count) for row in rows.values() for count in row})
    lines = [
        "| method | " + " | ".join(f"{count:,}" for count in counts) + " |",
        "| --- " * (len(counts) + 1) + "|",
    ]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(_cell(row.get(str(count))) for count in counts) + " |")
    return "\n".join(lines)


def _cell(values: dict[str, Any] | None) -> str:
    if values is None:
        return ""
    spread = f" ± {100 * values['accuracy_deviation']:.1f}" if values["drawings"] > 1 else ""
    return f"{100 * values['accuracy']:.1f}{spread} %"


def main() -> None:
    """Measures the methods and writes the result; figures that are not asked for keep their last values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--counts", nargs="*", type=int, default=list(COUNTS))
    given = parser.parse_args()
    images = load_images()
    path = RESULTS / "efficiency.json"
    rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    features: dict[str, tuple[Rows, Rows]] = {}
    with Features() as computed:
        for method in given.methods:
            spec, head = METHODS[method]
            key = json.dumps(spec, sort_keys=True)
            if key not in features:
                features = {key: tuple(computed.of(images[name], spec)[0] for name in ("train", "validation"))}
            train, validation = features[key]
            extractor = create(spec, backbones=computed.backbones)
            rows.setdefault(method, {})
            for count in given.counts:
                runs = []
                started = time.perf_counter()
                for drawing in range(DRAWINGS if count <= ONE_DRAWING_ABOVE else 1):
                    kept = thin(train.groups, train.y, count, drawing)
                    some = Rows(train.X[kept], train.y[kept], train.groups[kept])
                    config = FitConfig(extractor=spec, head=replace(head, seed=drawing), seed=drawing)
                    runs.append(measure(make(some, config, extractor), validation))
                rows[method][str(count)] = {
                    "drawings": len(runs),
                    "seconds": round((time.perf_counter() - started) / len(runs), 2),
                    **{name: float(np.mean([run[name] for run in runs])) for name in ("accuracy", "auroc")},
                    **{f"{name}_deviation": float(np.std([r[name] for r in runs])) for name in ("accuracy", "auroc")},
                }
                print(method, count, rows[method][str(count)], file=sys.stderr, flush=True)
    print(table(rows))
    print(write_result("efficiency", {"validation_images": len(images["validation"].y), "rows": rows}, seed=0))


if __name__ == "__main__":
    main()
