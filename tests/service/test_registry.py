"""The registry on a real folder and database: choose, change, delete, export, survive restarts and damage."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from backend.core.errors import BrokenImage, Conflict, IntegrityError, NoActiveModel, NotFound
from backend.service.app import Service, open_service
from backend.service.model_files import CARD, HEAD, PREDICTIONS, model_id_for
from tests.service.conftest import make_settings


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def copy(service: Service, model: str, tmp_path: Path) -> Service:
    """A service of its own (without jobs) whose models folder holds a copy of the model."""
    settings = make_settings(tmp_path)
    shutil.copytree(service.registry.root / model, settings.models_dir / model)
    return open_service(settings, run_jobs=False)


def test_a_copied_model_is_found_made_active_and_predicts(copy: Service, model: str) -> None:
    assert copy.registry.active() == model
    answers = copy.predictor.predict([("a.png", png(1)), ("b.png", png(2))])
    assert [p["filename"] for p in answers["predictions"]] == ["a.png", "b.png"]
    assert all(p["model_id"] == model and p["label"] in ("REAL", "FAKE") for p in answers["predictions"])


def test_a_broken_file_never_fails_the_others(copy: Service) -> None:
    answers = copy.predictor.predict([("good.png", png(1)), ("cut.png", png(2)[:200]), ("also.png", png(3))])
    assert [p["filename"] for p in answers["predictions"]] == ["good.png", "also.png"]
    assert [(e["filename"], type(e["error"])) for e in answers["errors"]] == [("cut.png", BrokenImage)]
    error = answers["errors"][0]["error"]  # whose frames would keep the files' bytes until a garbage collection
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_the_active_model_survives_a_restart_and_cannot_be_deleted(copy: Service, model: str) -> None:
    shutil.copytree(copy.registry.root / model, copy.registry.root / "other-1")
    card = json.loads((copy.registry.root / "other-1" / CARD).read_text())
    (copy.registry.root / "other-1" / CARD).write_text(json.dumps({**card, "id": "other-1"}))
    copy.registry.sync()
    copy.registry.set_active("other-1")
    copy.close()
    again = open_service(copy.settings, run_jobs=False)
    assert again.registry.active() == "other-1"
    with pytest.raises(Conflict):
        again.registry.delete("other-1")
    again.registry.delete(model)
    assert [card["id"] for card in again.registry.list()] == ["other-1"]
    assert not (again.registry.root / model).exists()


def test_no_model_is_said_plainly(tmp_path: Path) -> None:
    empty = open_service(make_settings(tmp_path), run_jobs=False)
    with pytest.raises(NoActiveModel):
        empty.predictor.predict([("a.png", png(1))])
    with pytest.raises(NotFound):
        empty.registry.set_active("nothing-here")


def test_damaged_files_are_refused_and_leave_the_old_choice(copy: Service, model: str) -> None:
    shutil.copytree(copy.registry.root / model, copy.registry.root / "bad-1")
    card = json.loads((copy.registry.root / model / CARD).read_text())
    (copy.registry.root / "bad-1" / CARD).write_text(json.dumps({**card, "id": "bad-1"}))
    (copy.registry.root / "bad-1" / HEAD).write_bytes(b"\x00" * 100)
    copy.registry.sync()
    with pytest.raises(IntegrityError):
        copy.registry.set_active("bad-1")
    assert copy.registry.active() == model


def test_an_unreadable_card_does_not_stop_the_start(copy: Service, model: str) -> None:
    broken = copy.registry.root / "broken-1"
    broken.mkdir()
    (broken / CARD).write_text("{")
    copy.registry.sync()
    assert [card["id"] for card in copy.registry.list()] == [model]


def test_a_card_that_lacks_what_a_detector_needs_does_not_stop_the_start(copy: Service, model: str) -> None:
    poor = copy.registry.root / "poor-1"
    poor.mkdir()
    (poor / CARD).write_text('{"id": "poor-1", "shipped": false}')
    copy.registry.sync()
    assert [card["id"] for card in copy.registry.list()] == [model]


def test_a_model_that_was_updated_on_disk_counts_from_the_next_start(copy: Service, model: str) -> None:
    card = json.loads((copy.registry.root / model / CARD).read_text())
    (copy.registry.root / model / CARD).write_text(json.dumps({**card, "threshold": 0.123}))
    copy.close()
    again = open_service(copy.settings, run_jobs=False)
    assert again.registry.get(model)["threshold"] == 0.123
    assert again.registry.detector(model).threshold == 0.123


def test_a_removal_that_is_killed_never_brings_a_model_back(copy: Service, model: str) -> None:
    registry = copy.registry
    shutil.copytree(registry.root / model, registry.root / "other-1")
    card = json.loads((registry.root / "other-1" / CARD).read_text())
    (registry.root / "other-1" / CARD).write_text(json.dumps({**card, "id": "other-1"}))
    registry.sync()

    (registry.root / "other-1" / CARD).unlink()  # the first step; the others were not done any more
    registry.forget_removed()
    assert [card["id"] for card in registry.list()] == [model]
    assert registry.list_unfinished() == ["other-1"]


def test_models_are_not_forgotten_where_files_are_damaged_or_away(copy: Service, model: str) -> None:
    card = copy.registry.root / model / CARD
    text = card.read_text()
    card.write_text("{")
    copy.registry.sync()
    card.unlink()  # as in a folder that is not mounted
    copy.registry.forget_removed()
    assert copy.registry.active() == model
    assert copy.registry.has(model)
    card.write_text(text)


def test_what_killed_fits_and_removals_left_is_discarded_and_no_model(copy: Service, model: str) -> None:
    root = copy.registry.root
    for name in (".trash-of-an-earlier-version", "killed-1"):
        (root / name).mkdir()
    assert copy.registry.list_unfinished() == [".trash-of-an-earlier-version", "killed-1"]
    for name in (model, *copy.registry.list_unfinished()):
        copy.registry.discard(name)
    assert {path.name for path in root.iterdir()} <= {model, "backbones"}


def test_an_empty_registry_begins_with_the_shipped_models(copy: Service, model: str, tmp_path: Path) -> None:
    shipped = copy.registry.root
    (shipped / "backbones").mkdir(exist_ok=True)
    (shipped / "backbones" / "graph.onnx").write_bytes(b"a graph")
    settings = make_settings(tmp_path / "fresh")
    for _ in range(2):
        fresh = open_service(settings.model_copy(update={"shipped_dir": shipped}), run_jobs=False)
        assert [card["id"] for card in fresh.registry.list()] == [fresh.registry.active()] == [model]
        assert (settings.models_dir / "backbones" / "graph.onnx").read_bytes() == b"a graph"
        fresh.close()


def test_damaged_predictions_are_told(copy: Service, model: str) -> None:
    (copy.registry.root / model / PREDICTIONS).write_bytes(b"no Parquet")
    with pytest.raises(IntegrityError):
        copy.registry.predictions(model)


def test_names_and_notes_change_on_disk_too(copy: Service, model: str) -> None:
    assert copy.registry.update(model, name="New name", notes="noted")["name"] == "New name"
    saved = json.loads((copy.registry.root / model / CARD).read_text())
    assert (saved["name"], saved["notes"]) == ("New name", "noted")
    assert copy.registry.update(model, notes="more")["name"] == "New name"


def test_cells_of_the_confusion_matrix_open_their_images(copy: Service, model: str) -> None:
    confusion = copy.registry.get(model)["metrics"]["train"]["confusion"]
    for cell, count in confusion.items():
        rows, total = copy.registry.predictions(model, split="train", cell=cell, limit=5)
        assert total == count
        for row in rows:
            assert (row["label"] == "FAKE") == (cell in ("tp", "fn"))
            assert (row["predicted"] == "FAKE") == (cell in ("tp", "fp"))
    everything, total = copy.registry.predictions(model, limit=1_000_000)
    assert len(everything) == total == copy.registry.get(model)["dataset"]["images"]
    mistakes = [row["label"] != row["predicted"] for row in everything]
    threshold = copy.registry.get(model)["threshold"]
    if threshold == 0.5:
        assert mistakes == sorted(mistakes, reverse=True)


def test_an_export_holds_the_card_and_the_head_and_no_pickle(copy: Service, model: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(copy.registry.export(model, tmp_path / "model.zip")) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path)
    assert {f"{model}/{CARD}", f"{model}/{HEAD}"} <= names
    assert load_file(tmp_path / model / HEAD).keys() == copy.registry.detector(model).head.arrays().keys()


def test_ids_are_readable_and_the_same_for_the_same_job() -> None:
    assert model_id_for("My Détector! v2", "0123456789abcdef") == "my-d-tector-v2-89abcdef"
    assert model_id_for("???", "0123456789abcdef") == "model-89abcdef"
