"""One large photograph through the product, step by step: milliseconds from file bytes to a verdict's features.

    DEEPFAKE_DATA=... python -m benchmarks.photograph

The three largest photographs of photos.zip, and a made one of 4000 x 3000 pixels. Beside each step: what Pillow alone
takes to decode the file.
"""

from __future__ import annotations

import io
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from backend.core.extractors import DEFAULT_SPEC, create
from backend.core.images import decode
from benchmarks.record import ROOT, data_folder, write_result

ROUNDS = 9
LARGEST = 3


def made_photograph() -> bytes:
    """A JPEG of 12 megapixels, quality 90: smooth shapes under noise, as a camera gives."""
    random = np.random.default_rng(0)
    shapes = Image.fromarray(random.integers(0, 255, (75, 100, 3), dtype=np.uint8)).resize((4000, 3000))
    noisy = np.asarray(shapes) + random.normal(0, 6, (3000, 4000, 1))
    out = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()


def photographs() -> dict[str, bytes]:
    """The files that are measured, by name."""
    with zipfile.ZipFile(data_folder() / "photos.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.lower().endswith(".jpg")}
    sizes = {name: int(np.prod(Image.open(io.BytesIO(data)).size)) for name, data in files.items()}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    return {**{name: files[name] for name in largest}, "made": made_photograph()}


def milliseconds(run: Callable[[], object]) -> float:
    """Median time of a call."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - started))
    return round(statistics.median(times), 1)


def measure(data: bytes) -> dict[str, Any]:
    """Milliseconds by step."""
    extractor = create(DEFAULT_SPEC, backbones=ROOT / "models" / "backbones", threads=1)
    full, small = decode(data).pixels, decode(data, reduce_above=extractor.reduce_above).pixels
    return {
        "width": full.shape[1],
        "height": full.shape[0],
        "bytes": len(data),
        "pillow_alone_ms": milliseconds(lambda: Image.open(io.BytesIO(data)).load()),
        "decode_in_full_ms": milliseconds(lambda: decode(data)),
        "decode_ms": milliseconds(lambda: decode(data, reduce_above=extractor.reduce_above)),
        "features_ms": milliseconds(lambda: extractor.extract([small])),
        "both_ms": milliseconds(lambda: extractor.extract([decode(data, reduce_above=extractor.reduce_above).pixels])),
        "equal_features": bool((extractor.extract([full]) == extractor.extract([small])).all()),
    }


def main() -> None:
    """Measures every photograph and writes the result."""
    figures = {name: measure(data) for name, data in photographs().items()}
    print(figures)
    print(write_result("photograph", {"photographs": figures}, seed=0))


if __name__ == "__main__":
    main()
