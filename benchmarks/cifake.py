"""All of CIFAKE: import, features, heads, figures; the original project's table beside ours.

    DEEPFAKE_DATA=... python -m benchmarks.cifake            choose: figures on training and validation images only
    DEEPFAKE_DATA=... python -m benchmarks.cifake --final    reads the test images, writes the ledger
    DEEPFAKE_DATA=... python -m benchmarks.cifake --final --ship    and puts the default detector into models/

The first row is the cold fit: an empty data folder, the published archive, the default configuration. The others are
refits on its cached features. The one with another C is timed without a look at its memory, which takes a tenth of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.core.config import FitConfig
from backend.core.extractors import DEFAULT_SPEC
from backend.core.heads import HeadConfig
from backend.service.app import Service, open_service
from backend.service.model_files import CARD, HEAD
from backend.settings import load_settings
from benchmarks.record import COMMIT, LEDGER, ROOT, PeakMemory, data_folder, run_job, write_result

SHIPPED = "cifake-logreg"
ORIGINAL: dict[
    str, dict[str, Any]
] = {  # reported by the project that this one continues; accuracies in percent, no AUROC given
    "logreg": {"train": (76.54, None), "test": (76.17, 0.483), "loss": "log loss"},
    "logreg + fine-tuning": {"train": (80.46, None), "test": (80.24, 0.457), "loss": "log loss"},
    "svm": {"train": (38.44, None), "test": (37.95, 0.549), "loss": "hinge loss"},
    "svm + fine-tuning": {"train": (41.51, None), "test": (40.62, 0.519), "loss": "hinge loss"},
}
LAST_LAYER = {**DEFAULT_SPEC, "stages": "last"}
DETAIL = {**DEFAULT_SPEC, "stages": "detail", "flips": True}
BASE = FitConfig()
CONFIGS: dict[str, FitConfig] = {
    "logreg": BASE,
    "svm": replace(BASE, head=HeadConfig("svm")),
    "svm_rbf": replace(BASE, head=HeadConfig("svm_rbf")),
    "mlp": replace(BASE, head=HeadConfig("mlp")),
    "logreg_sgd, 15 epochs": replace(BASE, head=HeadConfig("logreg_sgd", epochs=15)),
    "svm_sgd, 15 epochs": replace(BASE, head=HeadConfig("svm_sgd", epochs=15)),
    "logreg, detail, flips": replace(BASE, extractor=DETAIL),
    "mlp, detail, flips": replace(BASE, extractor=DETAIL, head=HeadConfig("mlp")),
    "logreg, last layer only": replace(BASE, extractor=LAST_LAYER),
    "svm, last layer only": replace(BASE, extractor=LAST_LAYER, head=HeadConfig("svm")),
}
"""What is measured; the first is the default and pays for the import."""

REFIT = replace(BASE, head=HeadConfig("logreg", C=0.01), evaluate_test=False)
FIGURES = (
    "accuracy",
    "auroc",
    "log_loss",
    "hinge_loss",
    "fpr",
    "recall",
    "brier",
    "ece",
    "ece_equal_mass",
    "loss_value",
)
FIGURES += ("unsure_share", "sure_accuracy")


def measure(service: Service, params: dict[str, Any], config: FitConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """The card of a fit, and what the result keeps of it; progress goes to standard error."""
    with PeakMemory() as peak:
        result, seconds = run_job(service, "fit", {**params, "config": config.to_json()})
    card = service.registry.get(result["model_id"])
    return card, figures(card) | {"seconds": round(seconds, 1), "peak_memory_mib": round(peak.mib)}


def figures(card: dict[str, Any]) -> dict[str, Any]:
    """Configuration, choices, timings and metrics of a card, without the curves."""
    measured = {
        split: {name: values[name] for name in ("n", *FIGURES)} | {"intervals": values["intervals"]}
        for split, values in card["metrics"].items()
        if values is not None
    }
    return {
        "config": card["config"],
        "chosen": card["head"]["chosen"],
        "dimensions": card["extractor"]["dimensions"],
        "backbone": card["backbone"],
        "activation": card["activation"],
        "loss": card["loss"],
        "calibration": card["calibration"],
        "fpr_promise": card["fpr_promise"],
        "timings": card["timings"],
        "history": card["head"]["history"],
        "metrics": measured,
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: the original's rows, then ours."""
    lines = [
        "| method | accuracy: train | validation | test | AUROC: test | loss: train | test | test without twins |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in ORIGINAL.items():
        accuracy, loss = row["test"]
        lines.append(
            f"| original: {name} | {row['train'][0]:.2f} % | | {accuracy:.2f} % | | | {row['loss']} {loss} | |"
        )
    for name, row in rows.items():
        metrics, loss = row["metrics"], row["loss"].removesuffix("_loss")
        train, test = metrics["train"], metrics.get("test")
        cells = [_percent(metrics.get(split)) for split in ("train", "validation", "test")]
        cells += [f"{test['auroc']:.4f}" if test else "", f"{loss} loss {train['loss_value']:.3f}"]
        cells += [
            f"{loss} loss {test['loss_value']:.3f}" if test else "",
            _percent(metrics.get("test_without_duplicates")),
        ]
        lines.append(f"| ours: {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(metrics: dict[str, Any] | None) -> str:
    return f"{100 * metrics['accuracy']:.2f} %" if metrics else ""


def write_ledger(name: str, row: dict[str, Any]) -> None:
    """Appends one reading of the test images: configuration digest, commit, figures."""
    digest = hashlib.sha256(json.dumps(row["config"], sort_keys=True).encode()).hexdigest()
    test = {key: row["metrics"]["test"][key] for key in FIGURES}
    entry = {"date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": COMMIT, "head": name}
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps({**entry, "config": digest, "test": test}) + "\n")


def ship(service: Service, card: dict[str, Any], id: str, name: str) -> Path:
    """Puts a fitted model into models/ under that id and name: it is there at the first start."""
    target = ROOT / "models" / id
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(service.registry.root / card["id"], target)
    kept = {key: value for key, value in card.items() if key not in ("active", "size_bytes")}
    (target / HEAD).chmod(0o644)  # safetensors writes files that only their owner may read
    kept |= {"id": id, "name": name, "shipped": True}
    (target / CARD).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return target


def main() -> None:
    """Runs the fits, prints the table, writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--final", action="store_true", help="read the test images and write the ledger")
    parser.add_argument("--ship", action="store_true", help="put the default detector into models/ (with --final)")
    parser.add_argument("--rows", nargs="*", default=list(CONFIGS), choices=list(CONFIGS), help="what to measure")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.ship and not given.final:
        parser.error("--ship goes with --final")
    source = {"kind": "cifake", "path": str(data_folder() / "cifake.zip")}
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        models = Path(folder) / "models"
        shutil.copytree(ROOT / "models" / "backbones", models / "backbones")
        service = open_service(load_settings(data_dir=Path(folder) / "data", models_dir=models))
        try:
            params: dict[str, Any] = {"name": "CIFAKE", "source": source}
            for name, config in CONFIGS.items():
                if name in given.rows or not rows:
                    chosen = replace(config, evaluate_test=given.final, seed=given.seed)
                    card, rows[name] = measure(service, params, chosen)
                    if given.final:
                        write_ledger(name, rows[name])
                    if given.ship and len(rows) == 1:
                        print(
                            f"shipped: {ship(service, card, SHIPPED, 'CIFAKE, logistic regression')}", file=sys.stderr
                        )
                    params = {"dataset_id": card["dataset"]["id"]}
            again = replace(REFIT, seed=given.seed)
            _, refit = measure(service, params, again)
            refit["seconds"] = round(run_job(service, "fit", {**params, "config": again.to_json()})[1], 1)
            dataset = service.datasets.get("CIFAKE")
        finally:
            service.close()
    print(table(rows))
    for name, row in {**rows, "refit": refit}.items():
        print(f"{name}: {row['seconds']} s {row['timings']}, peak {row['peak_memory_mib']} MiB")
    result = {
        "data": {"images": dataset.images, "digest": dataset.digest, "duplicates": dataset.duplicates},
        "original": ORIGINAL,
        "rows": rows,
        "refit": refit,
    }
    print(write_result("cifake" if given.final else "cifake_validation", result, given.seed))


if __name__ == "__main__":
    main()
