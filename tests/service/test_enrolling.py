"""Enrolling a generator: a job that makes a model which knows it, and says what was gained."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.core.errors import ConfigError, NotFound, TooFewImages
from backend.service.app import Service
from backend.service.enrolling import enrol_params
from backend.service.jobs import named_datasets
from tests.service.conftest import finished


def brought(service: Service, folder: Path, name: str, count: int) -> str:
    """Id of a data set of images with a pattern of four pixels, as no other generator leaves it."""
    random = np.random.default_rng(count)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            smooth = Image.fromarray(random.integers(60, 200, (6, 6, 3), dtype=np.uint8)).resize((64, 64))
            pixels = np.asarray(smooth).astype(np.int16)
            pixels[::4] += 12
            content = io.BytesIO()
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(content, "PNG")
            archive.writestr(f"FAKE/{name}/{number}.png", content.getvalue())
    job = service.jobs.submit("import", {"name": name, "source": {"kind": "zip", "path": str(path)}})
    return str(finished(service, job.id)["dataset_id"])


def test_an_enrolment_makes_a_model_that_knows_the_generator(service: Service, model: str, tmp_path: Path) -> None:
    stripes = brought(service, tmp_path, "stripes", 24)
    params = enrol_params(service, model, stripes, "stripes")
    assert stripes in named_datasets(params)
    card = service.registry.get(str(finished(service, service.jobs.submit("fit", params).id)["model_id"]))
    assert card["head"]["kind"] == "multi"
    assert "stripes" in card["head"]["chosen"]["specialists"]
    assert "stripes" in card["generators"]
    assert card["enrolled"] == [{"dataset_id": stripes, "generator": "stripes", "images": 24}]
    gain = card["enrolment"]
    assert gain["into"] == model
    assert gain["after"]["auroc"] > max(0.9, gain["before"]["auroc"] - 0.05)
    assert gain["test_accuracy_before"] == service.registry.get(model)["accuracy"]["test"]
    assert card["accuracy"]["test"] > gain["test_accuracy_before"] - 0.1
    with pytest.raises(ConfigError, match="already"):
        enrol_params(service, card["id"], stripes, "stripes")
    assert len(enrol_params(service, card["id"], stripes, "others")["enrol"]) == 2


def test_what_cannot_be_enrolled_is_said(service: Service, demo: str, model: str, tmp_path: Path) -> None:
    few = brought(service, tmp_path, "few", 3)
    with pytest.raises(TooFewImages, match="3 FAKE images"):
        enrol_params(service, model, few, "few")
    with pytest.raises(ConfigError, match="no name"):
        enrol_params(service, model, few, " ")
    with pytest.raises(ConfigError, match="own training set"):
        enrol_params(service, model, demo, "another")
    with pytest.raises(NotFound):
        enrol_params(service, "nobody", few, "few")
