"""What foreign cards say of their limits: taken as a fit writes it, refused where a page could not show it."""

from __future__ import annotations

import copy
import io
import re
from typing import Any

import pytest

from backend.api.schemas.models import ModelCard
from backend.core.edited import not_measured
from backend.core.errors import InvalidInput
from backend.core.left_out import unknown
from backend.service.card_limits import check_limits
from backend.service.model_import import read_archive
from tests.service.exported import SHIPPED, archive

EDITED, LEFT_OUT = ((ModelCard.model_fields[name].examples or [])[0] for name in ("edited", "left_out_generators"))


def changed(known: Any, *keys: str | int, to: Any) -> Any:
    """A copy with another value below these keys."""
    document = copy.deepcopy(known)
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return document


def test_what_a_fit_writes_is_taken() -> None:
    check_limits({})
    check_limits({"edited": None, "left_out_generators": None})
    check_limits({"edited": not_measured("told not to"), "left_out_generators": unknown("one generator")})
    check_limits({"edited": EDITED, "left_out_generators": {**LEFT_OUT, "of a later version": 1}})
    check_limits({"left_out_generators": changed(LEFT_OUT, "generators", 0, "intervals", "auroc", to=None)})


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("edited", [], "edited"),
        ("edited", {}, "edited.images"),
        ("edited", changed(EDITED, "images", to=True), "edited.images"),
        ("edited", changed(EDITED, "images", to=10**400), "edited.images"),
        ("edited", changed(EDITED, "kinds", to={}), "edited.kinds"),
        ("edited", changed(EDITED, "kinds", 0, to="copy"), "edited.kinds[0]"),
        ("edited", changed(EDITED, "kinds", 0, "recall", to=1.5), "edited.kinds[0].recall"),
        ("edited", changed(EDITED, "kinds", 0, "recall", to="all"), "edited.kinds[0].recall"),
        ("edited", changed(EDITED, "kinds", 0, "interval", to=[0.9, 0.1]), "edited.kinds[0].interval"),
        ("edited", changed(EDITED, "fpr", to=None), "edited.fpr"),
        ("edited", changed(EDITED, "whole_images_only", to="no"), "edited.whole_images_only"),
        ("edited", {**not_measured(""), "reason": None}, "edited.reason"),
        ("left_out_generators", "none", "left_out_generators"),
        ("left_out_generators", {}, "left_out_generators.generators"),
        ("left_out_generators", changed(LEFT_OUT, "generators", 0, "n", to=-1), "left_out_generators.generators[0].n"),
        (
            "left_out_generators",
            changed(LEFT_OUT, "generators", 0, "intervals", "recall", to=[0.1]),
            "left_out_generators.generators[0].intervals.recall",
        ),
        ("left_out_generators", changed(LEFT_OUT, "worst", to=None), "left_out_generators.worst"),
        ("left_out_generators", {**unknown(""), "reason": 3}, "left_out_generators.reason"),
    ],
)
def test_what_no_page_could_show_is_refused_by_its_place(name: str, value: Any, place: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"no usable {place!r}")):
        check_limits({name: value})


@pytest.mark.skipif(not (SHIPPED / "card.json").exists(), reason="no detector came with the project")
def test_an_archive_is_read_by_these_rules() -> None:
    assert read_archive(io.BytesIO(archive(edited=EDITED)))[0]["edited"] == EDITED
    for content in (archive(edited={"kinds": []}), archive(left_out_generators=[]), archive(domain="")):
        with pytest.raises(InvalidInput, match="no usable"):
            read_archive(io.BytesIO(content))
