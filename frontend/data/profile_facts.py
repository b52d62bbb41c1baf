"""What a profile says about the two classes, computed and without words: the sentences' figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from frontend.transport import Json

LABELS = ("REAL", "FAKE")

SPLITS = ("train", "validation", "test")

CIFAKE_TABLE = {
    "train": {"mean": (0.472, 0.463, 0.418), "std": (0.238, 0.237, 0.266)},
    "test": {"mean": (0.473, 0.464, 0.419), "std": (0.238, 0.237, 0.266)},
}
"""The EDA table of the original CIFAKE project. It gives ImageNet's red deviation as 0.299, a slip for 0.229."""


@dataclass(frozen=True)
class Contrast:
    """One measure of both classes: the medians, and the share of the two histograms that lies over each other, 0..1."""

    real: float
    fake: float
    overlap: float
    chance: float  # what of the histograms would lie apart by chance alone, were the classes alike


def in_split_order(splits: Iterable[str]) -> list[str]:
    """Splits as one speaks of them: training, validation, test, then what has no name."""
    return sorted(splits, key=lambda split: SPLITS.index(split) if split in SPLITS else len(SPLITS))


def both_classes(profile: Json) -> bool:
    """Whether there are REAL and FAKE images to compare."""
    return all(profile["counts"]["by_class"].get(label) for label in LABELS)


def contrast_of(distribution: Json) -> Contrast | None:
    """How the classes differ in a measure; None where one class is missing."""
    by_class = distribution["by_class"]
    if any(label not in by_class for label in LABELS):
        return None
    _, shares = histograms_of(distribution)
    overlap = sum(min(pair) for pair in zip(shares["REAL"], shares["FAKE"], strict=True))
    real, fake = (float(by_class[label]["quantiles"]["p50"]) for label in LABELS)
    images = min(sum(by_class[label]["counts"]) for label in LABELS)
    # Half the sum of the mean absolute differences of two shares p, each measured on `images` images.
    both = [sum(pair) / 2 for pair in zip(shares["REAL"], shares["FAKE"], strict=True)]
    chance = sum(math.sqrt(p * (1 - p) / (math.pi * max(images, 1))) for p in both)
    return Contrast(real, fake, overlap, chance)


def histograms_of(distribution: Json) -> tuple[list[float], dict[str, list[float]]]:
    """Edges of the bins, and the share of each class's images in each; few images get fewer and wider bins.

    About 2 n^(1/3) bins for n images (Rice's rule), so that a histogram of fifty images is not a comb.
    """
    edges, by_class = distribution["edges"], distribution["by_class"]
    bins = len(edges) - 1
    images = min(sum(stats["counts"]) for stats in by_class.values())
    wanted = max(5.0, 2 * images ** (1 / 3))
    width = next((width for width in (1, 2, 4, 5, 8) if bins % width == 0 and bins / width <= wanted + 1), 1)
    merged = {
        label: shares_of([sum(stats["counts"][place : place + width]) for place in range(0, bins, width)])
        for label, stats in by_class.items()
    }
    return edges[::width], merged


def shares_of(counts: Sequence[int]) -> list[float]:
    """Counts as shares of their sum, 0..1."""
    total = sum(counts) or 1
    return [number / total for number in counts]


def only_value(distribution: Json) -> float | None:
    """The value that all images share, None where they differ."""
    quantiles = [of_class["quantiles"] for of_class in distribution["by_class"].values()]
    low, high = min(q["min"] for q in quantiles), max(q["max"] for q in quantiles)
    return float(low) if low == high else None


def sizes_apart(profile: Json) -> bool:
    """Whether the size alone tells the classes apart: no size occurs in both."""
    if not both_classes(profile):
        return False
    common = profile["sizes"]["common"]
    if int(profile["sizes"]["distinct"]) <= len(common):
        return not any(all(size["by_class"].get(label) for label in LABELS) for size in common)
    return any(_ranges_apart(profile["distributions"][side]) for side in ("width", "height"))


def values_apart(table: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether the classes have no value of a table such as formats in common, though both have some."""
    present = [{value for value, row in table.items() if row.get(label)} for label in LABELS]
    return all(present) and present[0].isdisjoint(present[1])


def grey_ratio(profile: Json) -> tuple[str, float] | None:
    """The class with more near-grey images, and how many times as many (infinite where the other has none).

    None where a class is missing or neither has any.
    """
    by_class = profile["near_grey"]["by_class"]
    if any(label not in by_class for label in LABELS):
        return None
    real, fake = (float(by_class[label]["share"]) for label in LABELS)
    if real == fake:
        return ("FAKE", 1.0) if real else None
    more, most, least = ("FAKE", fake, real) if fake > real else ("REAL", real, fake)
    return more, most / least if least else math.inf


def largest_gap(profile: Json) -> tuple[float, float] | None:
    """The frequency (cycles per pixel) where the mean spectra differ most, and FAKE's power over REAL's there."""
    spectrum = profile["spectrum"]
    if any(label not in spectrum["by_class"] for label in LABELS):
        return None
    real, fake = (spectrum["by_class"][label]["radial"] for label in LABELS)
    gaps = [after - before for before, after in zip(real, fake, strict=True)]
    place = max(range(len(gaps)), key=lambda k: abs(gaps[k]))
    return float(spectrum["frequencies"][place]), float(10 ** gaps[place])


def findings_of(profile: Json) -> list[Json]:
    """The service's audit, most severe first; empty where this service has none."""
    order = {"critical": 0, "high": 0, "error": 0, "warning": 1, "medium": 1}
    findings = (profile.get("audit") or {}).get("findings") or []
    return sorted(findings, key=lambda finding: order.get(str(finding.get("severity")), 2))


def _ranges_apart(distribution: Json) -> bool:
    real, fake = (distribution["by_class"][label]["quantiles"] for label in LABELS)
    return bool(real["max"] < fake["min"] or fake["max"] < real["min"])
