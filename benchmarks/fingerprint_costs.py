"""How long enrolment and attribution take with each denoiser: the speed that `benchmarks.fingerprints` reports."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from backend.core.extractors import create
from backend.core.fingerprints.attribution import attribute
from backend.core.fingerprints.denoisers import DENOISERS
from backend.core.fingerprints.fingerprint import TRAITS_SPEC, enrol
from backend.core.fingerprints.gallery import Gallery
from backend.core.fingerprints.sums import FingerprintSums
from benchmarks.record import ROOT

SIZE = (256, 256)
SOURCES, IMAGES, ASKED = 4, 40, 10


def costs() -> dict[str, Any]:
    """Milliseconds of one core for an image of 256 x 256 that is enrolled, and for one that is attributed."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (SOURCES, IMAGES, *SIZE, 3), dtype=np.uint8)
    traits = create(TRAITS_SPEC, backbones=ROOT / "models" / "backbones")
    found = {}
    for denoiser in DENOISERS:
        with threadpool_limits(1):
            started = time.process_time()
            sums = [FingerprintSums.of(list(source), SIZE, denoiser, traits) for source in images]
            enrolment = (time.process_time() - started) / (SOURCES * IMAGES)
            gallery = Gallery.of([enrol(str(i), one) for i, one in enumerate(sums)])
            attribute(gallery, [images[0, 0]], traits=traits)
            started = time.process_time()
            for image in images[1, :ASKED]:
                attribute(gallery, [image], traits=traits)
            attribution = (time.process_time() - started) / ASKED
        found[denoiser] = {"enrolment_ms": 1000 * enrolment, "attribution_ms": 1000 * attribution}
    return {"size": list(SIZE), "sources": SOURCES, "denoisers": found}


def table(result: dict[str, Any]) -> str:
    """A Markdown table: one row a denoiser; the time for 1,000 images is that of two cores."""
    lines = [
        "| denoiser | enrolment, ms of a core an image | 1,000 images on two cores, s | attribution of one image, ms |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in result["costs"]["denoisers"].items():
        each = row["enrolment_ms"]
        lines.append(f"| {name} | {each:.1f} | {each / 2:.1f} | {row['attribution_ms']:.1f} |")
    return "\n".join(lines)
