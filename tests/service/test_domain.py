"""A fit with enough images keeps a check of their features, and the model that is served heeds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from backend.service.app import Service
from tests.pictures import dataset_zip, encode, photo
from tests.service.conftest import QUICK, finished


def grey() -> bytes:
    """A picture of the right size with nothing in it."""
    return encode(np.full((48, 48, 3), 128, np.uint8))


def test_a_fit_keeps_a_check_and_predictions_heed_it(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    path.write_bytes(dataset_zip(120))
    config = replace(QUICK, validation_fraction=0.3, name="Checked")
    source = {"kind": "zip", "path": str(path)}
    job = service.jobs.submit("fit", {"name": "Pictures", "source": source, "config": config.to_json()})
    card = service.registry.get(str(finished(service, job.id)["model_id"]))
    validation = card["metrics"]["validation"]
    assert card["domain"]["neighbours"] == card["fitted_on"]
    assert validation["outside_share"] <= 0.05
    assert validation["unsure_share"] >= validation["outside_share"]
    files = [("grey.png", grey()), *((f"{n}.png", photo(n)) for n in range(10))]
    outside, *inside = service.predictor.predict(files, card["id"])["predictions"]
    assert "features" in outside["reason_codes"]
    assert (outside["in_domain"], outside["verdict"]) == (False, "unsure")
    assert [answer["in_domain"] for answer in inside].count(None) >= 8


def test_few_photographs_give_a_model_without_a_check(service: Service, model: str) -> None:
    card = service.registry.get(model)
    assert card["domain"] is None
    assert card["metrics"]["test"]["outside_share"] == 0.0
    answer = service.predictor.predict([("grey.png", grey())], model)["predictions"][0]
    assert "features" not in answer["reason_codes"]
