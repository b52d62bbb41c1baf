"""Heat-maps over pictures, of whatever size and mode the service sends."""

from __future__ import annotations

import base64

import pytest
from PIL import Image

from frontend.checking.heatmap import overlay, read_heatmap
from tests.pictures import encode


def as_text(image: Image.Image) -> str:
    return base64.b64encode(encode(image)).decode()


@pytest.mark.parametrize("mode", ["RGBA", "L"])
def test_a_heatmap_of_another_size_covers_the_picture_and_its_strength_counts(mode: str) -> None:
    picture = Image.new("RGB", (40, 30), "white")
    layer = read_heatmap(as_text(Image.new(mode, (7, 5), 255 if mode == "L" else (200, 0, 0, 255))))
    assert layer is not None
    assert overlay(picture, layer, 0.0).tobytes() == picture.tobytes()
    whole, half = overlay(picture, layer, 1.0), overlay(picture, layer, 0.5)
    assert whole.size == picture.size
    assert whole.getpixel((20, 15)) == layer.getpixel((3, 2))[:3]  # type: ignore[index]
    assert whole.tobytes() != half.tobytes() != picture.tobytes()


def test_where_a_grey_heatmap_is_dark_the_picture_stays() -> None:
    layer = read_heatmap(as_text(Image.new("L", (4, 4), 0)))
    assert layer is not None
    picture = Image.new("RGB", (8, 8), "teal")
    assert overlay(picture, layer, 1.0).tobytes() == picture.tobytes()


@pytest.mark.parametrize("text", [None, 3, "", "***", base64.b64encode(b"no picture").decode()])
def test_what_is_no_picture_is_no_heatmap(text: object) -> None:
    assert read_heatmap(text) is None
