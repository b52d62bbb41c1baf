"""Frozen pretrained networks, pooled per stage, run by ONNX Runtime. Imports torch only where a graph is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from backend.core.errors import IntegrityError, UnknownBackbone
from backend.core.extractors.batches import by_shape
from backend.core.extractors.options import Option, digest_of, fill
from backend.core.extractors.stages import PRESETS, STATISTICS

VERSION = 1
"""Raise when the graph or the way to it changes the numbers."""

OFFLINE_BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
"""Networks whose weights come with an installed package; any other one is fetched from timm's hub."""

BATCH = 32
"""Images a run of the session: larger batches are not faster on a CPU."""

REDUCE_ABOVE = 32
"""A side of more than this many times input_size is first averaged over whole blocks of pixels, to bound memory."""

OPTIONS = {
    "backbone": Option(
        "str",
        OFFLINE_BACKBONES[0],
        f"Pretrained network. Without a download: {', '.join(OFFLINE_BACKBONES)}; any other of timm's is fetched.",
    ),
    "stages": Option(
        "str or list",
        "texture",
        "; ".join(f"{name}: {text}" for name, text in PRESETS.items())
        + "; or a list of stages such as stem, block3, block2.0.dw, block5:mean.",
    ),
    "input_size": Option("int", 64, "Pixels a side that every image is resized to.", minimum=16, maximum=512),
    "pooling": Option("list", ["mean", "std"], "Statistics over the places of each stage's map.", choices=STATISTICS),
}


class CnnExtractor:
    """Pooled stage activations of one frozen network. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:
        """Loads the graph of `spec` from the folder `backbones`, making it there first where it is missing.

        Raises ConfigError, UnknownBackbone, BackboneUnavailable, IntegrityError.
        """
        self.spec = fill(spec, OPTIONS)
        refuse_foreign(self.spec["backbone"])
        self.path = graph_path(self.spec, backbones)
        if not self.path.is_file():
            from backend.core.extractors.export import export  # imports torch

            export(self.path, **{key: self.spec[key] for key in OPTIONS})
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
        try:
            self._session = onnxruntime.InferenceSession(str(self.path), settings, providers=["CPUExecutionProvider"])
            about = json.loads(self._session.get_modelmeta().custom_metadata_map["deepfake"])
        except MemoryError:
            raise
        except Exception as error:  # the runtime raises classes of its own for whatever damage it meets
            raise IntegrityError(
                f"The graph {self.path.name[:16]}… of {self.spec['backbone']} is damaged.",
                "Delete it from the folder of backbones: the next fit makes it again.",
            ) from error
        self.weights: str = about["weights"]
        self.feature_names = [
            f"cnn.{stage}.{statistic}[{i}]" for stage, statistic, width in about["features"] for i in range(width)
        ]
        self.dimensions = len(self.feature_names)
        self.digest = digest_of(VERSION, self.spec, self.weights)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        features = np.empty((len(images), self.dimensions), dtype=np.float32)
        reduced = [self._reduced(image) for image in images]
        for rows, pixels in by_shape(reduced, BATCH):
            features[rows] = self._session.run(["features"], {"pixels": pixels})[0]
        return features

    def _reduced(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        limit = REDUCE_ABOVE * self.spec["input_size"]
        down, across = (max(1, side // limit * 2) for side in image.shape[:2])
        if down == across == 1:
            return image
        return np.asarray(Image.fromarray(image).reduce((across, down)))


def graph_path(spec: Mapping[str, Any], backbones: Path) -> Path:
    """Where the graph of a complete spec lies, or will lie once it is exported."""
    return backbones / f"{digest_of(VERSION, dict(spec))}.onnx"


def refuse_foreign(name: str) -> None:
    """Raises UnknownBackbone for an address in place of a network's name."""
    if any(sign in name for sign in ":/\\@"):
        raise UnknownBackbone(
            f"{name!r} is not a network's name.", f"Use a name of timm, such as {OFFLINE_BACKBONES[0]}; no hub address."
        )
