"""Enrolling a generator: a job that makes a model which knows it, and says what was gained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.errors import ConfigError, NotFound, TooFewImages
from backend.service.app import Service
from backend.service.enrolling import enrol_params
from backend.service.jobs import named_datasets
from tests.service.test_evaluating import QUICK, import_folder, write
from tests.service.working_here import open_here, run_here


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = open_here(tmp_path_factory.mktemp("here"))
    yield service
    service.close()


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
    assert card["enrolled"] == [{"dataset_id": striped, "generator": "stripes", "images": 24}]
    gain = card["enrolment"]
    assert (gain["into"], gain["generator"], gain["folds"]) == (model, "stripes", 5)
    assert gain["after"]["auroc"] > 0.9
    assert gain["after"]["auroc"] >= gain["before"]["auroc"]
    assert gain["test_accuracy_before"] == before["accuracy"]["test"]
    assert card["accuracy"]["test"] > gain["test_accuracy_before"] - 0.1
    with pytest.raises(ConfigError, match="already"):
        enrol_params(here, card["id"], striped, "stripes")
    smooth = bring(here, tmp_path / "smooth", "smooth", 20)
    again = here.registry.get(run_here(here, "fit", enrol_params(here, card["id"], smooth, "blur"))["model_id"])
    assert again["head"]["chosen"]["specialists"] == ["all", "blur", "stripes"]
    assert again["enrolment"]["generator"] == "blur"
    assert [one["generator"] for one in again["enrolled"]] == ["stripes", "blur"]


def test_what_cannot_be_enrolled_is_said(here: Service, known: str, model: str, tmp_path: Path) -> None:
    few = bring(here, tmp_path / "few", "smooth", 3)
    with pytest.raises(TooFewImages, match="3 FAKE images"):
        enrol_params(here, model, few, "few")
    with pytest.raises(ConfigError, match="no name"):
        enrol_params(here, model, few, " ")
    with pytest.raises(ConfigError, match="own training set"):
        enrol_params(here, model, known, "another")
    with pytest.raises(NotFound):
        enrol_params(here, "nobody", few, "few")
