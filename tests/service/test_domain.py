"""A fit with enough images keeps a check of their features, and the model that is served heeds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.service.app import Service
from tests.pictures import crop, dataset_zip, encode, photo
from tests.service.conftest import QUICK
from tests.service.working_here import run_here

NOISE = encode(np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8))
"""A picture of the right size that is like no photograph."""


def fit_pictures(service: Service, folder: Path, each: int) -> dict[str, Any]:
    """The card of a model fitted on so many pictures of each class, a third of them for validation."""
    path = folder / f"{each}.zip"
    path.write_bytes(dataset_zip(each))
    config = replace(QUICK, validation_fraction=0.3, name=f"{each} pictures")
    params = {"name": config.name, "source": {"kind": "zip", "path": str(path)}, "config": config.to_json()}
    return service.registry.get(str(run_here(service, "fit", params)["model_id"]))


def test_a_fit_keeps_a_check_and_predictions_heed_it(here: Service, tmp_path: Path) -> None:
    card = fit_pictures(here, tmp_path, 120)
    validation = card["metrics"]["validation"]
    assert card["domain"]["neighbours"] == card["fitted_on"]
    assert validation["outside_share"] <= 0.05
    assert validation["unsure_share"] >= validation["outside_share"]
    files = [("noise.png", NOISE), *((f"{n}.png", photo(n)) for n in range(10))]
    outside, *inside = here.predictor.predict(files, card["id"])["predictions"]
    assert "features" in outside["reason_codes"]
    assert (outside["in_domain"], outside["verdict"]) == (False, "unsure")
    assert [answer["in_domain"] for answer in inside].count(None) >= 8
    assert card["codec"]["jpeg_quality"] == [100, 100]  # they are PNGs
    files = [(f"{quality}.jpg", encode(crop(1), "JPEG", quality=quality)) for quality in (40, 90)]
    hard, mild = here.predictor.predict(files, card["id"])["predictions"]
    assert ("codec" in hard["reason_codes"], hard["in_domain"], hard["verdict"]) == (True, False, "unsure")
    assert "codec" not in mild["reason_codes"]


def test_few_images_give_a_model_without_a_check(here: Service, tmp_path: Path) -> None:
    card = fit_pictures(here, tmp_path, 40)
    assert card["domain"] is None
    assert card["metrics"]["test"]["outside_share"] == 0.0
    answer = here.predictor.predict([("noise.png", NOISE)], card["id"])["predictions"][0]
    assert "features" not in answer["reason_codes"]
