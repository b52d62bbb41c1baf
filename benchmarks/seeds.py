"""How much a figure moves with the seed: the default fits again with other splits, drawings and starting points.

    DEEPFAKE_DATA=... python -m benchmarks.seeds [--seeds 5] [--rows NAME ...]

Each seed cuts its own validation images from CIFAKE's training images; figures are on those. Test images stay unread.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.service.app import open_service
from backend.settings import load_settings
from benchmarks.cifake import CONFIGS
from benchmarks.record import ROOT, data_folder, run_job, write_result

ROWS = ("logreg", "svm", "svm_rbf", "mlp")
FIGURES = ("accuracy", "auroc", "log_loss")


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: mean and standard deviation over the seeds."""
    lines = ["| head | seeds | accuracy | AUROC | log loss |", "| --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        mean, spread = row["mean"], row["deviation"]
        lines.append(
            f"| {name} | {len(row['runs'])} | {100 * mean['accuracy']:.2f} ± {100 * spread['accuracy']:.2f} % "
            f"| {mean['auroc']:.4f} ± {spread['auroc']:.4f} | {mean['log_loss']:.4f} ± {spread['log_loss']:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Runs the fits and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(CONFIGS))
    given = parser.parse_args()
    source = {"kind": "cifake", "path": str(data_folder() / "cifake.zip")}
    params: dict[str, Any] = {"name": "CIFAKE", "source": source}
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        models = Path(folder) / "models"
        shutil.copytree(ROOT / "models" / "backbones", models / "backbones")
        service = open_service(load_settings(data_dir=Path(folder) / "data", models_dir=models))
        try:
            for name in given.rows:
                runs = []
                for seed in range(given.seeds):
                    config = CONFIGS[name]
                    config = replace(
                        config,
                        seed=seed,
                        head=replace(config.head, seed=seed),
                        evaluate_test=False,
                        name=f"{name} {seed}",
                    )
                    result, seconds = run_job(service, "fit", {**params, "config": config.to_json()})
                    card = service.registry.get(result["model_id"])
                    params = {"dataset_id": card["dataset"]["id"]}
                    measured = {figure: card["metrics"]["validation"][figure] for figure in FIGURES}
                    runs.append({"seed": seed, "seconds": round(seconds, 1), **measured})
                    print(name, runs[-1], file=sys.stderr, flush=True)
                rows[name] = {
                    "runs": runs,
                    "mean": {figure: statistics.mean(run[figure] for run in runs) for figure in FIGURES},
                    "deviation": {figure: statistics.stdev(run[figure] for run in runs) for figure in FIGURES},
                }
        finally:
            service.close()
    print(table(rows))
    print(write_result("seeds", {"rows": rows}, seed=0))


if __name__ == "__main__":
    main()
