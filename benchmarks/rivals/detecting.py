"""What each rival does with an image: Pillow's decoding and the exported graph, which has the head in it.

Imports nothing of the project, so that a rival may run in a virtual environment of its own.
"""

from __future__ import annotations

import io

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image


def open_graph(path: str, threads: int) -> onnxruntime.InferenceSession:
    """A session on the exported detector with so many threads a run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def decode(data: bytes) -> NDArray[np.uint8]:
    """RGB pixels [height, width, 3] of an image file."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def probabilities(session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]) -> list[float]:
    """Probability of FAKE for each image of a batch [N, height, width, 3]."""
    found: NDArray[np.float32] = session.run(["probability_fake"], {"pixels": pixels})[0]
    return [float(value) for value in found.reshape(-1)]


def answer(filename: str, probability_fake: float) -> dict[str, object]:
    """The least that a caller needs."""
    label = "FAKE" if probability_fake >= 0.5 else "REAL"
    return {"filename": filename, "label": label, "probability_fake": probability_fake}
