"""Numbers of many images -> histograms, quantiles and tables by class, as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.eda_partial import LABEL_NAMES

BINS = 40
COMMON_SIZES = 20
QUANTILES = {"min": 0.0, "p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}

NEAR_GREY_SPREAD = 5 / 255
"""Below this mean difference between an image's largest and smallest channel, 0..1, it counts as near-grey."""

NEAR_GREY_DEFINITION = (
    "The difference between the largest and the smallest of R, G and B, averaged over the image, is below 5 of 255."
)


@dataclass(frozen=True)
class Statistic:
    """One number an image and how its histogram is drawn."""

    unit: str
    low: float | None = None  # limits of the histogram; None: those of the data
    high: float | None = None
    logarithmic: bool = False
    smallest: float = 0.0  # logarithmic ones count smaller values as this


STATISTICS = {
    "brightness": Statistic("mean luma, 0..1", 0.0, 1.0),
    "contrast": Statistic("standard deviation of luma, 0..0.5", 0.0, 0.5),
    "saturation": Statistic("mean HSV saturation, 0..1", 0.0, 1.0),
    "sharpness": Statistic("variance of the Laplacian of luma, levels squared", logarithmic=True, smallest=0.01),
    "width": Statistic("pixels", logarithmic=True, smallest=1.0),
    "height": Statistic("pixels", logarithmic=True, smallest=1.0),
    "aspect": Statistic("width / height", logarithmic=True, smallest=1e-3),
    "bytes": Statistic("bytes of the file", logarithmic=True, smallest=1.0),
}


def values_of(images: NDArray[Any], name: str) -> NDArray[np.float64]:
    """One number an image, (n,), of a statistic named in STATISTICS or of `pixels`."""
    values: NDArray[np.float64]
    if name == "aspect":
        values = images["width"] / images["height"].astype(np.float64)
    elif name == "pixels":
        values = images["width"].astype(np.float64) * images["height"]
    else:
        values = images[name].astype(np.float64)
    return values


def describe_distributions(images: NDArray[Any]) -> dict[str, Any]:
    """`{statistic: {unit, scale, edges, by_class: {label: {counts, mean, quantiles}}}}` of records of IMAGE_NUMBERS.

    counts[i] belongs to edges[i] .. edges[i + 1]; scale is "linear" or "log". File sizes that are all unknown are
    left out.
    """
    result = {}
    for name, statistic in STATISTICS.items():
        values = values_of(images, name)
        known = values > 0 if name == "bytes" else np.ones(len(values), dtype=np.bool_)
        if known.any():
            result[name] = _distribution(values[known], images["label"][known], statistic)
    return result


def describe_sizes(images: NDArray[Any]) -> dict[str, Any]:
    """`{distinct, common: [{width, height, images, by_class}]}`: up to 20 sizes in pixels, most common first."""
    pairs = images["width"].astype(np.int64) << 32 | images["height"]
    distinct, inverse, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    common = [
        {
            "width": int(distinct[i] >> 32),
            "height": int(distinct[i] & 0xFFFFFFFF),
            "images": int(counts[i]),
            "by_class": _count_labels(images["label"][inverse == i]),
        }
        for i in np.argsort(-counts, kind="stable")[:COMMON_SIZES].tolist()
    ]
    return {"distinct": len(distinct), "common": common}


def describe_formats(formats: Counter[tuple[str, str, str]], position: int) -> dict[str, dict[str, int]]:
    """`{format: {label: images}}` with position 0, `{mode: {label: images}}` with position 1."""
    table: dict[str, dict[str, int]] = {}
    for key, count in sorted(formats.items()):
        row = table.setdefault(key[position], {})
        row[key[2]] = row.get(key[2], 0) + count
    return table


def describe_jpeg_quality(images: NDArray[Any]) -> dict[str, dict[str, int]]:
    """`{quality: {label: images}}`, qualities 1..100 as strings in rising order; other formats are not counted."""
    jpegs = images[images["jpeg_quality"] > 0]
    return {
        str(quality): _count_labels(jpegs["label"][jpegs["jpeg_quality"] == quality])
        for quality in np.unique(jpegs["jpeg_quality"]).tolist()
    }


def describe_near_grey(images: NDArray[Any]) -> dict[str, Any]:
    """`{definition, images, share, by_class: {label: {images, share}}}`; share in 0..1."""
    grey = images["colour_spread"] < NEAR_GREY_SPREAD

    def count(mask: NDArray[np.bool_]) -> dict[str, Any]:
        return {"images": int(grey[mask].sum()), "share": float(grey[mask].mean())}

    everything = np.ones(len(images), dtype=np.bool_)
    by_class = {name: count(images["label"] == code) for code, name in present_labels(images)}
    return {"definition": NEAR_GREY_DEFINITION, **count(everything), "by_class": by_class}


def present_labels(images: NDArray[Any]) -> list[tuple[int, str]]:
    """(code, name) of the labels that occur: REAL, FAKE, then unknown."""
    found = set(np.unique(images["label"]).tolist())
    return [(code, name) for code, name in LABEL_NAMES.items() if code in found]


def _distribution(values: NDArray[np.float64], labels: NDArray[np.int8], statistic: Statistic) -> dict[str, Any]:
    drawn = np.maximum(values, statistic.smallest) if statistic.logarithmic else values
    edges = _edges(drawn, statistic)
    # Rounding must not push the largest value over the last edge.
    inside = np.clip(drawn, edges[0], edges[-1])
    by_class = {}
    for code, name in LABEL_NAMES.items():
        mine = labels == code
        if mine.any():
            spread = np.quantile(values[mine], [*QUANTILES.values(), 1.0])
            by_class[name] = {
                "counts": np.histogram(inside[mine], edges)[0].tolist(),
                "mean": float(values[mine].mean()),
                "quantiles": dict(zip([*QUANTILES, "max"], spread.tolist(), strict=True)),
            }
    scale = "log" if statistic.logarithmic else "linear"
    return {"unit": statistic.unit, "scale": scale, "edges": edges.tolist(), "by_class": by_class}


def _edges(values: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    low = float(values.min()) if statistic.low is None else statistic.low
    high = float(values.max()) if statistic.high is None else statistic.high
    if not statistic.logarithmic:
        return np.linspace(low, high, BINS + 1)
    if high <= low * 1.01:
        return np.array([low / 1.1, high * 1.1])
    return np.geomspace(low, high, BINS + 1)


def _count_labels(labels: NDArray[np.int8]) -> dict[str, int]:
    return {name: int((labels == code).sum()) for code, name in LABEL_NAMES.items() if (labels == code).any()}
