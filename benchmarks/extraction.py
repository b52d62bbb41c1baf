"""Feature extraction from JPEG bytes against other ways to the same features: one thread each, one run.

    DEEPFAKE_DATA=... python -m benchmarks.extraction [--seconds 1.5]

At 64 and at 224 pixels, CIFAKE's images: PyTorch eager one by one and in batches; timm with Pillow and its own
transform, as a user would write it (the last layer alone); the bare runtimes ONNX Runtime and OpenVINO on the same
graph, fed with ready pixels at their best batch size; and this project from the files' bytes. Ways are interleaved, so
that the machine's mood hits all. OpenVINO is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from backend.core.extractors import DEFAULT_SPEC, create
from backend.core.extractors.backbones import import_timm, load
from backend.core.extractors.graph import FeatureGraph
from backend.core.extractors.network import NetworkExtractor
from backend.core.extractors.session import open_session
from backend.core.extractors.stages import resolve_stages, taps_of
from backend.core.images import decode
from benchmarks.record import ROOT, data_folder, write_result

ROUNDS = 5
IMAGES = 256
BATCHES = {64: (8, 16, 32, 64), 224: (1, 2, 4, 8)}
EAGER_BATCH = 64
Pixels = NDArray[np.uint8]
Way = tuple[Callable[[int], object], int]
"""(run it on the batch that begins at that image, images in a batch)."""


def read_files() -> list[bytes]:
    """Some of CIFAKE's training images as files."""
    with zipfile.ZipFile(data_folder() / "cifake.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("train/")][:: 100_000 // IMAGES][:IMAGES]
        return [archive.read(name) for name in names]


def eager_graph(size: int) -> FeatureGraph:
    """The default extractor's network and pooling as a PyTorch module."""
    network, _ = load(DEFAULT_SPEC["backbone"])
    taps = taps_of(network)
    wanted = resolve_stages(DEFAULT_SPEC["stages"], DEFAULT_SPEC["pooling"], taps)
    record: Any = network.pretrained_cfg
    return FeatureGraph(network, taps, wanted, size, record).eval()


def as_a_user(size: int, files: list[bytes]) -> Callable[[int], object]:
    """timm's own transform and network on Pillow's images, in batches."""
    timm = import_timm()
    network, _ = load(DEFAULT_SPEC["backbone"])
    settings = timm.data.resolve_model_data_config(network) | {"input_size": (3, size, size), "crop_pct": 1.0}
    transform = timm.data.create_transform(**settings, is_training=False)

    def run(start: int) -> object:
        images = [Image.open(io.BytesIO(data)).convert("RGB") for data in files[start : start + EAGER_BATCH]]
        with torch.inference_mode():
            return network(torch.stack([transform(image) for image in images]))

    return run


def eager(graph: FeatureGraph, pixels: Pixels, batch: int, start: int) -> object:
    """PyTorch eager on one batch."""
    with torch.inference_mode():
        return graph(torch.from_numpy(pixels[start : start + batch]))


def bare_onnxruntime(path: str, pixels: Pixels, batch: int) -> Callable[[int], object]:
    """ONNX Runtime alone."""
    session = open_session(Path(path), 1)
    return lambda start: session.run(None, {"pixels": pixels[start : start + batch]})


def bare_openvino(path: str, pixels: Pixels, batch: int) -> Callable[[int], object]:
    """OpenVINO alone, compiled for this very shape, in float32."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([batch, *pixels.shape[1:]])
    hints = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(model, "CPU", hints).create_infer_request()
    return lambda start: request.infer({0: pixels[start : start + batch]}, share_inputs=True)


def ours(extractor: Any, files: list[bytes], batch: int, start: int) -> object:
    """From bytes to float16 features, as a fit does."""
    images = [decode(data, reduce_above=extractor.reduce_above).pixels for data in files[start : start + batch]]
    return extractor.extract(images).astype(np.float16)


def multiply_adds(path: str) -> int:
    """Multiply-adds of the graph's convolutions for one image."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    weights = {each.name: each.dims for each in model.graph.initializer}
    shapes = {each.name: [d.dim_value for d in each.type.tensor_type.shape.dim] for each in model.graph.value_info}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return int(sum(np.prod(shapes[n.output[0]][1:]) * np.prod(weights[n.input[1]][1:]) for n in convolutions))


def product_rate(seconds: float) -> float:
    """Floating-point operations a second of a large float32 matrix product on one thread."""
    side, done = 2048, 0
    a = np.random.default_rng(0).random((side, side), dtype=np.float32)
    with threadpool_limits(1):
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            a @ a
            done += 1
        return 2 * side**3 * done / (time.perf_counter() - started)


def rate(way: Way, seconds: float) -> float:
    """Images a second, over about that long."""
    run, batch = way
    run(0)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        run(done % (IMAGES - batch + 1))
        done += batch
    return done / (time.perf_counter() - started)


def measure(size: int, files: list[bytes], seconds: float) -> dict[str, Any]:
    """Images a second of every way at one input size."""
    extractor = create({**DEFAULT_SPEC, "input_size": size}, backbones=ROOT / "data" / "benchmark-backbones", threads=1)
    assert isinstance(extractor, NetworkExtractor)
    path, graph = str(extractor.path), eager_graph(size)
    pixels = np.stack([decode(data).pixels for data in files])
    ways: dict[str, Way] = {
        "eager_one_by_one": (partial(eager, graph, pixels, 1), 1),
        "eager_batch_64": (partial(eager, graph, pixels, EAGER_BATCH), EAGER_BATCH),
        "timm_as_a_user": (as_a_user(size, files), EAGER_BATCH),
        "ours_from_bytes": (partial(ours, extractor, files, 64), 64),
    }
    makers = {"onnxruntime": bare_onnxruntime}
    if importlib.util.find_spec("openvino") is not None:
        makers["openvino"] = bare_openvino
    for name, make in makers.items():
        ways |= {f"{name}_{batch}": (make(path, pixels, batch), batch) for batch in BATCHES[size]}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    products = []
    for _ in range(ROUNDS):
        products.append(product_rate(seconds))
        for name, way in ways.items():
            rates[name].append(rate(way, seconds))
    median = {name: statistics.median(values) for name, values in rates.items()}
    bare = {name: max(value for key, value in median.items() if key.startswith(name)) for name in makers}
    flops, mine = 2 * multiply_adds(path), median["ours_from_bytes"]
    bound = statistics.median(products) / flops
    return {
        "images_per_second": {name: round(value, 1) for name, value in median.items()},
        "ours_to_bare": {name: round(mine / value, 3) for name, value in bare.items()},
        "ours_to_faster_bare_runtime": round(mine / max(bare.values()), 3),
        "times_as_fast_as": {name: round(mine / median[name], 2) for name in list(ways)[:3]},
        "gflops_of_matrix_product": round(statistics.median(products) / 1e9, 1),
        "multiply_adds_per_image": flops // 2,
        "share_of_matrix_product_bound": {
            name: round(value / bound, 3) for name, value in {**bare, "ours_from_bytes": mine}.items()
        },
    }


def main() -> None:
    """Times every way and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each measurement in each of the rounds")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    files = read_files()
    figures = {str(size): measure(size, files, seconds) for size in BATCHES}
    print(figures)
    print(write_result("extraction", {"spec": DEFAULT_SPEC, "threads": 1, "sizes": figures}, seed=0))


if __name__ == "__main__":
    main()
