"""Which fingerprints outlive JPEG and a resize: the demonstration set's four generators and REAL, 64 x 64 pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from backend.core.demo import make_demo
from backend.core.extractors import Extractor, create
from backend.core.fingerprints.attribution import examine
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER
from backend.core.fingerprints.fingerprint import TRAITS_SPEC, enrol
from backend.core.fingerprints.gallery import Gallery
from backend.core.fingerprints.sums import FingerprintSums
from backend.core.images import decode
from benchmarks.attribution import FALSE_ATTRIBUTION, Pixels, batch_places
from benchmarks.record import ROOT

SIZE = (64, 64)
MOST = 80  # images of a source that are enrolled, and that are asked
BATCHES = (1, 16)


def survival(seed: int) -> dict[str, Any]:
    """Change -> method and batch size -> share named rightly, and attributed rightly; photographs are never shared."""
    traits = create(TRAITS_SPEC, backbones=ROOT / "models" / "backbones")
    enrolled, asked = _halves()
    gallery = Gallery.of(
        [enrol(name, FingerprintSums.of(images, SIZE, DEFAULT_DENOISER, traits)) for name, images in enrolled.items()]
    )
    found: dict[str, Any] = {}
    for change, make in CHANGES.items():
        found[change] = _measure(gallery, {n: [make(image) for image in i] for n, i in asked.items()}, traits, seed)
    return found


def _halves() -> tuple[dict[str, list[Pixels]], dict[str, list[Pixels]]]:
    """Images by source, of the one half of the photographs and of the other."""
    halves: tuple[dict[str, list[Pixels]], dict[str, list[Pixels]]] = ({}, {})
    groups: dict[str, int] = {}
    for image in make_demo():
        half = groups.setdefault(image.group, len(groups)) % 2
        rows = halves[half].setdefault(image.generator or "REAL", [])
        if len(rows) < MOST:
            rows.append(decode(image.data).pixels)
    return halves


def _measure(gallery: Gallery, asked: dict[str, list[Pixels]], traits: Extractor, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    evidence = {name: examine(gallery, images, traits) for name, images in asked.items()}
    found: dict[str, Any] = {}
    for method in ("correlation", "combined"):
        for k in BATCHES:
            right, attributed = [], []
            for i, one in enumerate(gallery.fingerprints):
                shown = evidence[one.generator]
                if method == "combined" and (shown.traits is None or gallery.combined is None):
                    break
                rows, judge = shown.correlation, gallery.by_correlation
                if method == "combined" and shown.traits is not None and gallery.combined is not None:
                    rows, judge = np.concatenate([rows, shown.traits], axis=1), gallery.combined
                worth = k * float(shown.shares.mean())
                scores = judge.model.scores(rows[batch_places(random, len(rows), k)].mean(axis=1), worth)
                best = scores.argmax(axis=1) == i
                right.append(float(best.mean()))
                attributed.append(
                    float((best & (scores.max(axis=1) > judge.threshold(worth, FALSE_ATTRIBUTION))).mean())
                )
            if right:
                found[f"{method}, {k}"] = {"closed": float(np.mean(right)), "open": float(np.mean(attributed))}
    return found


def _resized(factor: float) -> Callable[[Pixels], Pixels]:
    def change(image: Pixels) -> Pixels:
        size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))

    return change


def _saved(image: Pixels) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=75)
    return decode(buffer.getvalue()).pixels


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "none": lambda image: image,
    "JPEG quality 75": _saved,
    "half the size": _resized(0.5),
    "twice the size": _resized(2.0),
}


def table(result: dict[str, Any]) -> str:
    """A Markdown table: one row a change, shares named rightly and, after the slash, attributed."""
    columns = [f"{method}, {k}" for method in ("correlation", "combined") for k in BATCHES]
    lines = [f"| change | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    for change, found in result["survival"].items():
        cells = [
            f"{100 * found[c]['closed']:.0f} / {100 * found[c]['open']:.0f}" if c in found else "–" for c in columns
        ]
        lines.append(f"| {change} | {' | '.join(cells)} |")
    return "\n".join(lines)
