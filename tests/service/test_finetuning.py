"""Fine-tuning as part of a fit: killed workers, other heads on the network, and the network's own life."""

from __future__ import annotations

import io
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from backend.core.config import FitConfig
from backend.core.errors import BrokenArchive, ConfigError, IntegrityError, OneClass
from backend.core.extractors import check_spec
from backend.core.extractors.finetuned import file_name
from backend.core.finetune import FinetuneConfig
from backend.core.heads import HeadConfig
from backend.service.app import Service, open_service
from backend.service.backbones import make_extractor
from backend.service.finetuning import CHECKPOINT
from backend.service.fit_columns import Columns, validation_share
from backend.service.fitting import check_fit, check_splits
from backend.service.irreplaceable import sweep_unused
from backend.service.model_import import import_model
from backend.service.storage import exists
from tests.api.leftovers import eventually
from tests.service.conftest import finished, make_settings
from tests.service.pictures import write_zip

pytestmark = pytest.mark.timeout(900)  # PyTorch is imported by three processes, one after the other

SPEC = check_spec({"name": "cnn", "input_size": 32, "stages": ["stem", "block2"], "pooling": ["mean"]})
CONFIG = FitConfig(SPEC, HeadConfig("logreg"), FinetuneConfig(epochs=2, train="early"), name="tuned")


@pytest.fixture(scope="module")
def small(service: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a data set of 100 squares of noise, of which the FAKE ones are smoother."""
    members, random = {}, np.random.default_rng(0)
    for number in range(100):
        noise = random.normal(0, 40, (32, 32, 3))
        label, pixels = ("FAKE", (noise + np.roll(noise, 1, axis=1)) / 1.7) if number % 2 else ("REAL", noise)
        out = io.BytesIO()
        Image.fromarray(np.clip(pixels + 128, 0, 255).astype(np.uint8)).save(out, "PNG")
        members[f"{label}/{number}.png"] = out.getvalue()
    path = write_zip(tmp_path_factory.mktemp("small") / "small.zip", members)
    source = {"kind": "zip", "path": str(path)}
    job = service.jobs.submit("import", {"name": "small for fine-tuning", "source": source})
    return str(finished(service, job.id)["dataset_id"])


def graph_of(service: Service, card: dict[str, Any]) -> Path:
    network = card["extractor"]["spec"]["network"]
    return Path(str(service.settings.backbones_dir)) / file_name(network)


def fit(service: Service, dataset: str, config: FitConfig) -> dict[str, Any]:
    job = service.jobs.submit("fit", {"dataset_id": dataset, "config": config.to_json()})
    return service.registry.get(str(finished(service, job.id, 240)["model_id"]))


@pytest.fixture(scope="module")
def card(service: Service, small: str) -> dict[str, Any]:
    """Of a model on a network that was fine-tuned while its worker processes were killed."""
    job = service.jobs.submit("fit", {"dataset_id": small, "config": CONFIG.to_json()})
    checkpoint, deadline = service.jobs.shared_folder(job.id) / CHECKPOINT, time.monotonic() + 120
    while not exists(checkpoint):
        assert time.monotonic() < deadline, service.jobs.get(job.id)
        time.sleep(0.05)
    for process in psutil.Process().children(recursive=True):
        if "spawn_main" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)
    result = finished(service, job.id, 240)
    eventually(lambda: not exists(checkpoint))  # it goes with the job's folder, a moment after the job has ended
    return service.registry.get(str(result["model_id"]))


def test_the_card_tells_the_way(card: dict[str, Any]) -> None:
    told = card["finetuned"]
    assert [record["epoch"] for record in told["history"]] == [1, 2]
    assert told["images"] == card["metrics"]["train"]["n"]
    assert told["config"]["train"] == "early"
    assert told["resumed"] == 1
    assert card["config"]["extractor"] == SPEC
    assert card["extractor"]["name"] == "finetuned"
    assert (card["backbone"], len(card["backbone_digest"])) == (SPEC["backbone"], 64)
    assert list(card["head"]["chosen"]["candidates"])  # C by validation images
    assert card["timings"]["finetune_s"] > 0
    assert card["accuracy"]["test"] > 0.5


def test_killed_workers_end_with_the_same_network(service: Service, small: str, card: dict[str, Any]) -> None:
    again = fit(service, small, replace(CONFIG, name="undisturbed"))
    assert (card["finetuned"]["resumed"], again["finetuned"]["resumed"]) == (1, 0)
    assert again["extractor"] == card["extractor"]  # the network's name is the digest of its bytes
    assert again["digest"] == card["digest"]
    service.registry.delete(again["id"])
    assert graph_of(service, card).exists()  # another model runs it


def test_another_head_on_the_network_takes_its_features(service: Service, small: str, card: dict[str, Any]) -> None:
    config = FitConfig(card["extractor"]["spec"], HeadConfig("svm"), name="svm on tuned")
    other = fit(service, small, config)
    assert other["timings"]["features_s"] < 10
    assert "finetuned" not in other
    assert other["extractor"] == card["extractor"]
    assert other["metrics"]["train"]["n"] == card["metrics"]["train"]["n"]
    service.registry.delete(other["id"])
    job = service.jobs.submit("fit", {"dataset_id": small, "config": replace(config, seed=7).to_json()})
    failed = service.jobs.wait(job.id, 60)
    assert (failed.state, failed.error_code) == ("failed", "config")
    assert "other splits" in str(failed.reason)
    info = service.datasets.get(small)
    extractor = make_extractor(card["extractor"]["spec"], service.registry.backbones)
    with pytest.raises(ConfigError, match="other splits"):  # the same images under another name
        check_splits(extractor, replace(info, id="again"), replace(config, seed=7))
    check_splits(extractor, replace(info, id="others", digest="0" * 64), replace(config, seed=7))


def test_the_network_goes_and_comes_with_its_model(service: Service, card: dict[str, Any], tmp_path: Path) -> None:
    graph, id = graph_of(service, card), card["id"]
    archive = service.registry.export(id, tmp_path / "model.zip")
    os.utime(graph, (0, 0))
    sweep_unused(service.database, service.registry.backbones)
    assert graph.exists()  # old, but a model runs it
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    answer = service.registry.detector(id).predict([image])
    settings = make_settings(tmp_path / "elsewhere")
    elsewhere = open_service(settings, run_jobs=False)
    try:
        with archive.open("rb") as file:
            taken = import_model(elsewhere, file, may_export=False)
        assert taken["finetuned"] == card["finetuned"]
        assert elsewhere.registry.detector(id).predict([image]) == answer
        elsewhere.database.set_setting("active_model", "none")
        elsewhere.registry.delete(id)
        assert not graph_of(elsewhere, card).exists()
        spoilt = archive.read_bytes().replace(file_name(graph.stem[-64:]).encode(), b"x" * len(graph.name))
        (tmp_path / "spoilt.zip").write_bytes(spoilt)
        with (tmp_path / "spoilt.zip").open("rb") as file, pytest.raises((BrokenArchive, IntegrityError)):
            import_model(elsewhere, file, may_export=True)
    finally:
        elsewhere.close()


def test_few_images_keep_more_for_validation() -> None:
    assert validation_share(CONFIG, 1_000) == 0.25
    assert validation_share(CONFIG, 100_000) == CONFIG.validation_fraction
    assert validation_share(replace(CONFIG, finetune=None), 1_000) == CONFIG.validation_fraction


def test_validation_images_of_one_class_are_refused_before_any_training() -> None:
    columns = Columns(
        row=np.arange(40),
        y=np.repeat(np.array([0, 1], np.int8), 20),
        split=np.where(np.arange(40) % 20 < 3, "validation", "train"),
        group=np.arange(40),
        generator=np.full(40, ""),
        path=[""] * 40,
        twin_in_train=np.zeros(40, bool),
        shortest=np.full(40, 32),
        longest=np.full(40, 32),
        quality=np.full(40, 75),
    )
    check_fit(columns, FitConfig(finetune=FinetuneConfig()))
    one_class = replace(columns, split=np.where(np.arange(40) < 3, "validation", "train"))
    check_fit(one_class, FitConfig())  # training images calibrate as well
    with pytest.raises(OneClass, match="validation"):
        check_fit(one_class, FitConfig(finetune=FinetuneConfig()))
