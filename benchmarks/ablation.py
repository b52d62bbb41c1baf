"""What each choice adds: one row a choice, everything else as the default configuration.

    DEEPFAKE_DATA=... python -m benchmarks.ablation [--rows NAME ...] [--images 20000]

Trained on 20,000 of CIFAKE's training images, measured on the 10,000 validation images; test images stay unread.
Figures of the full training set are in benchmarks/cifake.py. An accuracy of 96 % on 10,000 images has a standard error
of 0.2 points; the difference of two detectors on the same images has a smaller one, about 0.15.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from backend.core.calibration import fit_platt, probability
from backend.core.detector import Rows
from backend.core.evaluation import evaluate
from backend.core.extractors import DEFAULT_SPEC, concatenation
from backend.core.heads import HeadConfig, fit_head
from benchmarks.pixels import Change, Features, load_images, mirrored, shifted, unchanged
from benchmarks.record import RESULTS, write_result

Both = tuple[Rows, Rows]


@dataclass(frozen=True)
class Choice:
    """One row: what differs from the default."""

    group: str
    spec: Mapping[str, Any] = field(default_factory=lambda: DEFAULT_SPEC)
    changes: tuple[Change, ...] = (unchanged,)
    reduce: Callable[[Both], Both] | None = None
    head: HeadConfig = field(default_factory=HeadConfig)


def principal(count: int) -> Callable[[Both], Both]:
    """Standardised features -> their first principal components, fitted on the training rows."""

    def reduce(rows: Both) -> Both:
        train, validation = rows
        mean, scale = train.X.mean(axis=0), train.X.std(axis=0) + 1e-6
        basis = PCA(count, svd_solver="randomized", random_state=0).fit((train.X - mean) / scale)
        new = (np.asarray(basis.transform((part.X - mean) / scale), np.float32) for part in rows)
        first, second = new
        return Rows(first, train.y, train.groups), Rows(second, validation.y, validation.groups)

    return reduce


def strongest(count: int) -> Callable[[Both], Both]:
    """The features of largest |weight x deviation| in a logistic regression on the training rows."""

    def reduce(rows: Both) -> Both:
        train = rows[0]
        head = fit_head(train.X, train.y, HeadConfig("logreg", C=0.01), groups=train.groups)
        kept = np.sort(np.argsort(-np.abs(head.arrays()["weights"] * train.X.std(axis=0)))[:count])
        first, second = (Rows(np.ascontiguousarray(part.X[:, kept]), part.y, part.groups) for part in rows)
        return first, second

    return reduce


def cnn(**options: Any) -> dict[str, Any]:
    """The default extractor with other options."""
    return {**DEFAULT_SPEC, **options}


CHOICES: dict[str, Choice] = {
    "default": Choice(""),
    "last layer only": Choice("stages", cnn(stages="last")),
    "stem and stages (all)": Choice("stages", cnn(stages="all")),
    "mean only": Choice("pooling", cnn(pooling=["mean"])),
    "deviation only": Choice("pooling", cnn(pooling=["std"])),
    "and covariances of stem, block 1, block 2 (detail)": Choice("pooling", cnn(stages="detail")),
    "32 px": Choice("input size", cnn(input_size=32)),
    "48 px": Choice("input size", cnn(input_size=48)),
    "96 px": Choice("input size", cnn(input_size=96)),
    "128 px": Choice("input size", cnn(input_size=128)),
    "EfficientNet-Lite1": Choice("backbone", cnn(backbone="tf_efficientnet_lite1")),
    "EfficientNet-Lite2": Choice("backbone", cnn(backbone="tf_efficientnet_lite2")),
    "Lite0 and Lite1": Choice("backbone", concatenation([DEFAULT_SPEC, cnn(backbone="tf_efficientnet_lite1")])),
    "and residual": Choice("beside the network", concatenation([DEFAULT_SPEC, {"name": "residual"}])),
    "and spectrum": Choice("beside the network", concatenation([DEFAULT_SPEC, {"name": "spectrum"}])),
    "and npr": Choice("beside the network", concatenation([DEFAULT_SPEC, {"name": "npr"}])),
    "image and its mirror image": Choice("averaged over", changes=(unchanged, mirrored)),
    "image and itself moved by a pixel": Choice("averaged over", changes=(unchanged, shifted)),
    "512 principal components": Choice("compression", reduce=principal(512)),
    "1,024 strongest features": Choice("compression", reduce=strongest(1024)),
    "svm": Choice("head", head=HeadConfig("svm")),
    "svm_rbf": Choice("head", head=HeadConfig("svm_rbf")),
    "mlp": Choice("head", head=HeadConfig("mlp")),
    "detail, mirror image": Choice("together", cnn(stages="detail", flips=True)),
    "detail, mirror image, mlp": Choice("together", cnn(stages="detail", flips=True), head=HeadConfig("mlp")),
    "detail, 96 px": Choice("together", cnn(stages="detail", input_size=96)),
}
"""The rows, in the order of the table."""


def measure(choice: Choice, train: Rows, validation: Rows) -> dict[str, Any]:
    """Figures of one row on the validation images; probabilities by Platt scaling on the same, as all rows have it."""
    head = fit_head(train.X, train.y, choice.head, groups=train.groups)
    scores = head.scores(validation.X)
    slope, intercept = fit_platt(scores, validation.y)
    figures = evaluate(validation.y, scores, probability(scores, slope, intercept), 0.5, loss="log_loss")
    return {
        "group": choice.group,
        "dimensions": int(train.X.shape[1]),
        "chosen": {key: value for key, value in head.chosen.items() if key != "candidates"},
        **{name: figures[name] for name in ("accuracy", "auroc", "log_loss")},
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table."""
    lines = [
        "| what differs | choice | numbers | ms an image and core | accuracy | AUROC | log loss |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {row['group']} | {name} | {row['dimensions']:,} | {row['milliseconds']:.2f} "
            f"| {100 * row['accuracy']:.2f} % | {row['auroc']:.4f} | {row['log_loss']:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures the rows and writes the result; rows that are not asked for keep their last figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    images = load_images()
    train, validation = images["train"].some(given.images, given.seed), images["validation"]
    path = RESULTS / "ablation.json"
    rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    counts = {"train_images": len(train.y), "validation_images": len(validation.y)}
    last: tuple[str, Both, float] | None = None
    with Features() as features:
        for name in given.rows:
            choice = CHOICES[name]
            key = json.dumps([choice.spec, [change.__name__ for change in choice.changes]], sort_keys=True)
            if last is None or last[0] != key:
                first, milliseconds = features.of(train, choice.spec, choice.changes)
                second, _ = features.of(validation, choice.spec, choice.changes)
                last = key, (first, second), milliseconds
            _, both, milliseconds = last
            fitted = choice.reduce(both) if choice.reduce else both
            rows[name] = {**measure(choice, *fitted), "milliseconds": round(milliseconds, 3)}
            print(name, rows[name], file=sys.stderr, flush=True)
            ordered = {name: rows[name] for name in CHOICES if name in rows}
            path = write_result("ablation", {**counts, "rows": ordered}, given.seed)  # a kill loses one row at most
    print(table(rows))
    print(path)


if __name__ == "__main__":
    main()
