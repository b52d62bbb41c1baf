"""Feature extraction against PyTorch eager: the same network, stages and images, one thread each, one run.

    DEEPFAKE_DATA=... python -m benchmarks.extraction [--images 1024]

Three ways, interleaved so that the machine's mood hits all of them: PyTorch eager image by image, PyTorch eager in
batches of 64, and this project's extractor. Decoding is left out: it is the same for all.
"""

from __future__ import annotations

import argparse
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.core.extractors import DEFAULT_SPEC, create
from backend.core.extractors.backbones import load
from backend.core.extractors.graph import FeatureGraph
from backend.core.extractors.stages import resolve_stages, taps_of
from backend.core.images import decode
from benchmarks.record import ROOT, data_folder, write_result

ROUNDS = 5
EAGER_BATCH = 64
Pixels = NDArray[np.uint8]


def read_images(count: int) -> list[Pixels]:
    """The first images of CIFAKE's training split."""
    with zipfile.ZipFile(data_folder() / "cifake.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("train/")][:: 100_000 // count][:count]
        return [decode(archive.read(name)).pixels for name in names]


def eager_graph() -> FeatureGraph:
    """The default extractor's network and pooling as a PyTorch module."""
    network, _ = load(DEFAULT_SPEC["backbone"])
    taps = taps_of(network)
    wanted = resolve_stages(DEFAULT_SPEC["stages"], DEFAULT_SPEC["pooling"], taps)
    record: Any = network.pretrained_cfg
    return FeatureGraph(network, taps, wanted, DEFAULT_SPEC["input_size"], record).eval()


def run_eager(graph: FeatureGraph, images: list[Pixels], batch: int) -> NDArray[np.float32]:
    """Features (n, d) by PyTorch eager."""
    with torch.inference_mode():
        batches = (images[start : start + batch] for start in range(0, len(images), batch))
        return np.concatenate([graph(torch.from_numpy(np.stack(part))).numpy() for part in batches])


def main() -> None:
    """Times the three ways and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1024)
    count = parser.parse_args().images
    torch.set_num_threads(1)
    images = read_images(count)
    extractor = create(DEFAULT_SPEC, backbones=ROOT / "models" / "backbones", threads=1)
    graph = eager_graph()
    few = images[: max(64, count // 8)]  # one by one is slow; its rate needs fewer images
    ways: dict[str, tuple[Callable[[], NDArray[np.float32]], int]] = {
        "eager_one_by_one": (lambda: run_eager(graph, few, 1), len(few)),
        "eager_batch_64": (lambda: run_eager(graph, images, EAGER_BATCH), count),
        "extractor": (lambda: extractor.extract(images), count),
    }
    difference = np.abs(ways["eager_batch_64"][0]() - ways["extractor"][0]()).max()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (run, done) in ways.items():
            started = time.perf_counter()
            run()
            rates[name].append(done / (time.perf_counter() - started))
    median = {name: statistics.median(values) for name, values in rates.items()}
    ratios = [
        {name: ours / rates[name][i] for name in ways if name != "extractor"}
        for i, ours in enumerate(rates["extractor"])
    ]
    figures: dict[str, Any] = {
        "spec": extractor.spec,
        "images": count,
        "threads": 1,
        "images_per_second": {name: round(value, 1) for name, value in median.items()},
        "times_as_fast_as": {
            name: round(statistics.median(ratio[name] for ratio in ratios), 2) for name in ways if name != "extractor"
        },
        "largest_difference_of_a_feature": float(difference),
    }
    print(figures)
    print(write_result("extraction", figures, seed=0))


if __name__ == "__main__":
    main()
