"""How often harmless changes turn a verdict over, and what an explanation costs: for the shipped detector.

    DEEPFAKE_DATA=... python -m benchmarks.stability

On validation images of CIFAKE alone: no test image is read. `docs/explanations.md` shows the figures.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.core.corruptions import corrupt
from backend.core.detector import Detector, restore
from backend.core.explain import explain
from backend.core.images import decode
from backend.core.stability import CHANGES, try_changes
from backend.service.model_files import CARD, PREDICTIONS, read_arrays
from benchmarks.record import ROOT, data_folder, write_result

MODEL = ROOT / "models" / "cifake-logreg"
EACH, ROUNDS = 400, 20
Pixels = NDArray[np.uint8]


def load_detector() -> Detector:
    """The shipped detector."""
    card = json.loads((MODEL / CARD).read_text(encoding="utf-8"))
    return restore(card, read_arrays(MODEL), backbones=ROOT / "models" / "backbones")


def draw_images(each: int, seed: int) -> tuple[list[Pixels], NDArray[np.int8]]:
    """`each` validation images of either class, and their labels (1 FAKE)."""
    table = pq.read_table(io.BytesIO((MODEL / PREDICTIONS).read_bytes()), columns=["path", "label", "split"])
    rows = [row for row in table.to_pylist() if row["split"] == "validation"]
    random = np.random.default_rng(seed)
    chosen = []
    for label in (0, 1):
        of_class = [row for row in rows if row["label"] == label]
        chosen += [of_class[place] for place in random.permutation(len(of_class))[:each]]
    with zipfile.ZipFile(data_folder() / "cifake.zip") as archive:
        images = [decode(archive.read(row["path"])).pixels for row in chosen]
    return images, np.array([row["label"] for row in chosen], np.int8)


def measure_changes(detector: Detector, images: list[Pixels], y: NDArray[np.int8]) -> dict[str, Any]:
    """By change: accuracy, flips, opposite verdicts. By number of opposite verdicts: what is called unstable."""
    low, high = detector.unsure_band

    def probabilities(pixels: list[Pixels]) -> NDArray[np.float64]:
        return detector.probabilities(detector.scores(detector.extractor.extract(pixels)))

    first = probabilities(images)
    called, unsure = first >= detector.threshold, (first > low) & (first < high)
    right = called == (y == 1)
    changes, opposites = {}, np.zeros(len(y), np.int64)
    for change in CHANGES:
        chance = probabilities([corrupt(image, change) for image in images])
        flipped = (chance >= detector.threshold) != called
        opposite = flipped & ~((chance > low) & (chance < high))
        opposites += opposite
        accuracy = float(((chance >= detector.threshold) == (y == 1)).mean())
        changes[change.label] = {
            "accuracy": accuracy,
            "flips": float(flipped.mean()),
            "opposite": float(opposite.mean()),
        }
    by_number = {
        str(number): {
            "real": float((opposites >= number)[y == 0].mean()),
            "fake": float((opposites >= number)[y == 1].mean()),
            "of_mistakes": float((opposites >= number)[~right].mean()),
            "accuracy_of_the_rest": float(right[(opposites < number) & ~unsure].mean()),
        }
        for number in (1, 2, 3)
    }
    sure = float(right[~unsure].mean())
    return {
        "accuracy": float(right.mean()),
        "accuracy_where_sure": sure,
        "changes": changes,
        "unstable_from": by_number,
    }


def milliseconds(run: Callable[[], object]) -> float:
    """Median time of a call after a first one."""
    run()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - started))
    return round(statistics.median(times), 2)


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=EACH, help="images of either class")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    detector = load_detector()
    images, y = draw_images(given.each, given.seed)
    figures = measure_changes(detector, images, y)
    answer = detector.predict(images[:1])[0]
    figures["milliseconds"] = {
        "predict": milliseconds(lambda: detector.predict(images[:1])),
        "explain": milliseconds(lambda: explain(detector, images[0])),
        "stability": milliseconds(lambda: try_changes(detector, images[0], answer)),
    }
    print(json.dumps(figures, indent=1))
    print(write_result("stability", {"images": len(y), **figures}, given.seed))


if __name__ == "__main__":
    main()
