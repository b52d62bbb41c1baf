"""What another codec than that of the training images does to a detector: where the domain's limit for JPEG comes from.

    DEEPFAKE_DATA=... python -m benchmarks.codec

The shipped detector on CIFAKE's validation images that are saved again; detectors of the demonstration set saved at one
quality, tested on its other photographs at every other one. No test image of CIFAKE is read. `docs/domain.md` has the
tables.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.config import FitConfig
from backend.core.demo import make_demo
from backend.core.detector import Detector, fit
from backend.core.heads import HeadConfig
from backend.core.held_out import Rows
from benchmarks.image_sets import extractor
from benchmarks.record import write_result
from benchmarks.stability import draw_images, load_detector

EACH, FOLDS = 1_000, 4
"""Validation images of each class of CIFAKE; parts of the demonstration set's photographs that are tested in turn."""

QUALITIES = (95, 90, 85, 75, 65, 50, 40, 30, 20, 10)
TRAINED = (None, 92, 75, 50, 30)
"""What detectors are fitted on; None: saved without loss."""

Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]


def jpeg(pixels: Pixels, quality: int, subsampling: int = 2) -> Pixels:
    """The picture saved as JPEG; subsampling 2 is 4:2:0 and 0 is 4:4:4."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"))


def shares(detector: Detector, features: Features, y: NDArray[np.int8]) -> dict[str, float]:
    """Accuracy, recall and false alarms at the detector's own threshold."""
    called = detector.probabilities(detector.scores(features)) >= detector.threshold
    recall, fpr = float(called[y == 1].mean()), float(called[y == 0].mean())
    return {"accuracy": (recall + 1.0 - fpr) / 2.0, "recall": recall, "fpr": fpr}


def measure_cifake(seed: int) -> dict[str, dict[str, float]]:
    """Codec -> figures of the shipped detector, whose images are all of quality 75 and 4:2:0."""
    detector = load_detector()
    images, y = draw_images(EACH, seed)
    changes: dict[str, Callable[[Pixels], Pixels]] = {"as they are": lambda pixels: pixels}
    changes |= {f"{q}": lambda pixels, q=q: jpeg(pixels, q) for q in QUALITIES}  # type: ignore[misc]
    changes |= {f"{q}, 4:4:4": lambda pixels, q=q: jpeg(pixels, q, 0) for q in (95, 75)}  # type: ignore[misc]
    return {
        name: shares(detector, extract(detector.extractor, [change(image) for image in images]), y)
        for name, change in changes.items()
    }


def extract(of: Any, images: Sequence[Pixels]) -> Features:
    """(n, dimensions), a batch at a time."""
    return np.concatenate([of.extract(images[start : start + 64]) for start in range(0, len(images), 64)])


def measure_demo(seed: int) -> dict[str, dict[str, float]]:
    """Quality that detectors were fitted on -> quality that they are tested on -> mean accuracy over the folds."""
    of = extractor()
    shown = list(make_demo(seed))
    images = [np.asarray(Image.open(io.BytesIO(one.data)).convert("RGB")) for one in shown]
    y = np.array([one.label == "FAKE" for one in shown], np.int8)
    groups = np.unique([one.group for one in shown], return_inverse=True)[1].astype(np.int64)
    codecs = (None, 92, *QUALITIES)
    X = {q: extract(of, images if q is None else [jpeg(image, q) for image in images]) for q in codecs}
    config = FitConfig(head=HeadConfig("logreg", C=0.01), seed=seed)
    fold = (np.random.default_rng(seed).permutation(groups.max() + 1) % FOLDS)[groups]
    found: dict[str, dict[str, float]] = {}
    for trained in TRAINED:
        rows: dict[str, list[float]] = {}
        for number in range(FOLDS):
            train, test = fold != number, fold == number
            held = train & (fold == (number + 1) % FOLDS)
            parts = [Rows(X[trained][mask], y[mask], groups[mask]) for mask in (train & ~held, held)]
            detector = fit(parts[0], parts[1], config, of, lambda *_: None)
            for q in codecs:
                rows.setdefault(name_of(q), []).append(shares(detector, X[q][test], y[test])["accuracy"])
        found[name_of(trained)] = {name: float(np.mean(values)) for name, values in rows.items()}
    return found


def name_of(quality: int | None) -> str:
    """The quality as text, or that there is no loss."""
    return "lossless" if quality is None else str(quality)


def cifake_table(result: dict[str, Any]) -> str:
    """A Markdown table of the shipped detector: a row a codec."""
    lines = ["| saved again | accuracy | fakes found | false alarms |", "| --- | --- | --- | --- |"]
    for name, row in result["cifake"].items():
        lines.append(f"| {name} | {' | '.join(f'{100 * row[key]:.1f} %' for key in ('accuracy', 'recall', 'fpr'))} |")
    return "\n".join(lines)


def demo_table(result: dict[str, Any]) -> str:
    """A Markdown table: a row a quality of the training images, a column one of the tested images."""
    tested = next(iter(result["demo"].values()))
    columns = sorted(tested, key=lambda name: 101 if name == name_of(None) else int(name), reverse=True)
    lines = [f"| fitted on | {' | '.join(columns)} |", f"| --- | {' | '.join('---' for _ in columns)} |"]
    for name, row in result["demo"].items():
        lines.append(f"| {name} | {' | '.join(f'{100 * row[column]:.1f} %' for column in columns)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints the tables, writes the result."""
    result = {"cifake": measure_cifake(0), "demo": measure_demo(0)}
    print(cifake_table(result), demo_table(result), sep="\n\n")
    print(write_result("codec", result, seed=0))


if __name__ == "__main__":
    main()
