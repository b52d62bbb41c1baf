"""The check of features against the training images, beside others: what it flags, and how often in vain.

    DEEPFAKE_DATA=... python -m benchmarks.domain

The stages, the two measures and their number of neighbours were chosen by the altered images and by the photographs
of the demonstration set; photos.zip and gen32.zip only measure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from backend.core.domain import FALSE_ALARMS, MOST_COLUMNS, DomainCheck, fit_domain, shrinkage
from backend.core.metrics import auroc
from benchmarks.image_sets import (
    Rows,
    altered,
    demo_photographs,
    extractor,
    features,
    read_cifake,
    read_generators,
    read_photographs,
    reduced,
)
from benchmarks.record import write_result

COUNTS = {"train": 10_000, "held out": 3_000, "altered": 400, "test": 3_000}
"""Images of each class of CIFAKE."""

Floats = NDArray[np.float64]
Score = Callable[[Rows], Floats]


def read_sets(seed: int = 0) -> tuple[dict[str, Rows], dict[str, Rows], list[str]]:
    """CIFAKE's parts, REAL first; every other set; the names of the features."""
    of = extractor()
    cifake = read_cifake(COUNTS, seed)
    parts = {
        part: features([*drawn["REAL"], *drawn["FAKE"]], of) for part, drawn in cifake.items() if part != "altered"
    }
    sets: dict[str, list[bytes]] = {}
    sets |= {f"altered: {name}": images for name, images in altered(cifake["altered"]["REAL"], seed).items()}
    sets["other photographs: demonstration set"] = demo_photographs(seed)
    for label, images in read_photographs().items():
        sets[f"photos.zip, {label}"] = [reduced(data) for data in images]
    sets |= {f"generator: {name}": images for name, images in read_generators().items()}
    return parts, {name: features(images, of) for name, images in sets.items()}, of.feature_names


class Whitened:
    """Standardised features turned to the axes of their covariance, with its shrunk variances: for the rivals."""

    def __init__(self, train: Rows) -> None:
        self.mean, self.scale = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
        standard = (train - self.mean) / self.scale
        weight = shrinkage(standard)
        values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
        self.axes = vectors[:, ::-1]
        self.variances = (1.0 - weight) * np.maximum(values[::-1], 0.0) + weight * values.mean()

    def distance(self, X: Rows, first: int = 0, last: int | None = None) -> Floats:
        """Squared Mahalanobis distance (n,) along the axes first..last."""
        turned = (X - self.mean) / self.scale @ self.axes[:, first:last]
        return np.asarray((turned**2 / self.variances[first:last]).sum(axis=1), dtype=np.float64)


def rivals(train: Rows, check: DomainCheck) -> dict[str, Score]:
    """Name -> the score that is the higher the less an image is like the training images, REAL rows first."""
    half = len(train) // 2
    whole, real, fake = Whitened(train), Whitened(train[:half]), Whitened(train[half:])
    return {
        "Mahalanobis, all 2,416 features": whole.distance,
        "the nearer of both classes": lambda X: np.minimum(real.distance(X), fake.distance(X)),
        "relative: nearer class less all": lambda X: np.minimum(real.distance(X), fake.distance(X)) - whole.distance(X),
        "along the first 100 axes": lambda X: whole.distance(X, 0, 100),
        "beside the first 100 axes": lambda X: whole.distance(X, 100),
        f"Mahalanobis, {len(check.columns)} features of four stages": lambda X: check.measures(X)[:, 0],
        "nearest of 2,048 directions, the same features": lambda X: check.measures(X)[:, 1],
        "both added (chosen)": check.strangeness,
    }


def judge(score: Score, parts: dict[str, Rows], sets: dict[str, Rows]) -> dict[str, Any]:
    """False alarms on CIFAKE's test images; for every set the AUROC against them and the share above the limit."""
    limit = float(np.quantile(score(parts["held out"]), 1.0 - FALSE_ALARMS))
    test = score(parts["test"])
    half = len(test) // 2
    row: dict[str, Any] = {
        "false_alarms": float((test > limit).mean()),
        "false_alarms_real": float((test[:half] > limit).mean()),
        "sets": {},
    }
    for name, X in sets.items():
        scores = score(X)
        y = np.repeat([0, 1], [len(test), len(scores)]).astype(np.int8)
        area = auroc(y, np.concatenate([test, scores]))
        row["sets"][name] = {"images": len(X), "auroc": area, "flagged": float((scores > limit).mean())}
    return row


def table(result: dict[str, Any]) -> str:
    """A Markdown table: a row a method, the sets in groups."""
    groups = {
        "altered CIFAKE": "altered",
        "photographs of the demonstration set": "other photographs",
        "photos.zip at 32 px": "photos.zip",
        "gen32.zip": "generator",
    }
    lines = [
        f"| AUROC (flagged) | false alarms | {' | '.join(groups)} |",
        f"| --- | --- | {' | '.join('---' for _ in groups)} |",
    ]
    for name, row in result["methods"].items():
        cells = [f"{100 * row['false_alarms']:.1f} %"]
        for start in groups.values():
            chosen = [values for key, values in row["sets"].items() if key.startswith(start)]
            area, flagged = (np.mean([values[key] for values in chosen]) for key in ("auroc", "flagged"))
            cells.append(f"{area:.3f} ({100 * flagged:.0f} %)")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_set(result: dict[str, Any]) -> str:
    """A Markdown table: what the chosen check says of every set."""
    lines = ["| set | images | AUROC | called outside |", "| --- | --- | --- | --- |"]
    chosen = list(result["methods"].values())[-1]
    for name, values in chosen["sets"].items():
        lines.append(f"| {name} | {values['images']} | {values['auroc']:.3f} | {100 * values['flagged']:.0f} % |")
    return "\n".join(lines)


def cost(check: DomainCheck, X: Rows) -> dict[str, float]:
    """Microseconds an image on one thread, alone and in batches of 16; bytes that are stored."""
    times = {}
    with threadpool_limits(1):
        for size in (1, 16):
            laps = []
            for _ in range(200):
                started = time.process_time()
                check.outside(X[:size])
                laps.append(1e6 * (time.process_time() - started) / size)
            times[f"batch_{size}_us"] = round(float(np.median(laps)), 1)
    return {**times, "bytes": sum(array.nbytes for array in check.arrays().values())}


def main() -> None:
    """Measures every method and writes the result."""
    parts, sets, names = read_sets()
    started = time.perf_counter()
    check = fit_domain(parts["train"], parts["held out"], np.arange(len(parts["held out"])), names, seed=0)
    if check is None:
        raise SystemExit("too few images for a check")
    fit_s = round(time.perf_counter() - started, 1)
    result: dict[str, Any] = {
        "counts": COUNTS,
        "columns": len(check.columns),
        "most_columns": MOST_COLUMNS,
        "fit_s": fit_s,
        "cost": cost(check, parts["test"]),
        "methods": {name: judge(score, parts, sets) for name, score in rivals(parts["train"], check).items()},
    }
    print(table(result), by_set(result), result["cost"], sep="\n")
    print(write_result("domain", result, seed=0))


if __name__ == "__main__":
    main()
