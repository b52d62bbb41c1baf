"""Bytes -> validated RGB image. Training and serving both decode here and nowhere else."""

from __future__ import annotations

import functools
import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import PIL.features
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from backend.core.errors import BrokenImage, ImageError, NotAnImage, TooManyPixels, TooSmall
from backend.core.plain_jpeg import decode_plain, read_plain_header

MAX_PIXELS = 64_000_000
"""Most pixels that are decoded, frames of an animation not counted: 64 million, about 190 MB as RGB."""

MOST_PIXELS = 178_000_000
"""No limit can be higher: above it Pillow itself refuses. Images that an import has let in are read up to here."""

MIN_SIDE = 8
"""Fewest pixels a side: below this no extractor has anything to measure."""

_CANDIDATES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")


def _allowed_formats() -> tuple[str, ...]:
    missing = set()
    if not PIL.features.check("avif"):
        missing.add("AVIF")
    try:
        import pillow_heif
    except ImportError:
        missing.add("HEIF")
    else:
        pillow_heif.register_heif_opener()
    return tuple(name for name in _CANDIDATES if name not in missing)


FORMATS: tuple[str, ...] = _allowed_formats()
"""Formats that are opened, by Pillow's names; nothing else is ever handed to a decoder."""


@dataclass(frozen=True)
class DecodedImage:
    """One image as the extractors see it."""

    pixels: NDArray[np.uint8]  # height x width x 3, sRGB values 0..255, upright; fewer where blocks were averaged
    format: str  # one of FORMATS
    mode: str  # the file's own Pillow mode, e.g. "RGB", "CMYK", "I;16"
    width: int  # of the upright image, pixels
    height: int
    frames: int  # 1 unless animated; only the first frame is used
    jpeg_quality: int | None  # 1..100 as libjpeg would name it, None for other formats


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, reduce_above: int | None = None) -> DecodedImage:
    """The upright RGB image in `data`: EXIF rotation applied, alpha laid on white, 16 bit cut to 8, first frame only.

    reduce_above: an extractor's own; then the pixels of a larger image come as averages over the blocks that the
    extractor would average anyhow, which is faster here. Without it they come in full.

    Raises NotAnImage, BrokenImage, TooManyPixels (before any pixel is decoded) or TooSmall.
    """
    return _decode_plain(data, max_pixels, reduce_above) or _decode_by_pillow(data, max_pixels, reduce_above)


def _decode_plain(data: bytes, max_pixels: int, reduce_above: int | None) -> DecodedImage | None:
    """An ordinary JPEG that comes in full; None for everything else."""
    header = read_plain_header(data)
    if header is None:
        return None
    _check_size(header.width, header.height, max_pixels)
    if reduce_above is not None and block_of(header.width, header.height, reduce_above) != (1, 1):
        return None
    pixels = decode_plain(data)
    if pixels is None:
        return None
    return DecodedImage(
        pixels=pixels,
        format="JPEG",
        mode="RGB",
        width=header.width,
        height=header.height,
        frames=1,
        jpeg_quality=_quality_of(header.luma_sum),
    )


def _decode_by_pillow(data: bytes, max_pixels: int, reduce_above: int | None) -> DecodedImage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata; the checks below decide
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise _not_opened(data, error) from error
        except Exception as error:  # decoders raise whatever a hostile header leads them to
            raise BrokenImage("The image's header cannot be read.", "Send the original, complete file.") from error
        with image:
            _check_size(image.width, image.height, max_pixels)
            mode = image.mode
            try:
                frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1) or 1)
                quality = _jpeg_quality(image)
                ImageOps.exif_transpose(image, in_place=True)
                rgb = _to_rgb(image)
            except MemoryError:
                raise
            except Exception as error:
                raise BrokenImage("The image is truncated or corrupt.", "Send the original, complete file.") from error
            width, height = rgb.size
            pixels = _to_array(rgb if reduce_above is None else _reduce(rgb, reduce_above))
    return DecodedImage(
        pixels=pixels,
        format="JPEG" if image.format == "MPO" else image.format or "",  # MPO: a JPEG with more pictures behind it
        mode=mode,
        width=width,
        height=height,
        frames=frames,
        jpeg_quality=quality,
    )


def block_of(width: int, height: int, limit: int) -> tuple[int, int]:
    """(pixels across, pixels down) of the blocks that an image is averaged over: 1 for a side below `limit`, else even.

    A side of the result is at most `limit`.
    """
    return max(1, width // limit * 2), max(1, height // limit * 2)


def pixel_digest(pixels: NDArray[np.uint8]) -> str:
    """Hex SHA-256 over shape and pixels: equal exactly for images that look the same whatever their file format."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


# First bytes of the formats that Pillow calls unidentified, not broken, when their header is cut short.
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")


def _not_opened(data: bytes, error: Exception) -> ImageError:
    if isinstance(error, Image.DecompressionBombError):
        return TooManyPixels("The image has far more pixels than are decoded here.", "Send a smaller version.")
    allowed = ", ".join(FORMATS)
    if not data:
        return NotAnImage("The file is empty.", f"Send an image in one of these formats: {allowed}.")
    if data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return BrokenImage("The image's header cannot be read.", "Send the original, complete file.")
    return NotAnImage("The file is not an image that is read here.", f"Allowed formats: {allowed}.")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise TooManyPixels(
            f"The image has {width} x {height} = {width * height} pixels; at most {max_pixels} are decoded.",
            "Send a smaller version of the image.",
        )
    if min(width, height) < MIN_SIDE:
        raise TooSmall(
            f"The image is {width} x {height} pixels; each side needs at least {MIN_SIDE}.", "Send a larger image."
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_wide_to_8bit(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _reduce(image: Image.Image, limit: int) -> Image.Image:
    """The image averaged over its blocks, or as it is where that would be done a second time to the result."""
    block = block_of(*image.size, limit)
    if block == (1, 1) or block_of(-(-image.width // block[0]), -(-image.height // block[1]), limit) != (1, 1):
        return image
    return image.reduce(block)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]. Pillow would copy a large image twice into fresh memory: it is taken in strips."""
    width, height = image.size
    if height <= _STRIP:
        return np.asarray(image)
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP):
        strip = (0, top, width, min(top + _STRIP, height))
        pixels[top : top + _STRIP] = np.asarray(image.crop(strip))
    return pixels


_STRIP = 128  # rows


def _wide_to_8bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Pixels of more than 8 bits -> 0..255. Integers count as 16 bit; floats as 0..1 unless they exceed 1."""
    wide = np.nan_to_num(values.astype(np.float32), copy=False)
    if np.issubdtype(values.dtype, np.integer):
        wide /= 257.0
    elif wide.max(initial=0.0) <= 1.0:
        wide *= 255.0
    return np.clip(np.rint(wide, out=wide), 0, 255, out=wide).astype(np.uint8)


# Annex K.1 of the JPEG standard (ITU-T T.81): the luminance table that libjpeg scales by quality, row by row.
_LUMA_50 = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def _luma_sums() -> NDArray[np.int64]:
    """Sum of libjpeg's luminance table at qualities 1..100, falling; entries are cut to 1..255 as it does."""
    quality = np.arange(1, 101)
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables = (_LUMA_50[None] * percent[:, None, None] + 50) // 100
    sums: NDArray[np.int64] = np.clip(tables, 1, 255).sum(axis=(1, 2))
    return sums


_LUMA_SUMS = _luma_sums()


def _jpeg_quality(image: Image.Image) -> int | None:
    """The libjpeg quality whose luminance table is nearest in sum to the file's own, None unless JPEG."""
    tables = getattr(image, "quantization", None)
    if not tables:
        return None
    return _quality_of(sum(tables[min(tables)]))


@functools.lru_cache(maxsize=1024)
def _quality_of(luma_sum: int) -> int:
    return int(np.argmin(np.abs(_LUMA_SUMS - luma_sum))) + 1


ImageFile.LOAD_TRUNCATED_IMAGES = False
