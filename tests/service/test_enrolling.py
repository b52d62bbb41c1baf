"""Enrolling a generator: a job that makes a model which knows it, and says what was gained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.core.errors import ConfigError, NoImages, NotFound, TooFewImages
from backend.service.app import Service
from backend.service.enrolling import enrol_images_params, enrol_params
from backend.service.jobs import named_datasets
from tests.pictures import encode
from tests.service.test_evaluating import QUICK, draw, import_folder, write
from tests.service.working_here import run_here


@pytest.fixture(scope="module")
def known(here: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a data set of REAL images and one generator."""
    folder = tmp_path_factory.mktemp("known")
    write(folder / "REAL", "", 120, 0)
    write(folder / "FAKE" / "doubled", "doubled", 100, 1)
    return import_folder(here, "Known", folder)


@pytest.fixture(scope="module")
def model(here: Service, known: str) -> str:
    """Id of a model that knows that generator."""
    return str(run_here(here, "fit", {"dataset_id": known, "config": QUICK.to_json()})["model_id"])


def bring(service: Service, folder: Path, kind: str, count: int) -> str:
    write(folder / "FAKE", kind, count, count)
    return import_folder(service, f"{kind} {count}", folder)


def picture(kind: str) -> bytes:
    return encode(draw(kind, np.random.default_rng(77)))


def test_an_enrolment_makes_a_model_that_knows_the_generator(here: Service, model: str, tmp_path: Path) -> None:
    striped = bring(here, tmp_path / "striped", "striped", 24)
    params = enrol_params(here, model, striped, "stripes")
    assert striped in named_datasets(params)
    card = here.registry.get(run_here(here, "fit", params)["model_id"])
    before = here.registry.get(model)
    assert card["name"] == "Quick and stripes"
    assert card["head"]["kind"] == "multi"
    assert card["head"]["chosen"]["specialists"] == ["all", "stripes"]
    assert card["generators"] == ["doubled", "stripes"]
    assert before["generators"] == ["doubled"]
    assert card["enrolled"] == [{"dataset_id": striped, "generator": "stripes", "images": 24, "excluded": 0}]
    gain = card["enrolment"]
    assert (gain["into"], gain["generator"], gain["folds"]) == (model, "stripes", 5)
    assert gain["after"]["auroc"] > 0.9
    assert gain["after"]["auroc"] >= gain["before"]["auroc"]
    assert gain["test_accuracy_before"] == before["accuracy"]["test"]
    assert card["accuracy"]["test"] > gain["test_accuracy_before"] - 0.1
    with pytest.raises(ConfigError, match="already"):
        enrol_params(here, card["id"], striped, "stripes")
    with pytest.raises(NoImages, match="training set"):  # what was enrolled is no test of the model
        run_here(here, "evaluate", {"model_id": card["id"], "dataset_ids": [striped], "split": "test"})
    asked = {"stripes": picture("striped"), "doubles": picture("doubled"), "noise": picture("")}
    answers = here.predictor.predict(list(asked.items()), card["id"])["predictions"]
    assert [(answer["label"], answer["closest_generator"]) for answer in answers] == [
        ("FAKE", "stripes"),
        ("FAKE", None),  # what the head of all FAKE images says is nobody's in particular
        ("REAL", None),
    ]
    smooth = tmp_path / "smooth"
    write(smooth, "smooth", 20, 20)
    source = {"kind": "folder", "path": str(smooth), "unsorted": "FAKE"}
    params = enrol_images_params(here, card["id"], source, "blur")
    assert named_datasets(params) == {striped, card["dataset"]["id"]}
    again = here.registry.get(run_here(here, "fit", params)["model_id"])
    assert here.datasets.get(again["enrolled"][1]["dataset_id"]).name == params["name"]
    assert again["head"]["chosen"]["specialists"] == ["all", "blur", "stripes"]
    assert again["enrolment"]["generator"] == "blur"
    assert [one["generator"] for one in again["enrolled"]] == ["stripes", "blur"]


def test_images_that_the_model_has_already_are_left_out_and_counted(here: Service, model: str, tmp_path: Path) -> None:
    write(tmp_path / "mixed", "striped", 12, 12)
    write(tmp_path / "mixed" / "known", "doubled", 100, 1)  # the training, validation and test images of the model
    source = {"kind": "folder", "path": str(tmp_path / "mixed"), "unsorted": "FAKE"}
    card = here.registry.get(run_here(here, "fit", enrol_images_params(here, model, source, "mixed"))["model_id"])
    assert (card["enrolled"][0]["images"], card["enrolled"][0]["excluded"]) == (12, 100)
    write(tmp_path / "again", "doubled", 100, 1)
    source["path"] = str(tmp_path / "again")
    with pytest.raises(TooFewImages, match="0 FAKE images of again, 100 more stand"):
        run_here(here, "fit", enrol_images_params(here, model, source, "again"))


def test_what_cannot_be_enrolled_is_said(here: Service, known: str, model: str, tmp_path: Path) -> None:
    few = bring(here, tmp_path / "few", "smooth", 3)
    with pytest.raises(TooFewImages, match="3 FAKE images"):
        enrol_params(here, model, few, "few")
    with pytest.raises(ConfigError, match="no name"):
        enrol_params(here, model, few, " ")
    with pytest.raises(ConfigError, match="own training set"):
        enrol_params(here, model, known, "another")
    with pytest.raises(ConfigError, match="no name"):
        enrol_images_params(here, model, {"kind": "folder", "path": str(tmp_path)}, "")
    with pytest.raises(NotFound):
        enrol_params(here, "nobody", few, "few")
