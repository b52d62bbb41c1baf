"""Files of any kind as pictures that a browser shows: small, upright, and None where that is not possible."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache

from PIL import ExifTags, Image, ImageOps

BROWSERS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
"""Formats that every browser shows (Pillow's names) -> media types."""
DECODED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Formats that are opened here; nothing else is handed to a decoder."""
MOST_PIXELS = 64_000_000
"""Larger pictures are not decoded here, JPEG aside, which is read at a fraction of its size."""
SIDE_PX, THUMBNAIL_PX = 1024, 64
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Preview:
    """A file that a browser shows; `original` says that it is the picture's own file, untouched."""

    content: bytes
    media_type: str
    width: int  # pixels, upright
    height: int
    original: bool

    @property
    def data_uri(self) -> str:
        """The file as the address of an image."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def make_preview(content: bytes, side: int = SIDE_PX, most_bytes: int = MOST_BYTES) -> Preview | None:
    """The file itself where a browser shows it and it is small enough, else a JPEG of at most `side` pixels a side."""
    try:
        with _open(content) as image:
            media_type = BROWSERS.get(image.format or "")
            fits = len(content) <= most_bytes and image.width * image.height <= MOST_PIXELS
            if media_type is not None and fits:
                width, height = _upright_size(image)
                image.load()  # a file that breaks off is no picture to show as it is
                return Preview(content, media_type, width, height, original=True)
        return _jpeg(read_upright(content, side), quality=88)
    except Exception:  # whatever a broken file makes a decoder raise: there is no preview
        return None


def make_thumbnail(content: bytes, side: int = THUMBNAIL_PX) -> str | None:
    """A JPEG of at most `side` pixels a side as a data URI."""
    try:
        return _jpeg(read_upright(content, side), quality=80).data_uri
    except Exception:  # as above
        return None


def read_upright(content: bytes, side: int) -> Image.Image:
    """The picture as RGB, upright, on white, first frame, at most `side` pixels a side; raises what Pillow does."""
    with _open(content) as image:
        image.draft("RGB", (side, side))  # a JPEG is decoded at the smallest fraction that is large enough
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        upright = _as_rgb(ImageOps.exif_transpose(image))
    upright.thumbnail((side, side))
    return upright


def _open(content: bytes) -> Image.Image:
    _register_heif()
    return Image.open(io.BytesIO(content), formats=DECODED)


@cache
def _register_heif() -> None:
    try:
        import pillow_heif
    except ImportError:
        return  # then pictures of phones have no preview; the service still reads them
    pillow_heif.register_heif_opener()


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5  # by a quarter
    return (image.height, image.width) if turned else image.size


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits; RGB would cut off all above 255
    if image.mode in ("RGB", "L", "1", "CMYK", "YCbCr", "F") and "transparency" not in image.info:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    white = Image.new("RGBA", layers.size, "white")
    white.alpha_composite(layers)
    return white.convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> Preview:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Preview(buffer.getvalue(), "image/jpeg", image.width, image.height, original=False)
