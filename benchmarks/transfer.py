"""What of a detector of frozen features carries to generators that it never saw: one row a choice.

    DEEPFAKE_DATA=... python -m benchmarks.transfer [--rows NAME ...] [--folder FOLDER]

Everything else is as the default. Two trials a row, both asked about the eight generators of gen32.zip:

* alone: fitted on CIFAKE's REAL and FAKE;
* left out: for each generator, fitted on the same and on the fakes of the seven others, which are repeated until they
  count as much as CIFAKE's FAKE; in rows "alike" each of them counts as much as CIFAKE's.

REAL images are CIFAKE's. All of its images are training images, those that are asked about are held out: test images
stay unread, so that choices may be made by this table. Intervals are of a bootstrap over the images that are asked
about, the same drawings for all rows: they say what other images would give, not other fits or other generators.
Strengths `C` are chosen on CIFAKE alone. `--folder` keeps the features. One thread takes about half an hour.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.core.extractors import DEFAULT_SPEC
from backend.core.heads import HeadConfig
from benchmarks.enrolment import folder_of_features
from benchmarks.record import RESULTS, write_result
from benchmarks.transfer_images import (
    OWN,
    Change,
    Features,
    Rows,
    Spec,
    blurred,
    compressed,
    mixed,
    read_images,
    rescaled,
)
from benchmarks.transfer_trials import Parts, Way, measure

LOGREG = HeadConfig("logreg", class_weight="balanced")
DEFAULT_WAY = Way(LOGREG)


@dataclass(frozen=True)
class Choice:
    """One row: what differs from the default."""

    group: str = ""
    specs: tuple[Spec, ...] = (DEFAULT_SPEC,)  # side by side
    change: Change | None = None  # training images are taken once as they are and once changed
    way: Way = DEFAULT_WAY


def cnn(**options: Any) -> tuple[Spec, ...]:
    """The default extractor with other options."""
    return ({**DEFAULT_SPEC, **options},)


WITHOUT_NETWORK: tuple[Spec, ...] = tuple(
    {"name": name} for name in ("residual", "npr", "spectrum", "dct", "synthbuster")
)
WHITENED = "whitened by REAL"
ALIKE = "all generators alike"


def head(name: str, **options: Any) -> Way:
    """A way with another head than the default."""
    return Way(replace(LOGREG, name=name, **options))


CHOICES: dict[str, Choice] = {
    "default": Choice(),
    "last layer only": Choice("stages", cnn(stages="last")),
    "stem and stages (all)": Choice("stages", cnn(stages="all")),
    "stem and first two blocks": Choice("stages", cnn(stages=["stem", "block1.0.dw", "block2.0.dw"])),
    "detail": Choice("stages", cnn(stages="detail")),
    **{f"{size} px": Choice("input size", cnn(input_size=size)) for size in (32, 96, 128)},
    **{spec["name"]: Choice("instead of the network", (spec,)) for spec in WITHOUT_NETWORK},
    "all five": Choice("beside the network", (DEFAULT_SPEC, *WITHOUT_NETWORK)),
    "JPEG": Choice("augmentation", change=compressed),
    "blur": Choice("augmentation", change=blurred),
    "rescaling": Choice("augmentation", change=rescaled),
    "all three": Choice("augmentation", change=mixed),
    **{f"logreg, C {C:g}": Choice("head", way=head("logreg", C=C)) for C in (0.0001, 0.1)},
    **{name: Choice("head", way=head(name)) for name in ("svm_rbf", "mlp", "multi")},
    WHITENED: Choice("head", way=Way(None)),
    "multi, 128 px": Choice("together", cnn(input_size=128), way=head("multi")),
    "logreg, alike": Choice(ALIKE, way=Way(LOGREG, alike=True)),
    "logreg, 128 px, alike": Choice(ALIKE, cnn(input_size=128), way=Way(LOGREG, alike=True)),
    f"{WHITENED}, alike": Choice(ALIKE, way=Way(None, alike=True)),
    f"{WHITENED}, 128 px, alike": Choice(ALIKE, cnn(input_size=128), way=Way(None, alike=True)),
    f"{WHITENED}, detail, alike": Choice(ALIKE, cnn(stages="detail"), way=Way(None, alike=True)),
    f"{WHITENED}, all five, alike": Choice(ALIKE, (DEFAULT_SPEC, *WITHOUT_NETWORK), way=Way(None, alike=True)),
    f"{WHITENED}, all three, alike": Choice(ALIKE, change=mixed, way=Way(None, alike=True)),
}
"""The rows, in the order of the table."""


def rows_of(choice: Choice, images: Mapping[str, Any], features: Features, seed: int) -> tuple[Parts, Parts]:
    """Features of the images to fit on, and of those that are asked about."""

    def beside(part: str, change: Change | None) -> dict[str, Rows]:
        found = [features.of(images[part], spec, change, seed) for spec in choice.specs]
        return {name: np.concatenate([rows[name] for rows in found], axis=1) for name in images[part]}

    fitted, asked = beside("fit", None), beside("asked", None)
    if choice.change:
        changed = beside("fit", choice.change)
        fitted = {name: np.concatenate([rows, changed[name]]) for name, rows in fitted.items()}
    return fitted, asked


def chosen_by_others(rows: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    """Generator -> (the row that is best for the seven others, each left out; that row's AUROC for this one)."""
    areas = {name: row["left_out"]["generators"] for name, row in rows.items()}
    chosen = {}
    for generator in areas["default"]:
        best = max(areas, key=lambda name: sum(areas[name].values()) - areas[name][generator])
        chosen[generator] = best, areas[best][generator]
    return chosen


def table(result: Mapping[str, Any]) -> str:
    """A Markdown table: a row a choice, and what choosing by the seven other generators brings."""

    def cell(found: Mapping[str, float], sign: str = "") -> str:
        return f"{found['value']:{sign}.3f} ({found['low']:{sign}.3f} to {found['high']:{sign}.3f})"

    lines = [
        "| what differs | choice | numbers | CIFAKE, accuracy | CIFAKE, AUROC | the eight, CIFAKE alone "
        "| the eight, each left out | gain over the default | better for | CIFAKE with the seven, accuracy |",
        "|" + " --- |" * 10,
    ]
    start = result["rows"]["default"]["left_out"]["generators"]
    for name, row in result["rows"].items():
        alone, left_out = row["alone"], row["left_out"]
        better = sum(area > start[generator] for generator, area in left_out["generators"].items())
        gained = ["", ""] if name == "default" else [cell(left_out["gain"], "+"), f"{better} of {len(start)}"]
        cells = [row["group"], name, f"{row['dimensions']:,}", f"{100 * alone['cifake_accuracy']:.1f} %"]
        cells += [f"{alone['cifake_auroc']:.3f}", cell(alone["mean"]), cell(left_out["mean"]), *gained]
        lines.append(f"| {' | '.join(cells)} | {100 * left_out['cifake_accuracy']:.1f} % |")
    chosen = chosen_by_others(result["rows"])
    mean = float(np.mean([area for _, area in chosen.values()]))
    names = ", ".join(sorted({name for name, _ in chosen.values()}))
    told = f"The row that is best for the seven others ({names}), asked about the eighth: {mean:.3f} on average."
    return "\n".join([*lines, "", told])


def by_generator(result: Mapping[str, Any]) -> str:
    """A Markdown table: AUROC in per cent of each generator, with CIFAKE alone / left out."""
    names = list(result["images"])
    lines = [f"| choice | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for choice, row in result["rows"].items():
        alone, left_out = (row[trial]["generators"] for trial in ("alone", "left_out"))
        cells = [f"{100 * alone[name]:.0f} / {100 * left_out[name]:.0f}" for name in names]
        lines.append(f"| {choice} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures the rows and writes the result; rows that are not asked for keep their last figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    images = read_images(given.seed)
    counts = {part: {name: len(images[part][name]) for name in ("REAL", OWN)} for part in images}
    others = {name: len(pixels) for name, pixels in images["asked"].items() if name not in counts["asked"]}
    path = RESULTS / "transfer.json"
    rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    with folder_of_features(given.folder) as folder:
        features, default = Features(folder), None
        for name in dict.fromkeys(["default", *given.rows]):  # gains are over the default, image by image
            choice = CHOICES[name]
            fitted, asked = rows_of(choice, images, features, given.seed)
            trials, C = measure(choice.way, fitted, asked, 2 if choice.change else 1)
            default = default or trials
            found = {kind: trial.figures(given.seed, default[kind]) for kind, trial in trials.items()}
            rows[name] = {"group": choice.group, "dimensions": fitted["REAL"].shape[1], "C": C, **found}
            print(name, rows[name], file=sys.stderr, flush=True)
            ordered = {name: rows[name] for name in CHOICES if name in rows}
            path = write_result("transfer", {**counts, "images": others, "rows": ordered}, given.seed)
    print(table({"images": others, "rows": ordered}))
    print(path)


if __name__ == "__main__":
    main()
