"""Every kind of file that reaches `decode`: what it must read, and what it must refuse and how."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.core.errors import BrokenImage, ImageError, NotAnImage, TooManyPixels, TooSmall
from backend.core.images import FORMATS, MAX_PIXELS, block_of, decode, pixel_digest

LOSSY = {"JPEG": 12, "WEBP": 12, "AVIF": 14, "HEIF": 14, "GIF": 60}


def smooth(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Three slow ramps: lossy codecs keep them, and each corner has its own colour."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 / width, y * 255 / height, 128 + 60 * np.sin(x / 20)], axis=2).astype(np.uint8)


def encode(image: Image.Image | NDArray[Any], format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def black_png(side: int) -> bytes:
    """A one-bit PNG, written row by row so that the test never holds its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes((side + 7) // 8 + 1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", FORMATS)
def test_every_allowed_format_gives_its_pixels(format: str) -> None:
    image = decode(encode(smooth(), format))
    assert (image.format, image.width, image.height, image.frames) == (format, 64, 48, 1)
    assert image.pixels.shape == (48, 64, 3)
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels.astype(int) - smooth()).max() <= LOSSY.get(format, 0)
    assert (image.jpeg_quality is not None) == (format == "JPEG")


def test_avif_and_heic_are_read_on_this_installation() -> None:
    assert {"AVIF", "HEIF"} <= set(FORMATS)


@pytest.mark.parametrize("format", ["EPS", "PPM", "ICO", "TGA", "PCX", "JPEG2000", "DDS", "PDF"])
def test_formats_outside_the_list_are_refused_though_pillow_reads_them(format: str) -> None:
    with pytest.raises(NotAnImage) as caught:
        decode(encode(smooth(), format))
    assert "JPEG" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"just some text, no image at all",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"></svg>',
        b"8BPS\x00\x01" + bytes(6) + struct.pack(">HIIHH", 3, 16, 16, 8, 3) + bytes(1000),
        b"PK\x03\x04" + bytes(100),
        b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(100),
    ],
    ids=["empty", "one byte", "text", "svg", "psd", "zip", "wav"],
)
def test_other_files_are_no_images(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(data)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_truncated_files_are_refused(format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = encode(noise, format)
    with pytest.raises(ImageError) as caught:
        decode(data[: int(len(data) * share)])
    assert isinstance(caught.value, BrokenImage | NotAnImage)
    if format not in ("BMP", "AVIF", "HEIF"):  # their headers, cut short, could be anything
        assert isinstance(caught.value, BrokenImage)


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_are_read_or_refused_and_nothing_else(format: str) -> None:
    random = np.random.default_rng(5)
    data = encode(random.integers(0, 256, (24, 40, 3), dtype=np.uint8), format)
    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for place in random.integers(0, min(len(data), 300), size=random.integers(1, 6)):
            damaged[place] = random.integers(0, 256)
        try:
            assert decode(bytes(damaged), max_pixels=4_000_000).pixels.ndim == 3
        except ImageError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF", "HEIF"])
def test_of_several_frames_the_first_is_used(format: str) -> None:
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {}
    others = [Image.fromarray(255 - smooth()), Image.fromarray(smooth() // 2)]
    data = encode(smooth(), format, save_all=True, append_images=others, **options)
    image = decode(data)
    assert image.frames == 3
    assert np.abs(image.pixels.astype(int) - smooth()).max() <= LOSSY.get(format, 0)


def test_a_phone_jpeg_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    options = {"save_all": True, "append_images": [Image.fromarray(255 - smooth())], "quality": 80}
    image = decode(encode(smooth(), "MPO", **options))
    assert (image.format, image.frames, image.jpeg_quality) == ("JPEG", 1, 80)
    assert np.abs(image.pixels.astype(int) - smooth()).max() <= LOSSY["JPEG"]


def test_cmyk_jpeg_becomes_rgb() -> None:
    image = decode(encode(Image.fromarray(smooth()).convert("CMYK"), "JPEG", quality=95))
    assert image.mode == "CMYK"
    assert np.abs(image.pixels.astype(int) - smooth()).max() <= 16


def test_grey_becomes_three_equal_channels() -> None:
    image = decode(encode(Image.fromarray(smooth()).convert("L"), "JPEG"))
    assert image.mode == "L"
    assert (image.pixels == image.pixels[..., :1]).all()


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_cut_off(format: str) -> None:
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    image = decode(encode(ramp, format))
    assert image.mode.startswith("I;16")
    np.testing.assert_array_equal(image.pixels[..., 0], np.rint(ramp / 257.0).astype(np.uint8))


def test_32_bit_integer_tiff_counts_as_16_bit() -> None:
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.int32).reshape(32, 32)
    np.testing.assert_array_equal(decode(encode(ramp, "TIFF")).pixels[..., 1], np.rint(ramp / 257.0))


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_float_tiff_counts_as_0_to_1_or_as_0_to_255(top: float) -> None:
    ramp = np.linspace(0, top, 32 * 32).astype(np.float32).reshape(32, 32)
    pixels = decode(encode(ramp, "TIFF")).pixels
    assert np.abs(pixels[..., 2] - ramp * (255.0 / top)).max() <= 0.51


def test_float_tiff_with_nan_and_infinity_is_read() -> None:
    values = np.full((16, 16), 0.5, dtype=np.float32)
    values[0, 0], values[0, 1] = np.nan, -np.inf
    pixels = decode(encode(values, "TIFF")).pixels
    assert pixels[0, 0, 0] == 0
    assert pixels[8, 8, 0] == 128


def test_alpha_is_laid_on_white() -> None:
    rgba = np.zeros((16, 16, 4), dtype=np.uint8)
    rgba[..., 0] = 200
    rgba[:8, :, 3] = 255
    rgba[8:, :, 3] = 0
    rgba[15, :, 3] = 128
    pixels = decode(encode(rgba, "PNG")).pixels
    assert pixels[0, 0].tolist() == [200, 0, 0]
    assert pixels[10, 0].tolist() == [255, 255, 255]
    assert pixels[15, 0].tolist() == pytest.approx([227, 127, 127], abs=1)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_transparent_palette_entries_are_laid_on_white(format: str) -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (8, 0, 16, 16))
    pixels = decode(encode(image, format, transparency=0)).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 12].tolist() == [0, 255, 0]


def test_a_transparent_colour_of_an_rgb_png_is_laid_on_white() -> None:
    image = Image.new("RGB", (16, 16), (1, 2, 3))
    image.paste((9, 9, 9), (8, 0, 16, 16))
    pixels = decode(encode(image, "PNG", transparency=(1, 2, 3))).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 12].tolist() == [9, 9, 9]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    steps = [
        lambda a: a,
        lambda a: a[:, ::-1],
        lambda a: a[::-1, ::-1],
        lambda a: a[::-1],
        lambda a: a.swapaxes(0, 1),
        lambda a: np.rot90(a, 3),
        lambda a: np.rot90(a, 2).swapaxes(0, 1),
        lambda a: np.rot90(a, 1),
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encode(smooth(), "PNG", exif=exif))
    expected = steps[orientation - 1](smooth())
    assert (image.height, image.width) == expected.shape[:2]
    np.testing.assert_array_equal(image.pixels, expected)


@pytest.mark.parametrize("exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"])
def test_unreadable_exif_does_not_cost_the_image(exif: bytes) -> None:
    assert decode(encode(smooth(), "JPEG", exif=exif)).width == 64


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_images_below_eight_pixels_a_side_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooSmall):
        decode(encode(Image.new("RGB", size), "PNG"))
    assert decode(encode(Image.new("RGB", (8, 8)), "PNG")).width == 8


def test_the_pixel_limit_is_the_callers() -> None:
    data = encode(smooth(), "PNG")
    assert decode(data, max_pixels=64 * 48).width == 64
    with pytest.raises(TooManyPixels, match="64 x 48 = 3072"):
        decode(data, max_pixels=64 * 48 - 1)


def test_a_webp_that_claims_268_million_pixels_is_refused() -> None:
    data = bytearray(encode(smooth(), "WEBP", save_all=True, append_images=[Image.fromarray(255 - smooth())]))
    assert data[12:16] == b"VP8X"
    data[24:30] = (16382).to_bytes(3, "little") * 2  # the canvas, less one
    with pytest.raises(TooManyPixels):
        decode(bytes(data))


MEASURE = """
import resource, sys
from backend.core.errors import TooManyPixels
from backend.core.images import decode
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(data)
except TooManyPixels:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kibibytes on Linux only")
@pytest.mark.parametrize("side", [13_370, 13_400], ids=["179 million, below Pillow's own limit", "above it"])
def test_a_small_file_of_very_many_pixels_is_refused_without_decoding(side: int) -> None:
    data = black_png(side)
    assert len(data) < 25_000
    assert side * side > MAX_PIXELS
    run = subprocess.run([sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True)
    assert int(run.stdout) < 20 * 1024  # kibibytes; decoding takes 870 MB


@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_quality_is_what_the_file_was_saved_with(subsampling: int) -> None:
    for quality in range(1, 101):
        data = encode(smooth(), "JPEG", quality=quality, subsampling=subsampling)
        assert decode(data).jpeg_quality == quality


def test_foreign_jpeg_tables_get_the_nearest_quality() -> None:
    data = encode(smooth(), "JPEG", qtables=[[30] * 64, [30] * 64])
    assert decode(data).jpeg_quality == pytest.approx(74, abs=2)
    assert decode(encode(smooth(), "JPEG", qtables=[[255] * 64, [255] * 64])).jpeg_quality == 1


def test_pixel_digest_sees_pixels_and_shape_only() -> None:
    pixels = smooth()
    assert pixel_digest(decode(encode(pixels, "PNG")).pixels) == pixel_digest(decode(encode(pixels, "BMP")).pixels)
    changed = pixels.copy()
    changed[0, 0, 0] ^= 1
    assert pixel_digest(changed) != pixel_digest(pixels)
    assert pixel_digest(pixels.reshape(64, 48, 3)) != pixel_digest(pixels)
    assert pixel_digest(np.asfortranarray(pixels)) == pixel_digest(pixels)


def test_reduced_pixels_are_those_of_the_full_image_averaged_over_blocks():
    pixels = np.random.default_rng(0).integers(0, 256, (150, 409, 3), dtype=np.uint8)
    data = encode(pixels, "PNG")
    image = decode(data, reduce_above=100)
    assert (image.width, image.height) == (409, 150)
    assert block_of(409, 150, 100) == (8, 2)
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.fromarray(pixels).reduce((8, 2))))
    np.testing.assert_array_equal(decode(data, reduce_above=410).pixels, pixels)
    # Half of 409 pixels, 205, would be averaged once more by an extractor whose limit is 205: left in full for it.
    np.testing.assert_array_equal(decode(data, reduce_above=205).pixels, pixels)
    assert decode(data, reduce_above=206).pixels.shape == (150, 205, 3)
