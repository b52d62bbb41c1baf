"""What each kind of calibration, and each target for false positives, is worth on CIFAKE's test images.

    python -m benchmarks.calibration

Takes seconds: it reads the scores that the shipped model keeps of its validation and test images, which its own fit has
read, and calibrates anew. Every image is its own group: CIFAKE's few identical pairs are all FAKE.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.calibration import choose_threshold
from backend.core.calibrators import FITS, Calibration, choose_calibration
from backend.core.evaluation import evaluate
from backend.core.guarantee import promise_fpr
from backend.core.held_out import two_halves
from backend.service.model_files import PREDICTIONS
from benchmarks.cifake import SHIPPED
from benchmarks.record import ROOT, write_result

TARGETS = (0.001, 0.01, 0.05)
FIGURES = ("ece", "ece_equal_mass", "brier", "log_loss")
MOST_ERROR = 0.01
"""The expected calibration error on test images, bins of equal mass, that the project allows."""


@dataclass(frozen=True)
class Scores:
    """Scores and labels of some images, both (n,)."""

    score: NDArray[np.float64]
    y: NDArray[np.int8]

    def part(self, mask: NDArray[np.bool_]) -> Scores:
        return Scores(self.score[mask], self.y[mask])


def read_scores(split: str) -> Scores:
    """What the shipped model kept of one split."""
    table = pq.read_table(ROOT / "models" / SHIPPED / PREDICTIONS, filters=[("split", "==", split)])
    return Scores(table["score"].to_numpy().astype(np.float64), table["label"].to_numpy().astype(np.int8))


def measure_kinds(calibrating: Scores, test: Scores) -> dict[str, dict[str, Any]]:
    """Knots and test figures of each kind, fitted on the same images."""
    rows: dict[str, dict[str, Any]] = {}
    for kind, fit in FITS.items():
        made = fit(calibrating.score, calibrating.y)
        figures = evaluate(test.y, test.score, made.probabilities(test.score), 0.5, loss="log_loss")
        intervals = {name: figures["intervals"][name] for name in FIGURES}
        rows[kind] = {"knots": len(made.knots), **{name: figures[name] for name in FIGURES}, "intervals": intervals}
    return rows


def measure_targets(calibration: Calibration, setting: Scores, test: Scores) -> dict[str, dict[str, Any]]:
    """Threshold, recall, false positives and promise on test images for each target."""
    rows: dict[str, dict[str, Any]] = {}
    p = calibration.probabilities(test.score)
    for target in TARGETS:
        threshold = choose_threshold(calibration.probabilities(setting.score), setting.y, target)
        real = test.y == 0
        promise = promise_fpr(p[real] >= threshold, np.arange(int(real.sum())), threshold=threshold, source="test")
        figures = evaluate(test.y, test.score, p, threshold, loss="log_loss")
        named = {name: figures[name] for name in ("fpr", "recall", "accuracy")}
        rows[f"{target:g}"] = {**named, "fpr_promise": promise}
    return rows


def table(result: dict[str, Any]) -> str:
    """A Markdown table of the kinds."""
    lines = [
        "| kind | cross-fitted log loss | test: log loss | Brier score | ECE, equal width | ECE, equal mass |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind, row in result["kinds"].items():
        name = f"**{kind}**" if kind == result["calibration"]["kind"] else kind
        cells = [f"{row[figure]:.4f}" for figure in ("log_loss", "brier", "ece", "ece_equal_mass")]
        lines.append(f"| {name} | {result['calibration']['losses'][kind]:.4f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def targets(result: dict[str, Any]) -> str:
    """A Markdown table of the targets."""
    lines = [
        "| `target_fpr` | false positives on test | promised at 95 % | fakes found | accuracy |",
        "| --- | --- | --- | --- | --- |",
    ]
    for target, row in result["targets"].items():
        shares = (float(target), row["fpr"], row["fpr_promise"]["bound"], row["recall"], row["accuracy"])
        lines.append("| " + " | ".join(f"{100 * share:.2f} %" for share in shares) + " |")
    return "\n".join(lines)


def main() -> None:
    """Prints both tables and writes the result; exit status 1 where the chosen kind errs too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    validation, test = read_scores("validation"), read_scores("test")
    groups = np.arange(len(validation.y))
    first, second = two_halves(groups, validation.y, seed)
    calibrating, setting = validation.part(first), validation.part(second)
    chosen = choose_calibration(calibrating.score, calibrating.y, groups[first], seed)
    kinds = measure_kinds(calibrating, test)
    result = {
        "model": SHIPPED,
        "images": {"calibrating": len(calibrating.y), "threshold": len(setting.y), "test": len(test.y)},
        "calibration": chosen.to_json(),
        "kinds": kinds,
        "targets": measure_targets(chosen, setting, test),
        "most_error": MOST_ERROR,
        "kept": kinds[chosen.kind]["ece_equal_mass"] <= MOST_ERROR,
    }
    print(table(result), targets(result), sep="\n\n")
    print(write_result("calibration", result, seed))
    if not result["kept"]:
        raise SystemExit(f"The calibration error on test images is above {MOST_ERROR}.")


if __name__ == "__main__":
    main()
