"""Fine-tuning on all of CIFAKE: the network trained further, and heads on what comes out.

    DEEPFAKE_DATA=... python -m benchmarks.finetuning --folder DIR            trains; validation figures only
    DEEPFAKE_DATA=... python -m benchmarks.finetuning --folder DIR --final    reads the test images, writes the ledger
    DEEPFAKE_DATA=... python -m benchmarks.finetuning --folder DIR --final --ship    and puts the detector into models/

Training takes about two hours on two cores. DIR keeps the service's data: when the program is killed, the same command
goes on from the last minute; when the training is done, it fits heads on the network that came out.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from backend.core.config import FitConfig
from backend.core.extractors import DEFAULT_SPEC, concatenation
from backend.core.extractors.finetuned import file_name
from backend.core.finetune import FinetuneConfig
from backend.core.heads import HeadConfig
from backend.service.app import open_service
from backend.settings import load_settings
from benchmarks import cifake
from benchmarks.record import ROOT, data_folder, run_job, write_result

SHIPPED = "cifake-tuned"
TUNED = FitConfig(
    extractor={**DEFAULT_SPEC, "flips": True},
    finetune=FinetuneConfig(epochs=7),
    evaluate_test=False,
    name="CIFAKE, fine-tuned",
)
"""Chosen on validation images."""

HEADS = {"logreg": (), "svm": (), "mlp": (), "logreg, detail": (cifake.DETAIL,), "mlp, detail": (cifake.DETAIL,)}
"""Heads, and the extractors that stand beside the network."""


def table(result: dict[str, Any]) -> str:
    """A Markdown table: one row an epoch, measured on the validation images that calibrate."""
    lines = [
        "| after epoch | loss: train | validation | accuracy: validation | AUROC |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in [{**result["finetuned"]["start"], "epoch": 0}, *result["finetuned"]["history"]]:
        learnt = f"{row['train_loss']:.4f}" if "train_loss" in row else ""
        lines.append(
            f"| {row['epoch']:.0f} | {learnt} | {row['validation_loss']:.4f} "
            f"| {100 * row['validation_accuracy']:.2f} % | {row['validation_auroc']:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Trains or finds the network, fits the heads, writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="keeps data and models between calls")
    parser.add_argument("--final", action="store_true", help="read the test images and write the ledger")
    parser.add_argument("--ship", action="store_true", help="put the detector into models/ (with --final)")
    given = parser.parse_args()
    if given.ship and not given.final:
        parser.error("--ship goes with --final")
    source = {"kind": "cifake", "path": str(data_folder() / "cifake.zip")}
    rows: dict[str, dict[str, Any]] = {}
    service = open_service(load_settings(data_dir=given.folder / "data", models_dir=given.folder / "models"))
    try:
        imported, _ = run_job(service, "import", {"name": "CIFAKE", "source": source}, "cifake-import")
        params = {"dataset_id": imported["dataset_id"]}
        trained, _ = run_job(service, "fit", {**params, "config": TUNED.to_json()}, "cifake-finetuning")
        first = service.registry.get(trained["model_id"])
        print(first["finetuned"], file=sys.stderr)
        for name, beside in HEADS.items():
            head, *others = name.split(", ")
            row = ", ".join([f"{head} + fine-tuning", *others])
            tuned = first["extractor"]["spec"]
            config = FitConfig(
                concatenation([tuned, *beside]) if beside else tuned,
                HeadConfig(head),
                evaluate_test=given.final,
                name=f"{TUNED.name}, {name}",
            )
            card, rows[row] = cifake.measure(service, params, config)
            if given.final:
                cifake.write_ledger(row, rows[row])
            if given.ship and name == "logreg":
                card = {**card, "finetuned": first["finetuned"]}
                graph = file_name(card["extractor"]["spec"]["network"])
                shutil.copy(given.folder / "models" / "backbones" / graph, ROOT / "models" / "backbones")
                print(f"shipped: {cifake.ship(service, card, SHIPPED, TUNED.name)}", file=sys.stderr)
    finally:
        service.close()
    print(cifake.table(rows))
    result = {"finetuned": first["finetuned"], "timings": first["timings"], "rows": rows}
    print(write_result("finetuning" if given.final else "finetuning_validation", result, seed=0))


if __name__ == "__main__":
    main()
