"""Exported models come back; what is damaged, foreign or too large does not."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load, save

from backend.core.errors import (
    ArchiveTooLarge,
    BrokenArchive,
    ConfigError,
    Conflict,
    DeepfakeError,
    IntegrityError,
    InvalidInput,
    Unavailable,
)
from backend.service.app import Service, open_service
from backend.service.model_import import import_model
from tests.service.conftest import make_settings
from tests.service.exported import SHIPPED, archive

pytestmark = pytest.mark.skipif(not (SHIPPED / "card.json").exists(), reason="no detector came with the project")

HEAD = SHIPPED / "head.safetensors"
SHIPPED_IDS = sorted(card.parent.name for card in SHIPPED.parent.glob("cifake-*/card.json"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service without workers; it begins with the shipped models."""
    settings = make_settings(tmp_path).model_copy(update={"shipped_dir": SHIPPED.parent})
    service = open_service(settings, run_jobs=False)
    yield service
    service.close()


def take(service: Service, content: bytes, *, may_export: bool = False) -> dict[str, object]:
    return import_model(service, io.BytesIO(content), may_export=may_export)


def test_a_model_goes_out_and_comes_back(service: Service, tmp_path: Path) -> None:
    service.registry.export("cifake-logreg", tmp_path / "exported.zip")
    with pytest.raises(Conflict):
        take(service, (tmp_path / "exported.zip").read_bytes())
    card = take(service, archive(notes="a copy"))
    assert (card["id"], card["shipped"], card["active"], card["notes"]) == ("copy-1", False, False, "a copy")
    assert card["digest"] == service.registry.get("cifake-logreg")["digest"]
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert service.registry.detector("copy-1").predict([image]) == service.registry.detector().predict([image])


def test_how_a_calibration_was_found_does_not_change_the_digest(service: Service) -> None:
    known = service.registry.get("cifake-logreg")
    told = {"kind": "platt", **known["calibration"], "losses": {"platt": 0.1}, "images": 5, "reason": None}
    assert take(service, archive(calibration=told))["digest"] == known["digest"]


def test_a_curve_for_a_calibration_goes_out_and_comes_back(service: Service, tmp_path: Path) -> None:
    curve = {"kind": "isotonic", "a": 1.5, "knots": [[-2.0, -3.0], [0.5, 0.25], [2.0, 4.0]], "losses": {}}
    take(service, archive(id="curve-1", calibration=curve))
    service.registry.export("curve-1", tmp_path / "exported.zip")
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    with zipfile.ZipFile(tmp_path / "exported.zip") as exported:
        graph = exported.read("curve-1/detector.onnx")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    expected = service.registry.detector("curve-1").predict(list(image))[0].probability_fake
    assert session.run(["probability_fake"], {"pixels": image})[0] == pytest.approx([expected], abs=1e-4)
    service.registry.set_active("cifake-logreg")
    service.registry.delete("curve-1")
    card = take(service, (tmp_path / "exported.zip").read_bytes())
    assert card["calibration"] == curve
    assert card["digest"] != service.registry.get("cifake-logreg")["digest"]
    assert service.registry.detector("curve-1").predict(list(image))[0].probability_fake == expected


def test_a_graph_in_the_archive_is_not_looked_at(service: Service) -> None:
    more = {"copy-1/detector.onnx": b"garbage", "copy-1/weights.data": b"x", "../../evil": b"x"}
    assert take(service, archive(more=more))["id"] == "copy-1"
    folder = Path(str(service.registry.root)) / "copy-1"
    assert {path.name for path in folder.iterdir()} == {"card.json", "head.safetensors"}


def test_a_network_that_is_not_here_is_asked_for(service: Service) -> None:
    shutil.rmtree(str(service.registry.backbones))
    with pytest.raises(Unavailable, match="network"):
        take(service, archive())
    assert sorted(card["id"] for card in service.registry.list()) == SHIPPED_IDS


def arrays(**changed: np.ndarray) -> bytes:
    """The head's file with other arrays."""
    return save({**load(HEAD.read_bytes()), **changed})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no zip", BrokenArchive),
        (archive()[:-30], BrokenArchive),
        (archive(more={f"{n}.txt": b"" for n in range(40)}), BrokenArchive),
        (archive(id="../up"), InvalidInput),
        (archive(id=""), InvalidInput),
        (archive(name=None), InvalidInput),
        (archive(threshold="high"), InvalidInput),
        (archive(threshold=float("nan")), InvalidInput),
        (archive(threshold=1.5), InvalidInput),
        (archive(calibration={"a": "x", "b": 1}), InvalidInput),
        (archive(calibration={"kind": "isotonic", "a": 1.0, "knots": []}), InvalidInput),
        (archive(calibration={"kind": "isotonic", "a": 1.0, "knots": [[1.0, 0.0], [0.0, 1.0]]}), InvalidInput),
        (archive(calibration={"kind": "spline", "a": 1.0, "b": 0.0}), InvalidInput),
        (archive(metrics=[]), InvalidInput),
        (archive(fpr_promise="none"), InvalidInput),
        (archive(extractor={"name": "cnn"}), InvalidInput),
        (archive(extractor={"name": "cnn", "spec": {"name": "rm -rf"}, "digest": "d"}), ConfigError),
        (archive(extractor={"name": "npr", "spec": {"name": "npr"}, "digest": "d"}), IntegrityError),
        (archive(more={"copy-1/card.json": b"{" * 100_000}), InvalidInput),
        (archive(more={"copy-1/card.json": b" " * (17 * 2**20)}), ArchiveTooLarge),
        (archive(head=b""), IntegrityError),
        (archive(head=HEAD.read_bytes()[:-8]), IntegrityError),
        (archive(head=(2**62).to_bytes(8, "little") + b"{}"), IntegrityError),
        (archive(head=save({"other": np.zeros(3)})), IntegrityError),
        (archive(head=arrays(weights=np.zeros(7, np.float32))), IntegrityError),
        (archive(head=arrays(weights=np.full(2416, np.nan, np.float32))), IntegrityError),
    ],
)
def test_what_is_no_model_is_refused_and_leaves_nothing(
    service: Service, content: bytes, error: type[DeepfakeError]
) -> None:
    with pytest.raises(error):
        take(service, content)
    assert sorted(card["id"] for card in service.registry.list()) == SHIPPED_IDS
    assert not (Path(str(service.registry.root)) / "copy-1").exists()
    json.dumps(service.registry.list(), allow_nan=False)
