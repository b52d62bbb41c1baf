"""Puts the tables of benchmarks/results/ into README.md and docs/, between `<!-- table: NAME -->` and `<!-- end -->`.

    python -m benchmarks.documents

A test holds that the documents show what the results say.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks import (
    ablation,
    abstention,
    bot,
    calibration,
    cifake,
    codec,
    cross_generator,
    domain,
    eda,
    edited,
    efficiency,
    enrolment,
    finetuning,
    fingerprint_choice,
    fingerprint_costs,
    fingerprint_detection,
    fingerprint_survival,
    fingerprints,
    fuzz,
    int8,
    load,
    reliability,
    scaling,
    seeds,
    speed_tables,
    transfer,
)
from benchmarks.record import RESULTS, ROOT

Result = dict[str, Any]


def read_result(name: str) -> Result:
    """A benchmark's last result."""
    result: Result = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


def costs(result: Result) -> str:
    """What the default configuration takes from nothing, and what other heads take on its cached features."""
    lines = ["| fit of all of CIFAKE | seconds | peak memory of all processes |", "| --- | --- | --- |"]

    def row(name: str, values: Result) -> None:
        lines.append(f"| {name} | {values['seconds']:.0f} | {values['peak_memory_mib'] / 1024:.1f} GiB |")

    rows = result["rows"]
    row("logreg from the archive: import, audit, features, fit, figures", rows["logreg"])
    for name in ("svm", "svm_rbf"):
        row(f"{name} on cached features, `C` chosen", rows[name])
    row("mlp on cached features, 15 epochs", rows["mlp"])
    row("logreg, detail, flips, from stored images", rows["logreg, detail, flips"])
    row("logreg on cached features, another `C`", result["refit"])
    return "\n".join(lines)


SPEED = ("extraction", "serving", "startup", "web")
"""The results of the README's table about speed."""

TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        "cifake": lambda: cifake.table({**read_result("cifake")["rows"], **read_result("finetuning")["rows"]}),
        "fall": lambda: cross_generator.fall(
            read_result("cross_generator")["detector"],
            read_result("cifake")["rows"]["logreg"]["metrics"]["test"]["accuracy"],
        ),
        "costs": lambda: costs(read_result("cifake")),
        "speed": lambda: speed_tables.speed({name: read_result(name) for name in SPEED}),
        "eda": lambda: eda.table(read_result("eda")),
    },
    "docs/performance.md": {
        "extraction": lambda: speed_tables.extraction(read_result("extraction")),
        "bound": lambda: speed_tables.bound(read_result("extraction")),
        "serving": lambda: speed_tables.serving(read_result("serving")),
        "int8": lambda: int8.table(read_result("int8")["rows"]),
        "photograph": lambda: speed_tables.photograph(read_result("photograph")),
    },
    "docs/ablation.md": {
        "ablation": lambda: ablation.table(read_result("ablation")["rows"]),
        "seeds": lambda: seeds.table(read_result("seeds")["rows"]),
        "efficiency": lambda: efficiency.table(read_result("efficiency")["rows"]),
    },
    "docs/fine-tuning.md": {"epochs": lambda: finetuning.table(read_result("finetuning"))},
    "docs/cross-generator.md": {
        "conclusion": lambda: cross_generator.conclusions(read_result("cross_generator")),
        "counts": lambda: cross_generator.counts_table(read_result("cross_generator")["matrix"]),
        "detector": lambda: cross_generator.detector_table(read_result("cross_generator")["detector"]),
        "tuned": lambda: cross_generator.detector_table(read_result("cross_generator")["tuned"]),
        "alone": lambda: cross_generator.matrix_table(read_result("cross_generator")["matrix"], "alone"),
        "areas": lambda: cross_generator.matrix_table(read_result("cross_generator")["matrix"], "alone", "auroc"),
        "without": lambda: cross_generator.matrix_table(read_result("cross_generator")["matrix"], "without"),
        "transfer": lambda: transfer.table(read_result("transfer")),
        "transfer-generators": lambda: transfer.by_generator(read_result("transfer")),
    },
    "docs/calibration.md": {
        "kinds": lambda: calibration.table(read_result("calibration")),
        "targets": lambda: calibration.targets(read_result("calibration")),
    },
    "docs/edited-images.md": {"edited": lambda: edited.table(read_result("edited"))},
    "docs/enrolment.md": {
        "enrolment": lambda: enrolment.table(read_result("enrolment")),
        "larger": lambda: enrolment.table(read_result("enrolment_larger")),
    },
    "docs/fingerprints.md": {
        "closed": lambda: fingerprints.closed_table(read_result("fingerprints")),
        "open": lambda: fingerprints.open_table(read_result("fingerprints")),
        "choice": lambda: fingerprint_choice.table(read_result("fingerprint_choice")),
        "choice-outer": lambda: fingerprint_choice.outer_table(read_result("fingerprint_choice")),
        "generators": lambda: fingerprints.generators_table(read_result("fingerprints")),
        "detection": lambda: fingerprint_detection.table(read_result("fingerprints")),
        "survival": lambda: fingerprint_survival.table(read_result("fingerprints")),
        "costs": lambda: fingerprint_costs.table(read_result("fingerprints")),
    },
    "docs/domain.md": {
        "methods": lambda: domain.table(read_result("domain")),
        "sets": lambda: domain.by_set(read_result("domain")),
        "codec-cifake": lambda: codec.cifake_table(read_result("codec")),
        "codec-demo": lambda: codec.demo_table(read_result("codec")),
        "others": lambda: abstention.table(read_result("abstention"), abstention.OTHERS),
        "alone": lambda: abstention.table(read_result("abstention"), abstention.ALONE),
        "larger": lambda: abstention.short_table(read_result("abstention"), abstention.LARGER),
    },
    "docs/telegram-bot.md": {"bot": lambda: bot.table(read_result("bot"))},
    "docs/scaling.md": {"scaling": lambda: scaling.table(read_result("scaling")["rows"])},
    "docs/reliability.md": {
        "faults": lambda: reliability.table(read_result("reliability")["rows"]),
        "load": lambda: load.table(read_result("load")),
        "fuzz": lambda: fuzz.table(read_result("fuzz")),
    },
}
"""What each document shows."""


def fill(name: str) -> str:
    """The document's text with every table made anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for table, make in TABLES[name].items():
        head, start, rest = text.partition(f"<!-- table: {table} -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        if not start or not end:
            raise SystemExit(f"{name} has no place for the table {table}.")
        text = f"{head}{start}\n{make()}\n\n{end}{tail}"
    return text


if __name__ == "__main__":
    for name in TABLES:
        (ROOT / name).write_text(fill(name), encoding="utf-8")
