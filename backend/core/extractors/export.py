"""A timm network -> one ONNX graph from uint8 pixels to pooled features. Imports torch: only where a graph is made.

Graph: pixels uint8 [N, H, W, 3] -> resize to input_size x input_size -> the weights' own normalisation -> network up
to the deepest stage asked for -> pooled statistics -> features float32 [N, dimensions]. N, H and W are free.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from backend.core.errors import ConfigError, IntegrityError
from backend.core.extractors.backbones import load
from backend.core.extractors.graph import FeatureGraph
from backend.core.extractors.lean import lean
from backend.core.extractors.simplify import simplify
from backend.core.extractors.stages import resolve_stages, taps_of

WORST_OFF, MEAN_OFF = 5e-2, 1e-3
"""Relative differences from PyTorch that float32 explains. The deviation of a nearly constant map is the root of a
difference of large numbers, so a few features at large input sizes differ by 1e-2; a wrong graph is off everywhere."""


def export(
    path: Path,
    *,
    backbone: str,
    stages: str | list[str],
    input_size: int,
    pooling: list[str],
    flips: bool = False,
) -> None:
    """Write the graph of a pretrained network to `path` by atomic rename.

    Raises UnknownBackbone, BackboneUnavailable, ConfigError (a stage that the network lacks; a size too small for it)
    and IntegrityError when the graph does not compute what PyTorch computes.
    """
    graph, weights = build_graph(backbone=backbone, stages=stages, input_size=input_size, pooling=pooling, flips=flips)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        draft = Path(folder) / "graph.onnx"
        write_graph(graph, draft, {"backbone": backbone, "weights": weights})
        draft.replace(path)


def build_graph(
    *, backbone: str, stages: str | list[str], input_size: int, pooling: list[str], flips: bool = False
) -> tuple[FeatureGraph, str]:
    """(the module of a pretrained network, in eval mode without gradients; hex SHA-256 of its weights).

    Raises UnknownBackbone, BackboneUnavailable, ConfigError (a stage that the network lacks; a size too small for it).
    """
    network, weights = load(backbone)
    taps = taps_of(network)
    wanted = resolve_stages(stages, pooling, taps)
    record = getattr(network, "pretrained_cfg", {})
    graph = FeatureGraph(network, taps, wanted, input_size, record, flips=flips).eval()
    try:
        with torch.no_grad():
            graph.names(_example())
    except RuntimeError as error:
        raise ConfigError(f"{backbone} does not run at input_size {input_size}.", str(error)[:200]) from error
    return graph, weights


def write_graph(graph: FeatureGraph, path: Path, about: dict[str, Any]) -> None:
    """Write the graph to `path`, with `about` and what is in it as the metadata entry `deepfake`.

    Raises IntegrityError when the file does not compute what PyTorch computes.
    """
    example = _example()
    record: dict[str, Any] = graph.network.pretrained_cfg  # type: ignore[assignment]
    metadata = {
        **about,
        "input_size": graph.input_size,
        "interpolation": graph.interpolation,
        "mean": list(map(float, record["mean"])),
        "std": list(map(float, record["std"])),
        "features": graph.names(example),
    }
    _to_onnx(graph, example, path)
    model = onnx.load(path)
    _forget_origin(model)
    simplify(model)
    onnx.helper.set_model_props(model, {"deepfake": json.dumps(metadata, sort_keys=True)})
    onnx.save(model, path)
    _check(graph, path)


def _example() -> Tensor:
    return torch.randint(0, 256, (2, 40, 56, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _to_onnx(graph: FeatureGraph, example: Tensor, path: Path) -> None:
    axes = dict.fromkeys(range(3), torch.export.Dim.DYNAMIC)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns about itself, not about this graph
        torch.onnx.export(
            lean(graph, example),
            (example,),
            str(path),
            dynamo=True,
            dynamic_shapes=({**axes, 3: torch.export.Dim.STATIC},),
            input_names=["pixels"],
            output_names=["features"],
            external_data=False,
            verbose=False,
            opset_version=20,
        )


def _forget_origin(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes of the code it came from: stack traces with this machine's paths."""
    graph = model.graph
    for noted in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        del noted.metadata_props[:]
        noted.doc_string = ""


def _check(graph: FeatureGraph, path: Path) -> None:
    """Compare with PyTorch, its own resize included, on images of several sizes. Raises IntegrityError."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    for count, height, width in ((1, 32, 32), (3, 50, 81), (2, 224, 300), (1, 640, 9)):
        pixels = torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)
        size = (graph.input_size, graph.input_size)
        with torch.no_grad():
            resized = functional.interpolate(
                pixels.permute(0, 3, 1, 2).float(), size, mode=graph.interpolation, antialias=True, align_corners=False
            )
            views = [resized, resized.flip(3)] if graph.flips else [resized]
            expected = np.mean([graph.features(view).numpy() for view in views], axis=0)
        actual = session.run(None, {"pixels": pixels.numpy()})[0]
        off = np.abs(actual - expected) / (1 + np.abs(expected))
        worst, mean = float(np.max(off)), float(np.mean(off))
        if not (worst < WORST_OFF and mean < MEAN_OFF):
            raise IntegrityError(
                f"The exported graph is off by {worst:.2e} at most and {mean:.2e} in the mean "
                f"on {count} x {height} x {width} pixels."
            )
