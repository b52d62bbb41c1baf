"""What 50 images of a generator teach a detector, and what they cost it: the head `multi` on the eight of gen32.zip.

    DEEPFAKE_DATA=... python -m benchmarks.enrolment [--draws 20] [--folder FOLDER]

The base is the shipped detector's head. REAL images for whitening are 12,000 of CIFAKE's training images without its
validation images; calibration and threshold are fixed anew on those of the shipped detector's validation images that
are in the sample. Figures are on CIFAKE's test images and on the generators' images that were not enrolled; a drawing
is another choice of the 50. `--folder` keeps the features.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.calibration import choose_threshold, fit_platt, probability
from backend.core.detector import Detector, restore
from backend.core.heads.linear import LinearHead
from backend.core.heads.multi import MultiHead
from backend.core.heads.multi_fit import join
from backend.core.heads.specialists import Whitening, few_shot
from backend.core.images import decode
from backend.core.metrics import auroc
from backend.service.model_files import read_arrays
from benchmarks.record import ROOT, data_folder, write_result

BASE = ROOT / "models" / "cifake-logreg"
ENROLLED = 50
SAMPLE, TESTED = 12_000, 10_000
BATCH = 100
Rows = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """Features by what they are for."""

    real: Rows  # of CIFAKE's training images, for whitening
    fake: Rows  # likewise, for the shift of the base's own generator
    held_out: tuple[Rows, Rows]  # REAL and FAKE that the base has not seen: calibration and threshold
    test: tuple[Rows, Rows]
    generators: dict[str, Rows]


def load(extract: Callable[[list[NDArray[np.uint8]]], Rows], folder: Path, sample: int, test: int) -> Material:
    """Features of all images; those that lie in the folder already are read.

    sample, test: images of each of CIFAKE's classes for fitting, and for testing (evenly spread).
    """
    cifake, gen32 = (zipfile.ZipFile(data_folder() / name) for name in ("cifake.zip", "gen32.zip"))
    table = pq.read_table(BASE / "predictions.parquet", columns=["path", "split"])
    split = dict(zip(table["path"].to_pylist(), table["split"].to_pylist(), strict=True))
    random = np.random.default_rng(0)
    names: dict[str, list[str]] = {}
    for label in ("REAL", "FAKE"):
        listed = sorted(name for name in cifake.namelist() if f"train/{label}/" in name and name.endswith(".jpg"))
        names[label] = [listed[i] for i in random.permutation(len(listed))[:sample]]
        listed = sorted(name for name in cifake.namelist() if f"test/{label}/" in name and name.endswith(".jpg"))
        names[f"test{label}"] = listed[:: len(listed) // test][:test]
    names["gen"] = sorted(name for name in gen32.namelist() if not name.endswith("/"))
    rows: dict[str, Rows] = {}
    for part, files in names.items():
        path, archive = folder / f"{part}.npy", gen32 if part == "gen" else cifake
        if not path.exists():
            blocks = []
            for start in range(0, len(files), BATCH):
                blocks.append(extract([decode(archive.read(name)).pixels for name in files[start : start + BATCH]]))
                print(f"{part} {start}/{len(files)}", file=sys.stderr, flush=True)
            np.save(path, np.concatenate(blocks).astype(np.float16))  # as the product stores them
        rows[part] = np.load(path).astype(np.float32)
    unseen = {
        label: np.array([split[name[name.index("train/") :]] == "validation" for name in names[label]])
        for label in ("REAL", "FAKE")
    }
    owner = np.array([name.split("/")[-2] for name in names["gen"]])
    return Material(
        real=rows["REAL"][~unseen["REAL"]],
        fake=rows["FAKE"][~unseen["FAKE"]],
        held_out=(rows["REAL"][unseen["REAL"]], rows["FAKE"][unseen["FAKE"]]),
        test=(rows["testREAL"], rows["testFAKE"]),
        generators={str(name): rows["gen"][owner == name] for name in np.unique(owner)},
    )


def threshold_of(head: LinearHead | MultiHead, material: Material) -> float:
    """On the head's score: Platt scaling on one half of the held-out images, the threshold on the other."""
    scores = [head.scores(rows) for rows in material.held_out]
    y = np.repeat([0, 1], [len(part) for part in scores])
    everyone, first = np.concatenate(scores), np.arange(len(y)) % 2 == 0
    slope, intercept = fit_platt(everyone[first], y[first])
    threshold = choose_threshold(probability(everyone[~first], slope, intercept), y[~first])
    return float((np.log(threshold / (1 - threshold)) - intercept) / slope)


def measure(head: LinearHead | MultiHead, material: Material, others: dict[str, Rows]) -> dict[str, Any]:
    """Accuracy and AUROC on CIFAKE's test images; AUROC and recall on each generator's other images."""
    threshold = threshold_of(head, material)
    real, fake = (head.scores(rows) for rows in material.test)

    def against_real(scores: Floats) -> float:
        return float(auroc(np.repeat([0, 1], [len(real), len(scores)]), np.concatenate([real, scores])) or 0.0)

    scored = {name: head.scores(rows) for name, rows in others.items()}
    return {
        "accuracy": float(((real < threshold).mean() + (fake >= threshold).mean()) / 2),
        "false_alarms": float((real >= threshold).mean()),
        "auroc": against_real(fake),
        "generators": {
            name: {"auroc": against_real(scores), "recall": float((scores >= threshold).mean())}
            for name, scores in scored.items()
        },
    }


def draw(base: LinearHead, material: Material, whitening: Whitening, seed: int) -> dict[str, Any]:
    """One drawing: all generators enrolled at once, and each one alone."""
    enrolled, others = {}, {}
    for name, rows in material.generators.items():
        order = np.random.default_rng(seed).permutation(len(rows))
        enrolled[name], others[name] = rows[order[:ENROLLED]], rows[order[ENROLLED:]]
    known = [material.fake]
    started = time.perf_counter()
    together = join(base, *few_shot(whitening, material.real, list(enrolled.values()), known, seed))
    seconds = time.perf_counter() - started
    alone = {}
    for name, rows in enrolled.items():
        weights, intercepts = few_shot(whitening, material.real, [rows], known, seed)
        own = measure(join(base, weights, intercepts), material, {name: others[name]})
        y = np.repeat([0, 1], [len(material.test[0]), len(others[name])])
        specialist = np.concatenate([material.test[0], others[name]]) @ weights[:, 0]
        alone[name] = {
            **own["generators"][name],
            "accuracy": own["accuracy"],
            "specialist_auroc": float(auroc(y, specialist.astype(np.float64)) or 0.0),
        }
    return {"seconds": seconds, "together": measure(together, material, others), "alone": alone}


def summary(values: list[float]) -> dict[str, float]:
    """Mean over drawings, its 95 % interval (normal), and where 95 % of the drawings lie."""
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
    low, high = np.quantile(values, [0.025, 0.975])
    return {"mean": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error, "p2.5": low, "p97.5": high}


def of_generator(runs: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """One generator's figures over drawings."""
    together = [run["together"]["generators"][name] for run in runs]
    alone = [run["alone"][name] for run in runs]
    return {
        "together": summary([row["auroc"] for row in together]),
        "recall": summary([row["recall"] for row in together]),
        "alone": summary([row["auroc"] for row in alone]),
        "specialist": summary([row["specialist_auroc"] for row in alone]),
        "accuracy_alone": summary([row["accuracy"] for row in alone]),
    }


def summarise(runs: list[dict[str, Any]], before: dict[str, Any]) -> dict[str, Any]:
    """The figures that are published: over drawings, and over generators within each."""
    names = list(before["generators"])

    def over(pick: Callable[[dict[str, Any]], float]) -> dict[str, float]:
        return summary([pick(run) for run in runs])

    def mean_of(run: dict[str, Any], part: str, figure: str) -> float:
        rows = run["together"]["generators"] if part == "together" else run["alone"]
        return float(np.mean([rows[name][figure] for name in names]))

    return {
        "seconds": over(lambda run: run["seconds"]),
        "accuracy": over(lambda run: run["together"]["accuracy"]),
        "accuracy_lost": over(lambda run: before["accuracy"] - run["together"]["accuracy"]),
        "auroc": over(lambda run: run["together"]["auroc"]),
        "mean_auroc": over(lambda run: mean_of(run, "together", "auroc")),
        "mean_auroc_alone": over(lambda run: mean_of(run, "alone", "auroc")),
        "mean_auroc_specialist": over(lambda run: mean_of(run, "alone", "specialist_auroc")),
        "generators": {name: of_generator(runs, name) | {"before": before["generators"][name]} for name in names},
    }


def table(result: dict[str, Any]) -> str:
    """A Markdown table: one row a generator, then their mean."""

    def cell(values: dict[str, float]) -> str:
        return f"{values['mean']:.3f} ({values['low']:.3f} to {values['high']:.3f})"

    figures, before = result["figures"], result["before"]
    lines = [
        "| generator | AUROC before | enrolled alone, its specialist | enrolled alone, whole score "
        "| all eight enrolled, whole score | recall before | recall, all eight |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in figures["generators"].items():
        lines.append(
            f"| {name} | {row['before']['auroc']:.3f} | {cell(row['specialist'])} | {cell(row['alone'])} "
            f"| {cell(row['together'])} | {row['before']['recall']:.2f} | {row['recall']['mean']:.2f} |"
        )
    start = {
        figure: float(np.mean([row[figure] for row in before["generators"].values()])) for figure in ("auroc", "recall")
    }
    recall = np.mean([row["recall"]["mean"] for row in figures["generators"].values()])
    lines.append(
        f"| **mean** | {start['auroc']:.3f} | {cell(figures['mean_auroc_specialist'])} "
        f"| {cell(figures['mean_auroc_alone'])} | {cell(figures['mean_auroc'])} | {start['recall']:.2f} "
        f"| {recall:.2f} |"
    )
    lines += [
        "",
        f"CIFAKE test accuracy: {100 * before['accuracy']:.2f} % before, {100 * figures['accuracy']['mean']:.2f} % "
        f"with all eight enrolled ({100 * figures['accuracy_lost']['mean']:.2f} points lost, "
        f"{100 * figures['accuracy_lost']['low']:.2f} to {100 * figures['accuracy_lost']['high']:.2f}).",
    ]
    return "\n".join(lines)


def measure_all(base: LinearHead, material: Material, draws: int) -> dict[str, Any]:
    """Everything that is published of one base: before, and over so many drawings."""
    started = time.perf_counter()
    whitening = Whitening.of(material.real)
    seconds = time.perf_counter() - started
    before = measure(base, material, material.generators)
    runs = []
    for seed in range(draws):
        runs.append(draw(base, material, whitening, seed))
        print(seed, runs[-1]["together"]["accuracy"], runs[-1]["together"]["generators"], file=sys.stderr, flush=True)
    return {
        "enrolled": ENROLLED,
        "draws": draws,
        "real_images": len(material.real),
        "held_out_images": sum(len(rows) for rows in material.held_out),
        "test_images": sum(len(rows) for rows in material.test),
        "images": {name: len(rows) for name, rows in material.generators.items()},
        "whitening_seconds": seconds,
        "before": before,
        "figures": summarise(runs, before),
    }


def parse_arguments(about: str) -> argparse.Namespace:
    """draws, and the folder of features if any."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    return parser.parse_args()


@contextmanager
def folder_of_features(given: Path | None) -> Iterator[Path]:
    """The folder that was given, made where it is missing, or one that goes away again."""
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as temporary:
        folder = given or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def main() -> None:
    """Measures and writes the result."""
    given = parse_arguments(str(__doc__))
    card = json.loads((BASE / "card.json").read_text(encoding="utf-8"))
    detector: Detector = restore(card, read_arrays(BASE), backbones=ROOT / "models" / "backbones")
    base = detector.head
    assert isinstance(base, LinearHead)
    with folder_of_features(given.folder) as folder:
        material = load(detector.extractor.extract, folder, SAMPLE, TESTED)
    result = measure_all(base, material, given.draws)
    print(table(result))
    print(write_result("enrolment", result, seed=0))


if __name__ == "__main__":
    main()
