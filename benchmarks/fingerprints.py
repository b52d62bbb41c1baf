"""What generators' fingerprints are good for: attribution, detection, what survives, and how long they take.

    DEEPFAKE_DATA=... python -m benchmarks.fingerprints [--splits 20] [--folder FOLDER]

Attribution is among the eight generators of gen32.zip; REAL and FAKE (Stable Diffusion) of CIFAKE are foreign.
The limit of `open_real` comes from REAL training images, the figures from test images.
`--folder` keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from backend.core.extractors import DEFAULT_SPEC, concatenation, create
from backend.core.fingerprints.denoisers import DENOISERS, residuals
from backend.core.images import decode, pixel_digest
from benchmarks.attribution import Pixels, Rows, Split, by_correlation, by_traits, contest_of, measure
from benchmarks.attribution_logistic import by_regression
from benchmarks.enrolment import summary
from benchmarks.fingerprint_costs import costs
from benchmarks.fingerprint_detection import detection
from benchmarks.fingerprint_survival import survival
from benchmarks.image_sets import read_cifake, read_generators
from benchmarks.record import ROOT, write_result

BATCHES = (1, 4, 16, 64)
FOREIGN = ("REAL, validation", "REAL", "Stable Diffusion")
WITHOUT_NETWORK = [{"name": name} for name in ("residual", "npr", "spectrum", "dct", "synthbuster")]
SPECS: dict[str, dict[str, Any]] = {
    "spectrum": {"name": "spectrum"},
    "dct": {"name": "dct"},
    "all without a network": concatenation(WITHOUT_NETWORK),
    "network": DEFAULT_SPEC,
}
ROWS = ("closed", "open", "left_out", "open_real", "false_real")


def load(folder: Path, kinds: Collection[str] = tuple(SPECS)) -> tuple[dict[str, Pixels], dict[str, dict[str, Rows]]]:
    """Images by source, each once and in the order of their digests, and by extractor (of SPECS) their features."""
    cifake = read_cifake({"validation": 1000, "test": 1000}, 0)
    files = read_generators() | {
        FOREIGN[0]: cifake["validation"]["REAL"],
        FOREIGN[1]: cifake["test"]["REAL"],
        FOREIGN[2]: cifake["test"]["FAKE"],
    }
    images = {}
    for name, found in files.items():
        distinct = {pixel_digest(pixels): pixels for pixels in (decode(data).pixels for data in found)}
        images[name] = np.stack([distinct[digest] for digest in sorted(distinct)])
    features: dict[str, dict[str, Rows]] = {}
    for kind in kinds:
        path = folder / f"{kind.replace(' ', '-')}.npz"
        if not path.exists():
            extractor = create(SPECS[kind], backbones=ROOT / "models" / "backbones")
            rows = {name: extractor.extract(list(pixels)) for name, pixels in images.items()}
            np.savez(path, **rows)  # type: ignore[arg-type]
            print(kind, extractor.dimensions, file=sys.stderr, flush=True)
        with np.load(path) as stored:
            features[kind] = {name: stored[name] for name in images}
    return images, features


def attribution(
    images: Mapping[str, Pixels], features: Mapping[str, Mapping[str, Rows]], splits: int
) -> dict[str, Any]:
    """Row -> batch size -> figures over splits."""
    generators = {name: pixels for name, pixels in images.items() if name not in FOREIGN}
    noise = {kind: {name: residuals(pixels, kind) for name, pixels in images.items()} for kind in DENOISERS}
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in range(splits):
        split = Split.draw({name: len(pixels) for name, pixels in generators.items()}, seed)
        trials = {
            f"correlation, {kind}": [by_correlation(generators, split, kind, noise[kind], FOREIGN)]
            for kind in DENOISERS
        } | {kind: [by_traits(rows, split, FOREIGN)] for kind, rows in features.items()}
        correlation = trials["correlation, gaussian"][0]
        trials["correlation and all without a network"] = [correlation, trials["all without a network"][0]]
        trials["correlation and network"] = [correlation, trials["network"][0]]
        for row, chosen in trials.items():
            runs.setdefault(row, []).append(measure(contest_of(chosen, FOREIGN), BATCHES, FOREIGN, seed))
        print(seed, runs["correlation and network"][-1]["16"]["closed"], file=sys.stderr, flush=True)
    return {row: {str(k): over(found, str(k)) for k in BATCHES} for row, found in runs.items()}


def logistic(features: Mapping[str, Rows], splits: int) -> dict[str, Any]:
    """Batch size -> figures over splits of a logistic regression on the network's features."""
    counts = {name: len(rows) for name, rows in features.items() if name not in FOREIGN}
    runs = []
    for seed in range(splits):
        with threadpool_limits(1):  # of small products, two threads take four times as long
            contest = by_regression(features, Split.draw(counts, seed), FOREIGN)
        runs.append(measure(contest, BATCHES, FOREIGN, seed))
        print(seed, runs[-1]["16"]["closed"], file=sys.stderr, flush=True)
    return {str(k): over(runs, str(k)) for k in BATCHES}


def over(runs: list[dict[str, Any]], k: str) -> dict[str, Any]:
    """Figures of one batch size over splits: mean and interval of each, and generators' means."""
    found: dict[str, Any] = {figure: summary([run[k][figure] for run in runs]) for figure in ROWS}
    found["foreign"] = {name: summary([run[k]["foreign"][name] for run in runs]) for name in runs[0][k]["foreign"]}
    found["generators"] = {
        name: np.mean([run[k]["generators"][name] for run in runs], axis=0).tolist()
        for name in runs[0][k]["generators"]
    }
    return found


def kept(path: Path, measure_part: Callable[[], Any]) -> Any:
    """What the file holds, or is measured and kept there."""
    if not path.exists():
        path.write_text(json.dumps(measure_part()), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def percent(values: Mapping[str, float] | None) -> str:
    """Mean and interval of the mean, in per cent."""
    if values is None:
        return "–"
    return f"{100 * values['mean']:.1f} ({100 * values['low']:.1f} to {100 * values['high']:.1f})"


def closed_table(result: dict[str, Any]) -> str:
    """A Markdown table: one row a kind of evidence, batches across."""
    lines = ["| evidence | 1 image | batch of 4 | of 16 | of 64 |", "| --- | --- | --- | --- | --- |"]
    for row, by_batch in result["attribution"].items():
        lines.append(f"| {row} | " + " | ".join(percent(by_batch[str(k)]["closed"]) for k in BATCHES) + " |")
    return "\n".join(lines)


def open_table(result: dict[str, Any]) -> str:
    """A Markdown table at batches of 16: right and false attributions under both kinds of limit."""
    lines = [
        "| evidence, batches of 16 | right | false: generator left out | false: REAL | false: Stable Diffusion "
        "| right, limit from REAL | false: REAL |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row, by_batch in result["attribution"].items():
        found = by_batch["16"]
        cells = [found["open"], found["left_out"], *(found["foreign"][name] for name in FOREIGN[1:])]
        cells += [found["open_real"], found["false_real"]]
        lines.append(f"| {row} | " + " | ".join(map(percent, cells)) + " |")
    return "\n".join(lines)


def generators_table(result: dict[str, Any]) -> str:
    """A Markdown table: correlation and network, batches of 16, by generator."""
    lines = [
        "| generator | named rightly | attributed rightly | attributed when left out |",
        "| --- | --- | --- | --- |",
    ]
    for name, (right, attributed, left_out) in result["attribution"]["correlation and network"]["16"][
        "generators"
    ].items():
        lines.append(f"| {name} | {100 * right:.0f} | {100 * attributed:.0f} | {100 * left_out:.0f} |")
    return "\n".join(lines)


@contextmanager
def asked(about: str | None) -> Iterator[tuple[Path, int]]:
    """(the folder that keeps what was measured, the number of splits) of the command line; `about` is its help."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder, given.splits


def main() -> None:
    """Measures and writes the result."""
    with asked(__doc__) as (folder, splits):
        images, features = load(folder)
        parts: dict[str, Callable[[], Any]] = {
            "attribution": lambda: attribution(images, features, splits),
            "logistic": lambda: logistic(features["network"], splits),
            "survival": lambda: survival(seed=0),
            "costs": costs,
            "detection": lambda: detection(folder, WITHOUT_NETWORK, seed=0),
        }
        result = {name: kept(folder / f"{name}.json", measure_part) for name, measure_part in parts.items()}
    result["attribution"]["network, logistic regression"] = result.pop("logistic")
    result |= {"splits": splits, "images": {name: len(pixels) for name, pixels in images.items()}}
    print(closed_table(result), open_table(result), generators_table(result), sep="\n\n")
    print(write_result("fingerprints", result, seed=0))


if __name__ == "__main__":
    main()
