"""The default network in int8 against float32: speed on one thread, accuracy on validation images.

    DEEPFAKE_DATA=... python -m benchmarks.int8 [--images 20000] [--seconds 2]

Convolutions are quantised statically, weights by channel, from 512 training images; the rest stays float32. Weights
have 7 bits: without the instructions for 8-bit products (VNNI), sums of two products of 8 bits would be cut off. Both
networks get a logistic regression fitted on 20,000 training images and measured on the 10,000 validation images; test
images stay unread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from backend.core.detector import Rows
from backend.core.extractors import DEFAULT_SPEC, create
from backend.core.extractors.network import NetworkExtractor
from benchmarks.ablation import Choice, measure
from benchmarks.extraction import ROUNDS, rate
from benchmarks.pixels import Images, load_images
from benchmarks.record import ROOT, write_result

BATCH, CALIBRATION_IMAGES, BLOCK = 32, 512, 1000


class Reader(CalibrationDataReader):  # type: ignore[misc]  # the package has no types
    """Training images in batches, for the ranges of activations."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._batches = iter(np.split(pixels, range(BATCH, len(pixels), BATCH)))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next batch, None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {"pixels": batch}


def quantise(source: Path, target: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes the graph with its convolutions in int8, what it says of itself included."""
    quantize_static(
        source,
        target,
        Reader(pixels),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    model = onnx.load(target)
    about = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    onnx.helper.set_model_props(model, about)
    onnx.save(model, target)


def features(extractor: NetworkExtractor, images: Images) -> Rows:
    """Features as the product stores them, in float16."""
    blocks = [images.pixels[start : start + BLOCK] for start in range(0, len(images.y), BLOCK)]
    X = np.concatenate([extractor.extract(list(block)) for block in blocks]).astype(np.float16).astype(np.float32)
    return Rows(X, images.y, images.groups)


def run(extractor: NetworkExtractor, pixels: NDArray[np.uint8], start: int) -> object:
    """One batch."""
    return extractor.extract(list(pixels[start : start + BATCH]))


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table."""
    lines = [
        "| network | images a second and core | MB | accuracy: validation | AUROC | log loss |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['images_per_second']:,.0f} | {row['bytes'] / 1e6:.1f} "
            f"| {100 * row['accuracy']:.2f} % | {row['auroc']:.4f} | {row['log_loss']:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Quantises, times and fits both, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement in each of the rounds")
    given = parser.parse_args()
    images = load_images()
    train, validation = images["train"].some(given.images, 0), images["validation"]
    float32 = create(DEFAULT_SPEC, backbones=ROOT / "models" / "backbones", threads=1)
    assert isinstance(float32, NetworkExtractor)
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        path = Path(folder) / "int8.onnx"
        quantise(float32.path, path, train.some(CALIBRATION_IMAGES, 1).pixels)
        networks = {"float32": float32, "int8": NetworkExtractor(path, 1, of="int8", hint="")}
        ways = {name: (partial(run, network, validation.pixels[:256]), BATCH) for name, network in networks.items()}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                rates[name].append(rate(way, given.seconds))
        rows: dict[str, dict[str, Any]] = {}
        for name, network in networks.items():
            rows[name] = {
                **measure(Choice(""), features(network, train), features(network, validation)),
                "images_per_second": round(statistics.median(rates[name]), 1),
                "bytes": network.path.stat().st_size,
            }
            print(name, rows[name], file=sys.stderr, flush=True)
    print(table(rows))
    counts = {"train_images": len(train.y), "validation_images": len(validation.y)}
    print(write_result("int8", {**counts, "calibration_images": CALIBRATION_IMAGES, "rows": rows}, seed=0))


if __name__ == "__main__":
    main()
