"""Edits change one part of a photograph; what a detector makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.edited import FEWEST_IMAGES, measure_edited
from backend.core.edits import EDITS, FAKE, SHARE, Region, draw_region, edit
from backend.core.errors import ConfigError, InvalidInput

Pixels = NDArray[np.uint8]


def picture(seed: int, height: int = 40, width: int = 32) -> Pixels:
    """A photograph of sorts: a ramp of colour with grain."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 150, height)[:, None, None] + random.uniform(0, 80, (1, 1, 3))
    return np.clip(ramp + random.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def changed(before: Pixels, after: Pixels) -> NDArray[np.bool_]:
    return np.asarray((before != after).any(axis=2))


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_changes_a_part_and_is_the_same_each_time(kind: str) -> None:
    before, donor = picture(0), picture(1, 24, 50)
    after = edit(before, kind, np.random.default_rng(3), donor=donor)
    again = edit(before, kind, np.random.default_rng(3), donor=donor)
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert np.array_equal(after, again)
    assert 0.5 * SHARE[0] < changed(before, after).mean() < 1.5 * SHARE[1]
    assert not np.array_equal(after, edit(before, kind, np.random.default_rng(4), donor=donor))


@pytest.mark.parametrize("kind", EDITS)
def test_the_region_can_be_named(kind: str) -> None:
    before = picture(0)
    region = Region(row=12.0, column=20.0, half_height=6.0, half_width=5.0)
    after = edit(before, kind, np.random.default_rng(0), donor=picture(1), region=region)
    rows, columns = np.nonzero(changed(before, after))
    assert 4 <= rows.min() <= rows.max() <= 20
    assert 13 <= columns.min() <= columns.max() <= 27


@pytest.mark.parametrize("shape", [(12, 12), (12, 90), (200, 13)])
def test_small_and_narrow_pictures_can_be_edited(shape: tuple[int, int]) -> None:
    for seed, kind in enumerate(EDITS):
        before = picture(seed, *shape)
        assert changed(before, edit(before, kind, np.random.default_rng(seed), donor=picture(9, 300, 20))).any()
        region = draw_region(shape, np.random.default_rng(seed))
        assert 0 < region.row - region.half_height < region.row + region.half_height < shape[0]
        assert 0 < region.column - region.half_width < region.column + region.half_width < shape[1]


def test_a_pasted_part_takes_the_colours_of_its_place() -> None:
    dark, bright = picture(0) // 4, picture(1) // 2 + 120
    region = Region(20.0, 16.0, 8.0, 8.0)
    pasted = edit(dark, "splice", np.random.default_rng(0), donor=bright, region=region)
    assert abs(pasted[14:26, 10:22].mean() - dark[14:26, 10:22].mean()) < 12


def test_a_named_part_of_the_donor_is_what_is_pasted() -> None:
    donor = picture(1, 60, 60)
    donor[30:, 30:] = (250, 0, 0)
    region, source = Region(20.0, 16.0, 8.0, 8.0), Region(45.0, 45.0, 8.0, 8.0)
    pasted = edit(picture(0), "splice", np.random.default_rng(0), donor=donor, region=region, source=source)
    assert pasted[14:26, 10:22].std(axis=(0, 1)).max() < 2.0


def test_a_filling_leaves_nothing_of_what_was_there() -> None:
    before = picture(0, 80, 80)
    before[15:25, 11:21] = (255, 0, 255)
    region = Region(20.0, 16.0, 9.0, 9.0)
    for kind in ("smooth filling", "patch filling"):
        after = edit(before, kind, np.random.default_rng(0), region=region)
        assert (after[15:25, 11:21] == (255, 0, 255)).all(axis=2).mean() < 0.2, kind


def test_bad_requests_are_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="no edit 'collage'"):
        edit(picture(0), "collage", random)
    with pytest.raises(InvalidInput, match="another picture"):
        edit(picture(0), "splice", random)
    with pytest.raises(InvalidInput, match="11 x 40"):
        edit(picture(0, 40, 11), "retouch", random)


class Redness:
    """Whether an image has a red pixel."""

    reduce_above = None

    def extract(self, images: list[Pixels]) -> NDArray[np.float32]:
        return np.array([((i[..., 0] > 150) & (i[..., 1] < 60)).any() for i in images], np.float32)[:, None]


class SeesRed:
    """A detector that calls FAKE what is red anywhere, and so finds no edit."""

    threshold, extractor = 0.5, Redness()

    def scores(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        return X[:, 0].astype(np.float64)

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return scores


def measured(photographs: list[Pixels], **given: Any) -> dict[str, Any]:
    """The figures of that detector."""
    values = {"qualities": [None] * len(photographs), "fakes": [], "source": "test", "seed": 0} | given
    return measure_edited(SeesRed(), photographs, progress=lambda *_: None, **values)  # type: ignore[arg-type]


def test_a_detector_that_misses_edits_judges_whole_images_only() -> None:
    photographs = [picture(seed) for seed in range(FEWEST_IMAGES)]
    found = measured(photographs)
    assert (found["images"], found["source"], found["fpr"], found["reason"]) == (FEWEST_IMAGES, "test", 0.0, None)
    assert found["whole_images_only"] is True
    assert [row["kind"] for row in found["kinds"]] == [name for name, row in EDITS.items() if row.donor != FAKE]
    assert all(0.0 <= row["interval"][0] <= row["recall"] <= row["interval"][1] <= 1.0 for row in found["kinds"])
    assert "generated part" in [row["kind"] for row in measured(photographs, fakes=[picture(7)])["kinds"]]
    assert measured(photographs, qualities=[75] * FEWEST_IMAGES)["images"] == FEWEST_IMAGES


def test_false_alarms_are_not_found_edits() -> None:
    red = picture(0)
    red[:3, :3] = (255, 0, 0)  # a detector that always says FAKE finds every edit, and it is worth nothing
    found = measured([red] * FEWEST_IMAGES)
    assert found["fpr"] == 1.0
    assert found["whole_images_only"] is True


def test_too_few_or_too_small_photographs_say_nothing() -> None:
    found = measured([picture(0)] * (FEWEST_IMAGES - 1) + [picture(0, 8, 8)])
    assert (found["images"], found["kinds"], found["whole_images_only"]) == (0, [], True)
    assert "19 REAL images" in found["reason"]
