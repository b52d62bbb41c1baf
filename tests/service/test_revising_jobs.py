"""Revised data sets and jobs: refits from the cache, profiles, data sets in use, rows that a kill left behind."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.core.errors import Conflict
from backend.service.app import Service, open_service
from backend.service.datasets import DatasetInfo
from backend.service.importing import make_dataset_id
from tests.pictures import fake, photo
from tests.service.conftest import QUICK, finished, make_settings
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import LAYOUT, pictures, write_zip
from tests.service.test_revising import change, labels


def scenes_zip(path: Path, each: int) -> Path:
    """A zip of `each` REAL and as many FAKE images of two generators; four crops and their FAKEs are a group."""
    members, groups = {}, "file_name,group\n"
    for n in range(each):
        for name, data in ((f"REAL/{n}.png", photo(n)), (f"FAKE/{('first', 'second')[n % 2]}/{n}.png", fake(n))):
            members[name] = data
            groups += f"{name},scene {n // 4}\n"
    return write_zip(path, {**members, "metadata.csv": groups.encode()})


@pytest.fixture(scope="module")
def revised(service: Service, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], DatasetInfo]:
    """A data set with a profile and a fitted model's card, and its second version: one dropped, one of each turned."""
    source = {"kind": "zip", "path": str(scenes_zip(tmp_path_factory.mktemp("scenes") / "scenes.zip", 100))}
    job = service.jobs.submit("fit", {"name": "Revised", "source": source, "config": fit_config()})
    result = finished(service, job.id)
    id = str(result["dataset_id"])
    finished(service, service.jobs.submit("profile", {"dataset_id": id}).id)
    card = service.registry.get(str(result["model_id"]))
    rows = {label: [n for n, (own, _) in labels(service.datasets, id).items() if own == label] for label in (0, 1)}
    changes = {rows[0][0]: "FAKE", rows[1][0]: "REAL", rows[0][1]: "DROP", rows[1][-1]: "DROP"}
    assert service.profile(id) is not None
    info = service.revise_dataset("Revised", changes, version=1)
    assert service.profile(id) is None  # that one was of the version before
    return id, card, info


def fit_config() -> dict[str, Any]:
    return QUICK.to_json()


def test_a_refit_computes_no_features_and_its_card_names_the_new_version(
    service: Service, revised: tuple[str, dict[str, Any], DatasetInfo]
) -> None:
    id, card, info = revised
    assert service.database.get_dataset(id) == info.to_json()
    features = {path: path.stat().st_mtime_ns for path in service.features.root.glob("*/*.npy")}
    result = finished(service, service.jobs.submit("fit", {"dataset_id": id, "config": fit_config()}).id)
    assert {path: path.stat().st_mtime_ns for path in service.features.root.glob("*/*.npy")} == features
    again = service.registry.get(str(result["model_id"]))
    assert again["dataset"] == card["dataset"] | {"version": 2, "digest": info.digest, "images": info.images}
    assert card["dataset"]["digest"] != info.digest
    assert service.registry.get(card["id"])["dataset"] == card["dataset"]  # the first model's record stays
    assert sum(again["metrics"][split]["n"] for split in ("train", "validation", "test")) == info.images
    predictions = pq.read_table(service.registry.root / again["id"] / "predictions.parquet")
    index = service.datasets.index(id)
    for column in ("row", "label", "path"):
        assert predictions[column].to_pylist() == index[column].to_pylist()


def test_a_version_is_fitted_and_profiled_as_the_same_images_imported_anew(
    service: Service, revised: tuple[str, dict[str, Any], DatasetInfo], tmp_path: Path
) -> None:
    id, _, info = revised
    service.datasets.export_parquet(id, tmp_path / "out.parquet")
    source = {"kind": "parquet", "path": str(tmp_path / "out.parquet")}
    anew = finished(service, service.jobs.submit("import", {"name": "Anew", "source": source}).id)["dataset_id"]
    assert service.datasets.get(str(anew)).digest == info.digest
    models, profiles = [], []
    for dataset in (id, str(anew)):
        fit = finished(service, service.jobs.submit("fit", {"dataset_id": dataset, "config": fit_config()}).id)
        models.append(pq.read_table(service.registry.root / str(fit["model_id"]) / "predictions.parquet"))
        finished(service, service.jobs.submit("profile", {"dataset_id": dataset}).id)
        profiles.append(service.profile(dataset) or {})
    assert models[0]["split"] == models[1]["split"]
    scores = [table["score"].to_numpy() for table in models]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-3, atol=1e-3)
    for part in ("images", "counts", "channels", "distributions"):
        assert profiles[0][part] == profiles[1][part], part


def test_scores_belong_to_their_images_after_a_drop(
    service: Service, revised: tuple[str, dict[str, Any], DatasetInfo]
) -> None:
    id, _, _ = revised
    result = finished(service, service.jobs.submit("fit", {"dataset_id": id, "config": fit_config()}).id)
    rows, total = service.registry.predictions(str(result["model_id"]), limit=1000)
    assert total == service.datasets.get(id).images
    for row in rows[:: len(rows) // 7]:
        data, _ = service.datasets.image(id, row["row"])
        answer = service.predictor.predict([("x", data)], str(result["model_id"]))["predictions"][0]
        assert answer["probability_fake"] == pytest.approx(row["probability_fake"], abs=0.02)


def test_the_profile_of_a_version_covers_its_images(
    service: Service, revised: tuple[str, dict[str, Any], DatasetInfo]
) -> None:
    id, _, info = revised
    finished(service, service.jobs.submit("profile", {"dataset_id": id}).id)
    profile = service.profile(id)
    assert profile is not None
    assert profile["images"] == info.images
    by_class = {name: sum(split[name] for split in info.counts.values()) for name in ("REAL", "FAKE")}
    assert profile["counts"]["by_class"] == by_class
    generators = {name: sum(labels.values()) for name, labels in profile["counts"]["by_generator"].items() if name}
    assert generators == {name: count for name, count in info.generators.items() if name}


def test_a_stale_version_is_refused(service: Service, revised: tuple[str, dict[str, Any], DatasetInfo]) -> None:
    id, _, info = revised
    with pytest.raises(Conflict, match="version 2, not 1"):
        service.revise_dataset(id, {0: "DROP"}, version=1)
    assert service.datasets.get(id) == info


@pytest.fixture
def idle(tmp_path: Path) -> Any:
    """A service that runs no jobs, with the data set "a-1"."""
    service = open_service(make_settings(tmp_path), run_jobs=False)
    info = import_into(service.datasets, zip_of(tmp_path / "a.zip", pictures(LAYOUT)), name="A")
    service.database.save_dataset(info.to_json())
    yield service
    service.close()


def test_a_data_set_that_a_job_uses_is_neither_revised_nor_removed(idle: Service, tmp_path: Path) -> None:
    members = zip_of(tmp_path / "b.zip", pictures(LAYOUT))
    idle.database.save_dataset(import_into(idle.datasets, members, make_dataset_id("B", "ab" * 8), name="B").to_json())
    jobs = [
        idle.jobs.submit("fit", {"dataset_id": "a-1", "config": {}}),
        idle.jobs.submit("profile", {"dataset_id": "A"}),
        idle.jobs.submit("fit", {"name": "B", "source": {}, "config": {}}, id="ab" * 8),  # has imported it already
    ]
    for job, name in zip(jobs, ("A", "A", "B"), strict=True):
        for call in (lambda name: idle.revise_dataset(name, {0: "DROP"}), idle.delete_dataset):
            with pytest.raises(Conflict, match="uses this data set"):
                call(name)
        assert idle.datasets.get(name).version == 1
        idle.jobs.cancel(job.id)
    assert idle.revise_dataset("A", {0: "DROP"}).version == 2
    idle.delete_dataset("A")
    idle.delete_dataset("B")
    assert idle.datasets.list() == idle.database.list_datasets() == []


def test_the_next_start_repairs_a_row_that_a_kill_left_behind(idle: Service, tmp_path: Path) -> None:
    info = change(idle.datasets, {0: "DROP"})  # and killed before the row was written
    before = idle.database.get_dataset("a-1")
    assert before is not None
    assert before["version"] == 1
    started = open_service(make_settings(tmp_path))
    try:
        deadline = time.monotonic() + 60
        while idle.database.get_dataset("a-1") != info.to_json() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert idle.database.get_dataset("a-1") == info.to_json()
    finally:
        started.close()


def test_the_next_start_forgets_a_data_set_whose_folder_is_gone(idle: Service, tmp_path: Path) -> None:
    shutil.rmtree(idle.datasets.folder("a-1"))
    assert idle.database.get_dataset("A") is not None
    started = open_service(make_settings(tmp_path))
    try:
        deadline = time.monotonic() + 60
        while idle.database.get_dataset("A") is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert idle.database.list_datasets() == []
    finally:
        started.close()
