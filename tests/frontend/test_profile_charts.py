"""Charts of a profile, and the figures in their sentences: what a visitor reads is what the numbers say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.core.eda import RowInfo, profile_images
from backend.core.images import decode
from frontend.charts import FAKE, REAL
from frontend.charts.profile import draw_channel, draw_counts, draw_distribution, draw_qualities, draw_sizes
from frontend.charts.spectra import draw_picture, draw_radial, limits_of, subtract
from frontend.data.dataset_odd import group_sentence, reason_in_words
from frontend.data.profile_colour import channel_sentence
from frontend.data.profile_facts import (
    contrast_of,
    findings_of,
    grey_ratio,
    histograms_of,
    in_split_order,
    largest_gap,
    only_value,
    sizes_apart,
    values_apart,
)
from frontend.data.profile_files import size_sentence
from frontend.data.profile_measures import in_order, measure_sentence
from frontend.data.profile_spectrum import radial_sentence
from frontend.data.profile_summary import grey_sentence, remarks_on
from frontend.transport import Json
from tests.frontend.zips import picture


def profile_of(sizes: dict[str, list[int]]) -> Json:
    """The service's own profile of noise images with these sides, by class."""
    rows = [(label, side) for label, sides in sizes.items() for side in sides]
    images = [decode(picture(seed, side)) for seed, (_, side) in enumerate(rows)]
    split = ("train", "test")
    return profile_images(images, [RowInfo(n, label, split[n % 2], bytes=90) for n, (label, _) in enumerate(rows)])


@pytest.fixture(scope="module")
def profile() -> Json:
    """REAL of 16 pixels a side and FAKE of 24."""
    return profile_of({"REAL": [16] * 6, "FAKE": [24] * 6})


def unescaped(markdown: str) -> str:
    """A sentence as a visitor reads it."""
    return markdown.replace("\\", "")


def charts_of(profile: Json) -> dict[str, Any]:
    """Every chart of a profile."""
    pictures = [stats["picture"] for stats in profile["spectrum"]["by_class"].values()]
    return {
        "counts": draw_counts(profile["counts"]["by_split"]),
        "channel": draw_channel(profile["channels"]["by_class"], 0, "Red (level 0 to 255)"),
        "distribution": draw_distribution(profile["distributions"]["brightness"], "Mean brightness (0 to 1)"),
        "sizes": draw_sizes(profile["sizes"]["common"]),
        "qualities": draw_qualities({"75": {"REAL": 2}, "90": {"FAKE": 3}}, {"REAL": 2, "FAKE": 3}),
        "radial": draw_radial(profile["spectrum"]),
        "picture": draw_picture(pictures[0], limits_of(*pictures)),
        "difference": draw_picture(subtract(pictures[1], pictures[0]), (-1, 1), difference=True),
    }


def encodings(specification: Any) -> list[Json]:
    """All encodings anywhere in a chart."""
    if isinstance(specification, list):
        return [found for part in specification for found in encodings(part)]
    if not isinstance(specification, dict):
        return []
    own = [specification["encoding"]] if "encoding" in specification else []
    return own + [found for part in specification.values() for found in encodings(part)]


def test_every_chart_is_valid_and_its_axes_have_titles(profile: Json) -> None:
    for name, chart in charts_of(profile).items():
        specification = chart.to_dict()  # validated against Vega-Lite's schema
        found = encodings(specification)
        assert found, name
        for axis in ("x", "y"):
            titles = [encoding[axis]["title"] for encoding in found if axis in encoding]
            assert all(titles) or (name, axis) == ("counts", "y"), name  # there the bars bear their own names


def test_the_classes_differ_by_more_than_colour(profile: Json) -> None:
    for name in ("channel", "distribution", "qualities", "radial"):
        encoding = encodings(charts_of(profile)[name].to_dict())[0]
        assert encoding["color"]["scale"]["range"] == [REAL, FAKE], name
        first, second = encoding["strokeDash"]["scale"]["range"]
        assert first != second, name
    first, second = encodings(charts_of(profile)["sizes"].to_dict())[0]["shape"]["scale"]["range"]
    assert first != second
    groups = {row["group"] for row in charts_of(profile)["counts"].to_dict()["data"]["values"]}
    assert {"train · REAL", "test · FAKE"} <= groups


def test_no_chart_is_wider_than_a_phone(profile: Json) -> None:
    for chart in charts_of(profile).values():
        assert "width" not in chart.to_dict() or chart.to_dict()["width"] == "container"


def test_disjoint_sizes_are_named(profile: Json) -> None:
    assert sizes_apart(profile)
    assert "no size occurs in both" in unescaped(size_sentence(profile))
    assert any("Size alone tells" in remark for remark in map(unescaped, remarks_on(profile)))
    assert in_order(profile["distributions"])[0] in ("width", "height")
    assert "nearly tells the classes apart" in measure_sentence("width", profile["distributions"]["width"])


def test_common_sizes_are_not_blamed() -> None:
    shared = profile_of({"REAL": [16, 16, 24], "FAKE": [16, 24, 24]})
    assert not sizes_apart(shared)
    assert not any("Size alone" in unescaped(remark) for remark in remarks_on(shared))
    one = profile_of({"REAL": [16, 16], "FAKE": [16, 16]})
    assert "16 × 16 pixels: size tells nothing" in unescaped(size_sentence(one))
    assert only_value(one["distributions"]["width"]) == 16


def test_many_sizes_are_compared_by_their_ranges() -> None:
    many = profile_of({"REAL": list(range(30, 45)), "FAKE": list(range(12, 24))})
    assert many["sizes"]["distinct"] > len(many["sizes"]["common"])
    assert sizes_apart(many)
    assert not sizes_apart(profile_of({"REAL": list(range(20, 45)), "FAKE": list(range(12, 24))}))


def test_one_class_alone_is_said_and_nothing_is_compared() -> None:
    alone = profile_of({"FAKE": [16] * 4})
    assert "only one class" in unescaped(" ".join(remarks_on(alone)))
    assert contrast_of(alone["distributions"]["brightness"]) is None
    assert grey_ratio(alone) is None
    assert largest_gap(alone) is None
    assert radial_sentence(alone)
    assert channel_sentence(alone["channels"])
    assert draw_radial(alone["spectrum"]).to_dict()


@pytest.mark.parametrize(
    ("real", "fake", "sentence"),
    [
        (0.025, 0.15, "FAKE images are near-grey 6.0 times as often: REAL 2.5 %, FAKE 15.0 %."),
        (0.3, 0.1, "REAL images are near-grey 3.0 times as often: REAL 30.0 %, FAKE 10.0 %."),
        (0.0, 0.1, "Only FAKE has near-grey images: REAL 0.0 %, FAKE 10.0 %."),
        (0.1, 0.1, "Near-grey images are equally common: REAL 10.0 %, FAKE 10.0 %."),
        (0.0, 0.0, "There is no difference in near-grey images to report."),
    ],
)
def test_near_grey_images_are_compared_in_words(profile: Json, real: float, fake: float, sentence: str) -> None:
    grey = {"by_class": {"REAL": {"share": real}, "FAKE": {"share": fake}}}
    assert unescaped(grey_sentence(profile | {"near_grey": grey})) == sentence


def test_the_spectrum_sentence_names_the_frequency_and_the_factor(profile: Json) -> None:
    flat = [0.0] * 32
    bump = [1.0 if n == 15 else 0.0 for n in range(32)]
    spectrum = profile["spectrum"] | {"by_class": {"REAL": {"radial": flat}, "FAKE": {"radial": bump}}}
    found = profile | {"spectrum": spectrum}
    assert largest_gap(found) == (0.25, 10.0)
    assert "0.25 cycles per pixel: there FAKE has 10 times the power of REAL" in unescaped(radial_sentence(found))
    spectrum["by_class"]["FAKE"]["radial"] = flat
    assert "hardly differ" in radial_sentence(found)


def test_formats_that_never_meet_tell_the_classes_apart(profile: Json) -> None:
    assert values_apart({"PNG": {"REAL": 3}, "JPEG": {"FAKE": 3}})
    assert not values_apart({"PNG": {"REAL": 3}, "JPEG": {"FAKE": 3, "REAL": 1}})
    assert not values_apart({"PNG": {"REAL": 3}})
    mixed = profile | {"formats": {"PNG": {"REAL": 6}, "JPEG": {"FAKE": 6}}}
    assert any("file format alone" in unescaped(remark) for remark in remarks_on(mixed))


def distribution(real: list[int], fake: list[int]) -> Json:
    """A measure with these histograms."""
    quantiles = {"p50": 0.5, "min": 0.0, "max": 1.0}
    by_class = {"REAL": {"counts": real, "quantiles": quantiles}, "FAKE": {"counts": fake, "quantiles": quantiles}}
    return {"edges": np.linspace(0, 1, len(real) + 1).tolist(), "scale": "linear", "unit": "", "by_class": by_class}


def test_fifty_images_that_differ_by_chance_are_called_alike() -> None:
    random = np.random.default_rng(1)
    drawn = [np.histogram(random.normal(0.5, 0.12, 50), np.linspace(0, 1, 41))[0].tolist() for _ in range(2)]
    edges, shares = histograms_of(distribution(*drawn))
    assert len(edges) == 9
    assert sum(shares["REAL"]) == pytest.approx(1)
    assert "says little" in measure_sentence("brightness", distribution(*drawn))


def test_many_images_keep_their_fine_bins_and_small_differences_count() -> None:
    sentence = measure_sentence("brightness", distribution([9000] * 20 + [1000] * 20, [5000] * 40))
    assert "overlap by 60 %: the classes differ somewhat" in unescaped(sentence)


def test_duplicates_across_the_splits_and_wrong_labels_are_remarked(profile: Json) -> None:
    duplicates = profile["duplicates"] | {"crossing_train_test": 378, "conflicting_labels": 2}
    remarks = unescaped(" ".join(remarks_on(profile | {"duplicates": duplicates})))
    assert "in train as well, pixel for pixel: 378" in remarks
    assert "REAL and FAKE at once: 2" in remarks
    members = [{"label": "FAKE", "split": "train"}, {"label": "FAKE", "split": "test"}]
    assert "in train and in test" in group_sentence({"count": 2, "members": members})
    members[0]["label"] = "REAL"
    assert "labelled REAL and FAKE" in group_sentence({"count": 2, "members": members})


def test_the_services_reasons_are_said_shortly() -> None:
    reason = "large file: bytes 1.234e+06, median 925.4 (+5.0 robust standard deviations)"
    assert reason_in_words(reason) == "large file (1\u202f234\u202f000; usual 925)"
    assert reason_in_words("something new") == "something new"


def test_the_audits_findings_come_with_the_worst_first() -> None:
    findings = [{"severity": "info", "title": "c"}, {"severity": "warning", "title": "b"}]
    findings.append({"severity": "critical", "title": "a"})
    assert [found["title"] for found in findings_of({"audit": {"findings": findings}})] == ["a", "b", "c"]
    assert findings_of({}) == []


def test_splits_are_in_the_order_in_which_one_speaks_of_them() -> None:
    assert in_split_order(["", "test", "train", "validation"]) == ["train", "validation", "test", ""]
