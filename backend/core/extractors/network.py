"""What runs a network's graph, whoever made it: uint8 pixels in, pooled statistics out, by ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.errors import IntegrityError
from backend.core.extractors.batches import by_shape
from backend.core.extractors.session import open_session
from backend.core.images import block_of

BATCH = 32
"""Most images a run of the session: larger batches are not faster on a CPU."""

BATCH_PIXELS = 32 * 64 * 64
"""Most resized pixels a run, at least two images: the maps of more leave the processor's cache."""

REDUCE_ABOVE = 32
"""A side of more than this many times the input size is first averaged over whole blocks of pixels, to bound memory."""


class NetworkExtractor:
    """Features of one graph. Its makers set `spec` and `digest`, and so follow the protocol `Extractor`."""

    spec: dict[str, Any]
    digest: str

    def __init__(self, path: Path, threads: int, *, of: str, hint: str) -> None:
        """Opens the graph in `path`, made `of` a network. Raises IntegrityError, with `hint`, where it is damaged."""
        self.path = path
        try:
            self._session = open_session(path, threads)
            self.about: dict[str, Any] = json.loads(self._session.get_modelmeta().custom_metadata_map["deepfake"])
            self.backbone, self.weights = str(self.about["backbone"]), str(self.about["weights"])
            self.input_size = int(self.about["input_size"])
            self.reduce_above: int | None = REDUCE_ABOVE * self.input_size
            self.feature_names = [
                f"cnn.{stage}.{statistic}[{i}]"
                for stage, statistic, width in self.about["features"]
                for i in range(width)
            ]
        except MemoryError:
            raise
        except Exception as error:  # the runtime raises classes of its own for whatever damage it meets
            raise IntegrityError(f"The graph {path.name[:16]}… of {of} is damaged.", hint) from error
        self.dimensions = len(self.feature_names)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        features = np.empty((len(images), self.dimensions), dtype=np.float32)
        small = [reduced(image, self.input_size) for image in images]
        batch = max(2, min(BATCH, BATCH_PIXELS // self.input_size**2))
        for rows, pixels in by_shape(small, batch):
            features[rows] = self._session.run(["features"], {"pixels": pixels})[0]
        return features


def reduced(image: NDArray[np.uint8], input_size: int) -> NDArray[np.uint8]:
    """The image, averaged over blocks of pixels where a side has more than REDUCE_ABOVE times `input_size`."""
    block = block_of(image.shape[1], image.shape[0], REDUCE_ABOVE * input_size)
    return image if block == (1, 1) else np.asarray(Image.fromarray(image).reduce(block))
