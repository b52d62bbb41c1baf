"""JPEGs that go past Pillow: the same pixels as Pillow's, and nothing out of the ordinary among them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.core.images import decode
from backend.core.plain_jpeg import decode_plain, read_plain_header

RANDOM = np.random.default_rng(7)


def picture(height: int, width: int) -> Image.Image:
    """Soft shapes under noise: every coefficient of a block is in use."""
    coarse = Image.fromarray(RANDOM.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8))
    noise = RANDOM.integers(0, 40, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(np.asarray(coarse.resize((width, height))) // 2 + noise)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def by_pillow(data: bytes) -> NDArray[np.uint8]:
    """Pillow's pixels, or its error."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def plainly(data: bytes) -> NDArray[np.uint8]:
    """The pixels of an ordinary file."""
    pixels = decode_plain(data)
    assert pixels is not None
    return pixels


@pytest.mark.parametrize("size", [(32, 32), (8, 8), (33, 17), (9, 200), (300, 411)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [5, 75, 100])
def test_ordinary_files_have_pillows_pixels_and_quality(size: tuple[int, int], subsampling: int, quality: int) -> None:
    data = jpeg(picture(*size), quality=quality, subsampling=subsampling)
    header = read_plain_header(data)
    assert header is not None
    assert (header.height, header.width) == size
    image = decode(data)
    assert np.array_equal(image.pixels, by_pillow(data))
    assert (image.height, image.width, image.format, image.mode, image.frames) == (*size, "JPEG", "RGB", 1)
    assert image.jpeg_quality == quality


@pytest.mark.parametrize(
    "options",
    [{"optimize": True}, {"restart_marker_rows": 1}, {"comment": b"made by hand"}, {"dpi": (300, 300)}],
    ids=lambda options: next(iter(options)),
)
def test_what_changes_no_pixel_is_ordinary(options: dict[str, Any]) -> None:
    data = jpeg(picture(40, 56), **options)
    assert read_plain_header(data)
    assert np.array_equal(plainly(data), by_pillow(data))


def test_two_tables_in_one_segment_count_by_their_numbers() -> None:
    data = jpeg(picture(32, 32), qtables=[[7] * 64, [9] * 64])
    first = data.index(b"\xff\xdb")
    second = data.index(b"\xff\xdb", first + 1)
    tables = data[second + 4 : second + 69] + data[first + 4 : first + 69]  # number 1 before number 0
    joined = data[:first] + b"\xff\xdb\x00\x84" + tables + data[second + 69 :]
    header = read_plain_header(joined)
    assert header is not None
    assert header.luma_sum == 7 * 64
    assert np.array_equal(plainly(joined), by_pillow(data))


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    "data",
    [
        jpeg(picture(32, 32), progressive=True),
        jpeg(picture(32, 32).convert("L")),
        jpeg(picture(32, 32).convert("CMYK")),
        jpeg(picture(32, 32), exif=turned()),
        jpeg(picture(32, 32), icc_profile=b"profile" * 20),
        jpeg(picture(32, 32))[:200],
        b"\xff\xd8",
        b"\xff\xd8\xff\xdb\x00\x00" * 9,
        b"",
    ],
    ids=["progressive", "grey", "CMYK", "EXIF", "profile", "cut in the header", "a start", "no lengths", "empty"],
)
def test_whatever_is_not_ordinary_is_left_to_pillow(data: bytes) -> None:
    assert read_plain_header(data) is None


@pytest.mark.parametrize("left", [0.4, 0.9, 0.999])
def test_a_file_that_ends_early_is_left_to_pillow(left: float) -> None:
    data = jpeg(picture(64, 64), quality=95)
    assert decode_plain(data[: int(left * len(data))]) is None


def test_damage_never_gives_other_pixels_than_pillows() -> None:
    data = jpeg(picture(48, 40), quality=90, subsampling=2)
    decoded = 0
    for _ in range(1500):
        changed = bytearray(data)
        for place in RANDOM.integers(2, len(data), RANDOM.integers(1, 4)):
            changed[place] = RANDOM.integers(0, 256)
        damaged = bytes(changed)
        if read_plain_header(damaged) is None or (pixels := decode_plain(damaged)) is None:
            continue
        decoded += 1
        assert np.array_equal(pixels, by_pillow(damaged))
    assert decoded > 100
