"""What an image's file says of itself, and how the image looks in small: one record an image."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from backend.core.eda_spectrum import GRID
from backend.core.images import FORMATS, DecodedImage

BANDS = 8
"""Rings of the spectrum, each 4/64 cycles per pixel wide: 0.5/64 .. 4.5/64 up to 28.5/64 .. 32.5/64."""

THUMBNAIL = 8
"""Pixels a side of the small picture that near-duplicates are found by."""

TRAITS = np.dtype(
    [
        ("row", np.int64),
        ("format", "S4"),  # Pillow's name
        ("luma_table", np.int32),  # sum of the first JPEG quantisation table, -1 for other formats
        ("chroma_table", np.int32),  # of the second one, -1 where there is none
        ("sampling", np.int16),  # 444, 422, 420; 0 for others; -1 for other formats than JPEG
        ("progressive", np.bool_),
        ("exif", np.bool_),  # whether the file has such a block
        ("icc", np.bool_),
        ("xmp", np.bool_),
        ("text", np.bool_),  # a comment, or text chunks of a PNG
        ("bands", np.float32, (BANDS,)),  # mean log10 of power in each ring
        ("thumbnail", np.uint8, (THUMBNAIL, THUMBNAIL, 3)),
    ]
)
"""One record an image: 251 bytes, so 120,000 images take 30 MB."""

_SAMPLINGS = {0: 444, 1: 422, 2: 420}
_XMP = ("xmp", "XML:com.adobe.xmp", "raw profile type xmp")


@dataclass(frozen=True)
class FileHeader:
    """What stands in a file before its pixels; see TRAITS."""

    format: str = ""
    luma_table: int = -1
    chroma_table: int = -1
    sampling: int = -1
    progressive: bool = False
    exif: bool = False
    icc: bool = False
    xmp: bool = False
    text: bool = False


def read_header(data: bytes) -> FileHeader:
    """The header of an image file, without decoding a pixel; an empty one where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata, which is what we look for
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _header_of(image)
        except MemoryError:
            raise
        except Exception:  # whatever a hostile header leads decoders to: the pixels were read, this is a bonus
            return FileHeader()


def measure_traits(
    images: Sequence[DecodedImage], headers: Sequence[FileHeader], rows: Sequence[int], spectra: NDArray[np.float32]
) -> NDArray[Any]:
    """The records (n,) of TRAITS of some images; `rows` are their numbers in the data set.

    spectra: (n, 64, 33), theirs, see `log_power`.
    """
    records = np.zeros(len(images), TRAITS)
    records["row"] = rows
    for name in ("luma_table", "chroma_table", "sampling", "progressive", "exif", "icc", "xmp", "text"):
        records[name] = [getattr(header, name) for header in headers]
    records["format"] = [(h.format or image.format).encode() for h, image in zip(headers, images, strict=True)]
    records["bands"] = _bands(spectra)
    for record, image in zip(records, images, strict=True):
        small = Image.fromarray(image.pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        record["thumbnail"] = np.asarray(small)
    return records


def join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """All records (n,) of TRAITS in the order of the data set's rows."""
    if not parts:
        return np.zeros(0, TRAITS)
    together = np.concatenate(parts)
    return together[np.argsort(together["row"], kind="stable")]


def _header_of(image: Image.Image) -> FileHeader:
    info = image.info
    tables = getattr(image, "quantization", None) or {}
    sums = [int(sum(tables[key])) for key in sorted(tables)[:2]]
    is_jpeg = bool(tables)
    return FileHeader(
        format="JPEG" if image.format == "MPO" else image.format or "",
        luma_table=sums[0] if sums else -1,
        chroma_table=sums[1] if len(sums) > 1 else -1,
        sampling=_SAMPLINGS.get(JpegImagePlugin.get_sampling(image), 0) if is_jpeg else -1,
        progressive=bool(info.get("progressive")),
        exif=bool(info.get("exif")),
        icc=bool(info.get("icc_profile")),
        xmp=any(info.get(name) for name in _XMP),
        text=bool(info.get("comment")) or bool(getattr(image, "text", None)),
    )


def _bands(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each ring, (n, BANDS), of spectra (n, 64, 33)."""
    power = spectra.reshape(len(spectra), -1)
    return np.column_stack([power[:, ring == _RING].mean(axis=1) for ring in range(1, BANDS + 1)])


def _rings() -> NDArray[np.int64]:
    """The ring 1 .. BANDS of every frequency of a half spectrum, 0 for those outside of all."""
    down = np.fft.fftfreq(GRID) * GRID
    across = np.arange(GRID // 2 + 1)
    k = np.rint(np.hypot(down[:, None], across[None, :])).astype(np.int64)
    ring: NDArray[np.int64] = np.where((k >= 1) & (k <= GRID // 2), (k - 1) * BANDS // (GRID // 2) + 1, 0).ravel()
    return ring


_RING = _rings()
