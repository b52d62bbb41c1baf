"""The picture of the button "why"."""

from __future__ import annotations

import io

from PIL import Image

from frontend.checking.heatmap import overlay, read_heatmap
from frontend.checking.previews import read_upright

LEAST_PX, MOST_PX, STRENGTH = 512, 1280, 0.6
"""Longest side as it is sent: small pictures are enlarged to the first, none is larger than the second."""
LONGEST_RATIO = 20
"""Of a side to the other; Telegram takes no longer photo."""


def draw_heatmap(content: bytes, heatmap: object) -> bytes | None:
    """A JPEG of the picture under its heat-map (base64, PNG); None where either cannot be drawn."""
    layer = read_heatmap(heatmap)
    if layer is None:
        return None
    try:
        picture = read_upright(content, MOST_PX)
    except Exception:  # whatever a file makes a decoder raise that the service's own decoder can read
        return None
    if max(picture.size) > LONGEST_RATIO * min(picture.size):
        return None
    factor = -(-LEAST_PX // max(picture.size))
    if factor > 1:
        picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    overlay(picture, layer, STRENGTH).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
