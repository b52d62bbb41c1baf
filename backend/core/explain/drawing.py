"""Shares of a score as a picture to lay over the image."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.explain.maps import spread

FAKE, REAL = (213, 94, 0), (0, 114, 178)
"""Vermilion speaks for FAKE, blue for REAL (Okabe and Ito 2008): told apart by colour-blind people."""

LONGEST_SIDE = 512
"""Pixels: the heat-map of a larger image is reduced to this."""

_PEAK = 99.5  # percentile of the strengths that is opaque: a single pixel must not make all others pale


def draw_heatmap(shares: NDArray[np.float64], width: int, height: int) -> bytes:
    """A PNG, RGBA, of an image's width and height (pixels), reduced to at most LONGEST_SIDE.

    Colour is the direction, opacity the strength of what a pixel adds: transparent is nothing, opaque the most.
    """
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    values = spread(shares, max(1, round(height * scale)), max(1, round(width * scale)))
    strengths = np.abs(values)
    peak = float(np.percentile(strengths, _PEAK)) or 1.0
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., None] > 0, FAKE, REAL)
    pixels[..., 3] = np.rint(255 * np.minimum(strengths / peak, 1.0))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
