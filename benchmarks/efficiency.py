"""Accuracy against the number of training images, for each method: users bring small sets.

    DEEPFAKE_DATA=... python -m benchmarks.efficiency [--methods NAME ...] [--counts N ...]

From N of CIFAKE's training images a detector is made exactly as a fit makes one (a tenth of them held out, C by
cross-validation, calibration, threshold), then measured on the 10,000 validation images, which no fit has seen. Up to
10,000 images the figures are means over five drawings, with their standard deviation; fine-tuning, which takes minutes,
is done once a count, up to 10,000 images. Test images stay unread.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.config import FitConfig
from backend.core.detector import Detector, Rows, fit
from backend.core.extractors import DEFAULT_SPEC, FINETUNED, create
from backend.core.extractors.finetuned import file_name
from backend.core.extractors.stored import digest_of_file
from backend.core.finetune import FinetuneConfig
from backend.core.heads import HeadConfig
from backend.core.metrics import auroc
from backend.core.splits import assign_splits, thin
from backend.service.fit_columns import validation_share
from benchmarks.pixels import Features, Images, load_images
from benchmarks.record import RESULTS, write_result

Measured = Callable[[int], list[dict[str, float]]]
"""Number of images -> accuracy and AUROC of each drawing."""

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


TUNED = "fine-tuning, logreg"


def cut(y: NDArray[np.int8], groups: NDArray[np.int64], config: FitConfig) -> list[NDArray[np.intp]]:
    """Places of the training and of the validation images, as a fit on these alone would cut them."""
    share = validation_share(config, len(y))
    names = np.full(len(y), "")
    split = assign_splits(names, y, groups, validation_fraction=share, test_fraction=0.0, seed=config.seed)
    return [np.flatnonzero(split == name) for name in ("train", "validation")]


def make(rows: Rows, config: FitConfig, extractor: Any) -> Detector:
    """A detector from these rows alone."""
    train, validation = (
        Rows(np.ascontiguousarray(rows.X[part]), rows.y[part], rows.groups[part])
        for part in cut(rows.y, rows.groups, config)
    )
    return fit(train, validation, config, extractor, lambda *_: None)


def tune(images: Images, config: FitConfig, backbones: Path) -> dict[str, Any]:
    """The spec of a network that was fine-tuned on these images alone, and now lies among `backbones`."""
    from backend.core.extractors.export import build_graph, write_graph
    from backend.core.finetune.checkpoint import Place
    from backend.core.finetune.network import Labelled
    from backend.core.finetune.train import Plan, finetune

    train, validation = (
        Labelled(images.pixels[part], images.y[part], images.groups[part])
        for part in cut(images.y, images.groups, config)
    )
    graph, weights = build_graph(**{key: value for key, value in DEFAULT_SPEC.items() if key != "name"})
    place = Place(lambda: None, lambda _: None)
    cores = len(os.sched_getaffinity(0))
    tuned = finetune(
        graph, train, validation, Plan(FinetuneConfig()), threads=cores, progress=lambda *_: None, place=place
    )
    path = backbones / "graph.onnx"
    write_graph(tuned.graph, path, {"backbone": DEFAULT_SPEC["backbone"], "weights": weights})
    network = digest_of_file(path.read_bytes())
    path.rename(backbones / file_name(network))
    return {"name": FINETUNED, "network": network}


def frozen_at(method: str, images: Mapping[str, Images], computed: Features) -> Measured:
    """How a head on frozen features does with a number of images: features are computed once."""
    spec, head = METHODS[method]
    train, validation = (computed.of(images[name], spec)[0] for name in ("train", "validation"))
    extractor = create(spec, backbones=computed.backbones)

    def measured(count: int) -> list[dict[str, float]]:
        runs = []
        for drawing in range(DRAWINGS if count <= ONE_DRAWING_ABOVE else 1):
            kept = thin(train.groups, train.y, count, drawing)
            some = Rows(train.X[kept], train.y[kept], train.groups[kept])
            config = FitConfig(extractor=spec, head=replace(head, seed=drawing), seed=drawing)
            runs.append(measure(make(some, config, extractor), validation))
        return runs

    return measured


def tuned_at(images: Mapping[str, Images], computed: Features) -> Measured:
    """How a logistic regression on a network that was fine-tuned on the same images does."""

    def measured(count: int) -> list[dict[str, float]]:
        some = images["train"].some(count, 0)
        spec = tune(some, FitConfig(finetune=FinetuneConfig()), computed.backbones)
        train, validation = (computed.of(part, spec)[0] for part in (some, images["validation"]))
        extractor = create(spec, backbones=computed.backbones)
        return [measure(make(train, FitConfig(extractor=spec), extractor), validation)]

    return measured


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
    methods = [*METHODS, TUNED]
    parser.add_argument("--methods", nargs="*", default=methods, choices=methods)
    parser.add_argument("--counts", nargs="*", type=int, default=list(COUNTS))
    given = parser.parse_args()
    images = load_images()
    path = RESULTS / "efficiency.json"
    rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    with Features() as computed:
        for method in given.methods:
            measured = tuned_at(images, computed) if method == TUNED else frozen_at(method, images, computed)
            rows.setdefault(method, {})
            for count in given.counts:
                if method == TUNED and count > ONE_DRAWING_ABOVE:
                    continue
                started = time.perf_counter()
                runs = measured(count)
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
