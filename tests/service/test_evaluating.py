"""Evaluations by generator, without training images, on the card; the matrix; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.core.config import FitConfig
from backend.core.errors import Conflict, InvalidInput, NoImages, NotFound, OneClass
from backend.core.heads import HeadConfig
from backend.service.app import Service
from backend.service.evaluating import EvaluateTask, find_training_set, training_pixels
from backend.service.evaluation_workflows import check_matrix, resolve_datasets
from backend.service.robustness import SampleTask, draw_sample
from tests.service.working_here import open_here, run_here

QUICK = FitConfig(extractor={"name": "spectrum"}, head=HeadConfig("logreg", C=0.1), name="Quick")
KNOWN = {"doubled": 60, "striped": 60}
STRANGE = {"smooth": 40, "rare": 3}


def draw(kind: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """32 x 32 pixels of noise; of a generator's kind, with its trace."""
    noise = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    if kind == "doubled":
        return np.repeat(np.repeat(noise[:16, :16], 2, 0), 2, 1)
    if kind == "striped":
        noise[::2] = noise[::2] // 4
    if kind == "smooth":
        noise = (noise // 2 + np.roll(noise, 1, axis=1) // 2).astype(np.uint8)
    return noise


def write(folder: Path, kind: str, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        Image.fromarray(draw(kind, random)).save(folder / f"{number}.png")


def import_folder(service: Service, name: str, folder: Path) -> str:
    params = {"name": name, "source": {"kind": "folder", "path": str(folder)}}
    return str(run_here(service, "import", params)["dataset_id"])


@pytest.fixture(scope="module")
def known(here: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a data set of REAL images and two generators."""
    folder = tmp_path_factory.mktemp("known")
    write(folder / "REAL", "", 120, 0)
    for seed, (name, count) in enumerate(KNOWN.items(), 1):
        write(folder / "FAKE" / name, name, count, seed)
    return import_folder(here, "Known", folder)


@pytest.fixture(scope="module")
def strange(here: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a data set of two other generators, one with three images, and no REAL."""
    folder = tmp_path_factory.mktemp("strange")
    for seed, (name, count) in enumerate(STRANGE.items(), 10):
        write(folder / "FAKE" / name, name, count, seed)
    return import_folder(here, "Strange", folder)


@pytest.fixture(scope="module")
def model(here: Service, known: str) -> str:
    """Id of a model fitted on the first of them."""
    return str(run_here(here, "fit", {"dataset_id": known, "config": QUICK.to_json()})["model_id"])


@pytest.fixture(scope="module")
def evaluation(here: Service, model: str, known: str, strange: str) -> dict[str, Any]:
    params = {"model_id": model, "dataset_ids": [known, "Strange"], "split": "test"}
    result = run_here(here, "evaluate", params)
    assert result["model_id"] == model
    return here.evaluations.get(str(result["evaluation_id"]))


def test_known_and_unknown_generators_are_measured(here: Service, model: str, evaluation: dict[str, Any]) -> None:
    rows = {row["generator"]: row for row in evaluation["generators"]}
    assert {name: row["seen"] for name, row in rows.items()} == dict.fromkeys(KNOWN, True) | dict.fromkeys(
        STRANGE, False
    )
    assert (rows["smooth"]["n"], rows["rare"]["n"]) == (40, 3)
    assert [note["code"] for note in rows["rare"]["notes"]] == ["few_images"]
    assert evaluation["threshold"] == here.registry.get(model)["threshold"]
    assert evaluation["conclusion"]["tests"] == 2
    assert [item["name"] for item in evaluation["datasets"]] == ["Known", "Strange"]


def test_training_images_are_left_out_and_the_rest_is_the_fits_own_test(
    here: Service, model: str, known: str, evaluation: dict[str, Any]
) -> None:
    test = here.registry.get(model)["metrics"]["test"]
    assert evaluation["n"]["REAL"] == test["counts"]["REAL"]
    assert evaluation["fpr"] == pytest.approx(test["fpr"])
    seen = [row for row in evaluation["generators"] if row["seen"]]
    assert sum(row["n"] for row in seen) == test["counts"]["FAKE"]
    assert sum(row["recall"] * row["n"] for row in seen) == pytest.approx(test["recall"] * test["counts"]["FAKE"])
    unsure = evaluation["unsure_share"] * evaluation["n"]["REAL"] + sum(row["unsure_share"] * row["n"] for row in seen)
    assert unsure == pytest.approx(test["unsure_share"] * test["n"])
    assert all(row["recall"] + row["answered_real"] < 1 + 1e-9 for row in seen)
    assert all(row["recall"] + row["answered_real"] + row["unsure_share"] > 1 - 1e-9 for row in seen)
    assert evaluation["excluded"]["in_training"] == here.datasets.get(known).images - test["n"]
    assert "training_unknown" not in [note["code"] for note in evaluation["notes"]]


def test_the_card_has_the_generators_never_seen_as_the_newest_evaluation_found_them(
    here: Service, model: str, strange: str, evaluation: dict[str, Any]
) -> None:
    digest = here.registry.get(model)["digest"]
    held_out = here.registry.get(model)["held_out_generators"]
    assert [row["generator"] for row in held_out["generators"]] == ["rare", "smooth"]
    assert held_out["generators"][0]["evaluation_id"] == evaluation["id"]
    unseen = {row["generator"]: row["answered_real"] for row in evaluation["generators"]}
    assert [row["answered_real"] for row in held_out["generators"]] == [unseen["rare"], unseen["smooth"]]
    params = {"model_id": model, "dataset_ids": [strange], "split": "all"}
    second = str(run_here(here, "evaluate", params)["evaluation_id"])
    assert [note["code"] for note in here.evaluations.get(second)["notes"]] == ["no_real"]
    assert here.registry.get(model)["held_out_generators"]["auroc"] is None
    listed, total = here.evaluations.list(model_id=model, kind="evaluate", limit=1)
    assert (total, [item["id"] for item in listed]) == (2, [second])
    assert "generators" not in listed[0]
    here.evaluations.delete(second)
    assert here.registry.get(model)["held_out_generators"] == held_out
    assert here.registry.get(model)["digest"] == digest
    with pytest.raises(NotFound):
        here.evaluations.get(second)


def test_figures_that_came_with_a_model_stay_until_they_are_measured_here(
    here: Service, model: str, evaluation: dict[str, Any], strange: str
) -> None:
    held_out = here.registry.get(model)["held_out_generators"]
    brought = {**held_out["generators"][0], "recall": 0.5, "evaluation_id": None}
    shipped = {**held_out, "generators": [{**brought, "generator": name} for name in ("elsewhere", "smooth")]}
    here.registry.change(model, lambda: {"held_out_generators": shipped})
    second = run_here(here, "evaluate", {"model_id": model, "dataset_ids": [strange], "split": "all"})["evaluation_id"]
    rows = {row["generator"]: row for row in here.registry.get(model)["held_out_generators"]["generators"]}
    assert (rows["elsewhere"]["recall"], rows["elsewhere"]["evaluation_id"]) == (0.5, None)
    assert rows["smooth"]["evaluation_id"] == second
    here.evaluations.delete(second)
    here.registry.change(model, lambda: {"held_out_generators": held_out})


def test_training_images_under_another_name_leave_nothing(
    here: Service, model: str, known: str, tmp_path: Path
) -> None:
    (tmp_path / "REAL").mkdir()
    learnt, _ = here.registry.predictions(model, split="train", limit=1000)
    for item in [item for item in learnt if item["label"] == "REAL"][:12]:
        (tmp_path / "REAL" / f"{item['row']}.png").write_bytes(here.datasets.image(known, item["row"])[0])
    copied = import_folder(here, "Copied", tmp_path)
    with pytest.raises(NoImages, match="training set"):
        run_here(here, "evaluate", {"model_id": model, "dataset_ids": [copied], "split": "test"})


def test_the_training_set_is_known_without_its_generators_name(here: Service, tmp_path: Path) -> None:
    write(tmp_path / "REAL", "", 60, 20)
    write(tmp_path / "FAKE", "smooth", 60, 21)
    as_cifake = {"name": "Named", "source": {"kind": "cifake", "path": str(tmp_path)}}
    named = str(run_here(here, "import", as_cifake)["dataset_id"])
    unnamed = import_folder(here, "Unnamed", tmp_path)
    config = {**QUICK.to_json(), "name": "Third"}
    card = here.registry.get(str(run_here(here, "fit", {"dataset_id": named, "config": config})["model_id"]))
    infos = [here.datasets.get(named), here.datasets.get(unnamed)]
    assert find_training_set(infos, card) == infos[0]
    assert find_training_set(infos[1:], card) == infos[1]
    task = EvaluateTask(
        datasets=here.datasets.root,
        sources=(),
        features=here.features.root,
        backbones=here.settings.backbones_dir,
        folder=here.registry.folder(card["id"]),
        card=card,
        trained_on=infos[0],
        split="test",
    )
    learnt = training_pixels(task)
    assert learnt is not None
    assert len(learnt) == sum(card["metrics"][split]["n"] for split in ("train", "validation"))
    for trained_on, changes, known in (
        (infos[0], {}, True),
        (infos[1], {}, True),
        (infos[1], {"generators": ["other"]}, False),
        (infos[1], {"generators": ["a", "b"]}, False),
    ):
        other = replace(task, trained_on=trained_on, card={**card, **changes})
        assert (training_pixels(other) is not None) == known
    battery = SampleTask(here.datasets.root, infos[1], task.folder, card, images=1000, seed=0, trained_on=infos[0])
    drawn = draw_sample(battery)  # the same images under another id, of no split
    assert (drawn.split, drawn.excluded, len(drawn.rows)) == ("all", len(learnt), card["metrics"]["test"]["n"])
    unknown = draw_sample(replace(battery, trained_on=None))
    assert (unknown.excluded, len(unknown.rows)) == (None, 120)
    here.registry.delete(card["id"])


def test_where_the_training_set_is_gone_it_says_so(here: Service, model: str, strange: str, tmp_path: Path) -> None:
    other = open_here(tmp_path)
    try:
        write(tmp_path / "images" / "FAKE" / "smooth", "smooth", 12, 3)
        dataset = import_folder(other, "Elsewhere", tmp_path / "images")
        for name in ("card.json", "head.safetensors", "predictions.parquet"):
            target = other.registry.root / model / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((here.registry.root / model / name).read_bytes())
        other.registry.sync()
        result = run_here(other, "evaluate", {"model_id": model, "dataset_ids": [dataset], "split": "test"})
        found = other.evaluations.get(result["evaluation_id"])
        assert [note["code"] for note in found["notes"]] == ["no_real", "training_unknown"]
        assert found["generators"][0]["n"] == 12
    finally:
        other.close()


def test_a_deleted_model_takes_its_evaluations_along(here: Service, known: str, model: str) -> None:
    config = {**QUICK.to_json(), "name": "Second"}
    second = str(run_here(here, "fit", {"dataset_id": known, "config": config})["model_id"])
    evaluated = run_here(here, "evaluate", {"model_id": second, "dataset_ids": [known], "split": "test"})
    here.registry.set_active(model)
    here.registry.delete(second)
    with pytest.raises(NotFound):
        here.evaluations.get(evaluated["evaluation_id"])


def test_a_matrix_of_all_generators(here: Service, known: str, strange: str) -> None:
    params = {"dataset_ids": [known, strange], "generators": None, "config": QUICK.to_json()}
    found = here.evaluations.get(run_here(here, "matrix", params)["evaluation_id"])
    names = ["doubled", "rare", "smooth", "striped"]
    assert found["generators"] == names
    assert found["model_id"] is None
    alone = [row for row in found["rows"] if row["kind"] == "alone"]
    assert [row["generator"] for row in alone] == ["doubled", "smooth", "striped"]
    assert [row["generator"] for row in found["rows"] if row["kind"] == "without"] == names
    assert found["conclusion"]["tests"] == 9
    assert found["leave_one_out"]["tests"] == 4
    assert {"REAL": {"fit": 60, "test": 60}, "doubled": {"fit": 30, "test": 30}}.items() <= found["counts"].items()
    assert sum(found["counts"]["rare"].values()) == 3
    assert alone[0]["generators"][0]["recall"] > 0.9
    assert found["excluded"] == {"in_training": 0}


def test_what_makes_no_matrix_is_refused_before_any_work(here: Service, known: str, strange: str) -> None:
    both, without_real = resolve_datasets(here, [known, strange, "Known"]), resolve_datasets(here, [strange])
    assert [info.id for info in both] == [known, strange]
    check_matrix(both, ())
    with pytest.raises(InvalidInput, match="one generator only: 'rare'"):
        check_matrix(both, ["rare"])
    with pytest.raises(InvalidInput, match="no images of the generator 'unheard'"):
        check_matrix(both, ["rare", "unheard"])
    with pytest.raises(OneClass, match="no REAL"):
        check_matrix(without_real, ())
    with pytest.raises(NotFound):
        resolve_datasets(here, ["nothing"])
    with pytest.raises(InvalidInput, match="No data set"):
        resolve_datasets(here, [])


def test_a_data_set_in_an_evaluation_cannot_be_deleted_meanwhile(here: Service, known: str, strange: str) -> None:
    params = {"dataset_ids": [known, strange], "generators": None, "config": QUICK.to_json()}
    job = here.jobs.submit("matrix", params)
    with pytest.raises(Conflict, match="uses this data set"):
        here.delete_dataset(strange)
    here.jobs.cancel(job.id)
