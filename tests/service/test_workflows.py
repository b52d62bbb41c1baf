"""Whole jobs on real worker processes: import, profile, fit, refit from the cache, failures with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.core.errors import NotFound
from backend.core.heads import HEADS, HeadConfig
from backend.service.app import Service
from backend.service.dataset_info import PROFILE
from tests.pictures import dataset_zip
from tests.service.conftest import QUICK, finished


def test_a_fit_leaves_a_card_with_what_a_user_asks_for(service: Service, demo: str, model: str) -> None:
    card = service.registry.get(model)
    assert card["name"] == "Quick"
    assert card["dataset"]["id"] == demo
    assert (card["activation"], card["loss"]) == ("sigmoid", "log_loss")
    assert set(card["accuracy"]) == {"train", "validation", "test"}
    assert card["metrics"]["test"]["n"] > 0
    assert 0.5 < card["accuracy"]["train"] <= 1.0
    assert card["metrics"]["test"]["accuracy"] == card["accuracy"]["test"]
    assert card["generators"]
    assert card["sides"] == [64, 64]
    assert {"import_s", "features_s", "fit_s", "evaluate_s", "limits_s"} == set(card["timings"])


def test_splits_of_a_fit_keep_photographs_whole(service: Service, demo: str, model: str) -> None:
    split_of: dict[int, set[str]] = {}
    index = service.datasets.index(demo, ["group_id"])["group_id"].to_pylist()
    predictions = pq.read_table(service.registry.root / model / "predictions.parquet")
    for group, split in zip(index, predictions["split"].to_pylist(), strict=True):
        split_of.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in split_of.values())


def test_a_second_head_reuses_the_features(service: Service, demo: str, model: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in service.features.root.glob("*/*.npy")}
    assert before
    job = service.jobs.submit(
        "fit", {"dataset_id": demo, "config": replace(QUICK, head=HeadConfig("svm", C=0.1)).to_json()}
    )
    card = service.registry.get(str(finished(service, job.id)["model_id"]))
    assert (card["activation"], card["loss"]) == ("identity", "hinge")
    assert {path: path.stat().st_mtime_ns for path in service.features.root.glob("*/*.npy")} == before


@pytest.mark.parametrize("head", [name for name, row in HEADS.items() if "epochs" in row.options])
def test_heads_trained_in_epochs_report_both_losses_of_every_epoch(service: Service, demo: str, head: str) -> None:
    config = replace(QUICK, head=HeadConfig(head, C=1.0, epochs=3), name="")
    job = service.jobs.submit("fit", {"dataset_id": demo, "config": config.to_json()})
    card = service.registry.get(str(finished(service, job.id)["model_id"]))
    assert [record["epoch"] for record in card["head"]["history"]] == [1, 2, 3]
    assert all({"train_loss", "validation_loss"} <= set(record) for record in card["head"]["history"])
    assert card["name"] == f"Demo {head}"


def test_test_images_stay_unread_while_choosing(service: Service, demo: str) -> None:
    config = replace(QUICK, evaluate_test=False)
    job = service.jobs.submit("fit", {"dataset_id": demo, "config": config.to_json()})
    card = service.registry.get(str(finished(service, job.id)["model_id"]))
    assert card["metrics"]["test"] is None
    assert card["accuracy"]["test"] is None
    assert card["metrics"]["validation"]["n"] > 0
    predictions = pq.read_table(service.registry.root / card["id"] / "predictions.parquet")
    assert "test" not in predictions["split"].to_pylist()


def test_a_profile_is_made_once_and_covers_every_image(service: Service, demo: str) -> None:
    path = service.datasets.folder(demo) / PROFILE
    for _ in range(2):
        finished(service, service.jobs.submit("profile", {"dataset_id": demo}).id)
    profile = json.loads(path.read_text())
    assert profile["images"] == service.datasets.get(demo).images


def test_a_name_that_is_taken_fails_with_its_reason(service: Service, demo: str) -> None:
    job = service.jobs.wait(service.jobs.submit("import", {"name": "Demo", "source": {"kind": "demo"}}).id, 60)
    assert (job.state, job.error_code) == ("failed", "conflict")
    assert "Demo" in (job.reason or "")
    assert [info.id for info in service.datasets.list()].count(demo) == 1


def test_a_name_that_was_taken_meanwhile_leaves_no_second_data_set(service: Service) -> None:
    """Two imports of one name at the same time: both find it free at first, the database settles it."""
    rival = {"id": "rival-1", "name": "Contested", "version": 1, "digest": "", "created_at": "", "source": "demo"}
    service.database.save_dataset(rival)
    try:
        job = service.jobs.submit("import", {"name": "Contested", "source": {"kind": "demo", "seed": 2}})
        ended = service.jobs.wait(job.id, 60)
    finally:
        service.database.delete_dataset("rival-1")
    assert (ended.state, ended.error_code) == ("failed", "conflict")
    assert not list(service.datasets.root.glob("contested*"))


def test_an_import_without_images_leaves_nothing_behind(service: Service, tmp_path: Path) -> None:
    (tmp_path / "REAL").mkdir()
    (tmp_path / "REAL" / "letter.jpg").write_text("no image")
    job = service.jobs.submit("import", {"name": "Letters", "source": {"kind": "folder", "path": str(tmp_path)}})
    ended = service.jobs.wait(job.id, 60)
    assert (ended.state, ended.error_code) == ("failed", "dataset.no_images")
    assert not list(service.datasets.root.glob("*etters*"))


def test_deleting_a_data_set_takes_its_features_along(service: Service, tmp_path: Path) -> None:
    (tmp_path / "gone.zip").write_bytes(dataset_zip(30, first=9000))  # images that no other data set has
    source = {"kind": "zip", "path": str(tmp_path / "gone.zip")}
    job = service.jobs.submit("fit", {"name": "Gone", "source": source, "config": QUICK.to_json()})
    dataset = str(finished(service, job.id)["dataset_id"])
    before = set(service.features.root.glob("*/*.npy"))
    service.delete_dataset(dataset)
    removed = before - set(service.features.root.glob("*/*.npy"))
    assert len(removed) > 0
    with pytest.raises(NotFound):
        service.datasets.get(dataset)
    assert service.database.get_dataset(dataset) is None
    assert not (service.datasets.root / dataset).exists()
