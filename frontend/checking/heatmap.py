"""Where a model looked, laid over the picture."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image, ImageOps

MOST_PIXELS = 16_000_000
LOW, MIDDLE, HIGH = "#000004", "#BB3754", "#FCFFA4"
"""Three steps of the colour map inferno: lighter is stronger, so it reads without telling colours apart."""


def read_heatmap(text: object) -> Image.Image | None:
    """The heat-map in base64 as RGBA: its own colours where it has some, else ours; None where it is no PNG."""
    if not isinstance(text, str):
        return None
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            if image.mode in ("L", "1"):
                return _coloured(image.convert("L"))
            return image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError):
        return None


def overlay(picture: Image.Image, heatmap: Image.Image, strength: float) -> Image.Image:
    """The picture (RGB) under the heat-map (RGBA, of any size), whose opacity is multiplied by `strength`, 0..1."""
    layer = heatmap.resize(picture.size, Image.Resampling.BILINEAR)
    layer.putalpha(layer.getchannel("A").point(lambda value: round(value * strength)))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _coloured(strengths: Image.Image) -> Image.Image:
    coloured = ImageOps.colorize(strengths, black=LOW, white=HIGH, mid=MIDDLE)
    coloured.putalpha(strengths)  # nothing where the map says nothing
    return coloured
