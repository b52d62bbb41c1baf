"""Photographs that are edited in part: something pasted, copied, removed or retouched, as people fake pictures by hand.

A detector of generated images is asked about whole images; these tell what it makes of a part. Every edit changes one
ellipse of the picture, with a soft edge, and leaves the rest as it is. They are what an editor's tools do by one click,
not the work of a careful forger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.core.errors import ConfigError, InvalidInput

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

REAL, FAKE = "REAL", "FAKE"
"""What a donor is: another photograph, or an image of a generator."""

SHARE = (0.06, 0.25)
"""Of the picture's area that an edit changes, least and most."""

FEWEST_CHANGED = 12
"""Pixels a side of the smallest picture that can be edited: an ellipse of a few pixels is no edit."""

_ASPECT = (0.6, 1.6)  # of an ellipse: width by height
_EDGE = 0.15  # width of the soft edge, as a share of the ellipse's half axes
_FILLED = 48  # pixels: the most a side that the biharmonic equation is solved for
_SMOOTHED = 128  # pixels: the most a side that is smoothed, which leaves no finer detail anyway
_PLACES = 64  # of the same picture that are tried for a filling
_SPREAD = (0.5, 2.0)  # how far a pasted part's contrast is changed at most


@dataclass(frozen=True)
class Region:
    """An upright ellipse, in pixels; (0, 0) is the picture's upper left corner."""

    row: float
    column: float
    half_height: float
    half_width: float


@dataclass(frozen=True)
class Scene:
    """What an edit sees: the picture, the window around the ellipse, and which of the window's pixels change."""

    picture: Pixels
    top: int
    left: int
    window: Floats  # (h, w, 3)
    weight: Floats  # (h, w, 1) 0..1: how much of the new content a pixel gets
    donor: Floats | None  # (h, w, 3): what is pasted
    random: np.random.Generator


@dataclass(frozen=True)
class EditRow:
    """One kind of edit."""

    name: str
    apply: Callable[[Scene], Floats]  # (h, w, 3): the new content of the window
    donor: str | None  # REAL or FAKE: what the part is taken from; None: from the picture itself


def edit(
    pixels: Pixels,
    kind: str,
    random: np.random.Generator,
    *,
    donor: Pixels | None = None,
    region: Region | None = None,
    source: Region | None = None,
) -> Pixels:
    """The edited picture, uint8 [height, width, 3], of [height, width, 3]; the same for a `random` of the same state.

    region: what is changed, drawn at random where it is None. donor: the picture that a part is taken from, for the
    kinds that paste; source: which part of it, at random where it is None. Raises ConfigError for an unknown kind,
    InvalidInput without a donor where one is needed, or for a picture below FEWEST_CHANGED pixels a side.
    """
    row = EDITS.get(kind)
    if row is None:
        raise ConfigError(f"There is no edit {kind!r}.", f"Known: {', '.join(EDITS)}.")
    if min(pixels.shape[:2]) < FEWEST_CHANGED:
        raise InvalidInput(
            f"The picture has {pixels.shape[1]} x {pixels.shape[0]} pixels.",
            f"A part can be edited from {FEWEST_CHANGED} pixels a side on.",
        )
    place = draw_region(pixels.shape, random) if region is None else region
    rows, columns = _window(place, pixels.shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    part = None
    if row.donor is not None:
        if donor is None:
            raise InvalidInput(f"{kind} pastes a part of another picture.", f"Give a {row.donor} picture as donor.")
        part = _cut(donor, source, height, width, random)
    window = pixels[rows, columns].astype(np.float32)
    weight = _weigh(place, rows, columns)
    scene = Scene(pixels, rows.start, columns.start, window, weight, part, random)
    changed = window + weight * (row.apply(scene) - window)
    edited = pixels.copy()
    edited[rows, columns] = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return edited


def draw_region(shape: tuple[int, ...], random: np.random.Generator) -> Region:
    """An ellipse of SHARE of a picture of this shape, wholly inside."""
    height, width = shape[:2]
    aspect, area = random.uniform(*_ASPECT), random.uniform(*SHARE) * height * width
    half_height = min(np.sqrt(area / (np.pi * aspect)), 0.45 * height)
    half_width = min(area / (np.pi * half_height), 0.45 * width)
    row, column = random.uniform(half_height, height - half_height), random.uniform(half_width, width - half_width)
    return Region(float(row), float(column), float(half_height), float(half_width))


def _paste(scene: Scene) -> Floats:
    """The donor's part with mean and contrast of what it covers, channel by channel (Reinhard et al. 2001)."""
    assert scene.donor is not None
    mean, spread = scene.donor.mean((0, 1)), scene.donor.std((0, 1))
    factor = np.clip(scene.window.std((0, 1)) / np.maximum(spread, 1.0), *_SPREAD)
    return np.asarray((scene.donor - mean) * factor + scene.window.mean((0, 1)), dtype=np.float32)


def _copy(scene: Scene) -> Floats:
    """Another place of the same picture, mirrored every second time."""
    top, left = _places(scene, 1)[0]
    copied = _at(scene, top, left)
    return copied[:, ::-1] if scene.random.random() < 0.5 else copied


def _fill_smoothly(scene: Scene) -> Floats:
    """The window as its surroundings go on through the hole: the biharmonic equation (Damelin and Hoang 2018).

    Solved on the window reduced to _FILLED pixels a side, so that a large hole takes no longer than a small one.
    """
    from skimage.restoration import inpaint_biharmonic  # where it is used: its import takes a quarter of a second

    height, width = scene.window.shape[:2]
    size = _reduced(height, width, _FILLED)
    small, hole = _resize(scene.window, *size), _resize(scene.weight.repeat(3, axis=2), *size)[..., 0] > 0
    return _resize(inpaint_biharmonic(small, hole, channel_axis=-1).astype(np.float32), height, width)


def _fill_from_picture(scene: Scene) -> Floats:
    """Of _PLACES places of the picture the one that fits best around the hole (after Criminisi et al. 2004)."""
    step = max(1, max(scene.window.shape[:2]) // 32)
    kept = (1.0 - scene.weight)[::step, ::step]
    around = scene.window[::step, ::step]

    def misfit(place: tuple[int, int]) -> float:
        return float((kept * (_at(scene, *place)[::step, ::step] - around) ** 2).sum())

    return _at(scene, *min(_places(scene, _PLACES), key=misfit))


def _retouch(scene: Scene) -> Floats:
    """The window pushed aside around its centre and smoothed, as a beauty filter does (warp: Gustafson 1993)."""
    from scipy import ndimage  # here, for serving processes and workers import this module

    height, width = scene.window.shape[:2]
    tall, wide = _reduced(height, width, _SMOOTHED)
    small, weight = _resize(scene.window, tall, wide), _resize(scene.weight.repeat(3, axis=2), tall, wide)[..., 0]
    rows, columns = np.mgrid[:tall, :wide].astype(np.float32)
    angle = scene.random.uniform(0.0, 2.0 * np.pi)
    push = 0.12 * min(tall, wide) * weight**2
    places = np.stack([rows - push * np.sin(angle), columns - push * np.cos(angle)])
    blurred = ndimage.gaussian_filter(small, (0.04 * tall, 0.04 * wide, 0.0), mode="nearest")
    moved = [ndimage.map_coordinates(blurred[..., channel], places, order=1, mode="nearest") for channel in range(3)]
    return _resize(np.stack(moved, axis=-1), height, width)


def _window(region: Region, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns around the ellipse with its edge and a rim, inside the picture."""
    grow = 1.0 + 2.0 * _EDGE

    def span(middle: float, half: float, length: int) -> slice:
        return slice(max(0, int(middle - grow * half) - 1), min(length, int(middle + grow * half) + 2))

    return span(region.row, region.half_height, shape[0]), span(region.column, region.half_width, shape[1])


def _weigh(region: Region, rows: slice, columns: slice) -> Floats:
    """(h, w, 1): 1 inside the ellipse, falling to 0 over its edge."""
    down = (np.arange(rows.start, rows.stop) + 0.5 - region.row) / region.half_height
    across = (np.arange(columns.start, columns.stop) + 0.5 - region.column) / region.half_width
    distance = np.sqrt(down[:, None] ** 2 + across[None, :] ** 2)
    return np.clip((1.0 - distance) / _EDGE + 0.5, 0.0, 1.0).astype(np.float32)[..., None]


def _cut(donor: Pixels, source: Region | None, height: int, width: int, random: np.random.Generator) -> Floats:
    """The donor's part (height, width, 3): its `source` brought to that size, or a place drawn, enlarged if need be."""
    if source is not None:
        rows, columns = _window(source, donor.shape)
        return _resize(donor[rows, columns].astype(np.float32), height, width)
    factor = max(1.0, height / donor.shape[0], width / donor.shape[1])
    tall, wide = int(height / factor), int(width / factor)
    top, left = (int(random.integers(0, free + 1)) for free in (donor.shape[0] - tall, donor.shape[1] - wide))
    return _resize(donor[top : top + tall, left : left + wide].astype(np.float32), height, width)


def _places(scene: Scene, count: int) -> list[tuple[int, int]]:
    """Upper left corners of windows of the same size, half a window away from the region where there is room."""
    height, width = scene.window.shape[:2]
    free = np.array(scene.picture.shape[:2]) - (height, width) + 1
    drawn = scene.random.integers(0, free, (8 * count, 2))
    apart = np.abs((drawn - (scene.top, scene.left)) / (height, width)).max(axis=1)
    order = np.argsort(apart < 0.5, kind="stable") if (apart >= 0.5).any() else np.argsort(-apart, kind="stable")
    return [(int(top), int(left)) for top, left in drawn[order[:count]]]


def _at(scene: Scene, top: int, left: int) -> Floats:
    height, width = scene.window.shape[:2]
    return scene.picture[top : top + height, left : left + width].astype(np.float32)


def _reduced(height: int, width: int, most: int) -> tuple[int, int]:
    """The size with no side above `most` pixels, of the same shape."""
    factor = max(1.0, max(height, width) / most)
    return max(1, round(height / factor)), max(1, round(width / factor))


def _resize(values: Floats, height: int, width: int) -> Floats:
    """(height, width, 3), averaged where it gets smaller."""
    if values.shape[:2] == (height, width):
        return values
    channels = [
        Image.fromarray(values[..., channel]).resize((width, height), Image.Resampling.BICUBIC) for channel in range(3)
    ]
    return np.stack([np.asarray(channel, dtype=np.float32) for channel in channels], axis=-1)


EDITS: dict[str, EditRow] = {
    row.name: row
    for row in (
        EditRow("splice", _paste, REAL),
        EditRow("generated part", _paste, FAKE),
        EditRow("copy-move", _copy, None),
        EditRow("smooth filling", _fill_smoothly, None),
        EditRow("patch filling", _fill_from_picture, None),
        EditRow("retouch", _retouch, None),
    )
}
"""The kinds of edits by name."""
