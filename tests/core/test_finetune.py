"""Fine-tuning on a few small images: it learns, goes on where it was killed, and leaves alone what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.core.config import FitConfig
from backend.core.errors import BackboneUnavailable, Cancelled, ConfigError, IntegrityError
from backend.core.extractors import check_spec, create, finetuned_networks
from backend.core.extractors.backbones import weights_digest
from backend.core.extractors.export import build_graph, write_graph
from backend.core.extractors.finetuned import file_name
from backend.core.extractors.stored import digest_of_file
from backend.core.finetune import FinetuneConfig
from backend.core.finetune.augment import augment
from backend.core.finetune.checkpoint import Place, pack
from backend.core.finetune.config import AUGMENTATIONS
from backend.core.finetune.network import JointNetwork, Labelled, freeze
from backend.core.finetune.train import Plan, Tuned, batch_size, finetune

SPEC = check_spec({"name": "cnn", "input_size": 32, "stages": ["stem", "block2"]})
SPEC_OPTIONS = {key: SPEC[key] for key in ("backbone", "stages", "input_size", "pooling")}
QUICK = FinetuneConfig(epochs=2, batch_size=16)


def make_images(count: int, seed: int) -> Labelled:
    """Noise of 32 x 32 pixels; every second image is FAKE: its noise is a little smoother."""
    random = np.random.default_rng(seed)
    y = (np.arange(count) % 2).astype(np.int8)
    noise = random.normal(0, 40, (count, 32, 32, 3))
    smooth = (noise + np.roll(noise, 1, axis=2)) / np.sqrt(2)
    share = np.where(y, 0.1, 0.0)[:, None, None, None]
    pixels = 128 + (1 - share) * noise + share * smooth
    return Labelled(np.clip(pixels, 0, 255).astype(np.uint8), y, np.arange(count))


class Memory:
    """Keeps the checkpoint, and counts."""

    def __init__(self, data: bytes | None = None) -> None:
        self.data, self.written = data, 0
        self.place = Place(lambda: self.data, self._write)

    def _write(self, data: bytes) -> None:
        self.data, self.written = data, self.written + 1


def run(
    memory: Memory, config: FinetuneConfig = QUICK, progress: Callable[..., None] = lambda *_: None, **more: Any
) -> Tuned:
    graph, _ = build_graph(**SPEC_OPTIONS)
    train, validation = make_images(60, 1), make_images(40, 2)
    return finetune(graph, train, validation, Plan(config, seed=3), progress=progress, place=memory.place, **more)


@pytest.fixture(scope="module")
def tuned() -> Tuned:
    return run(Memory())


def test_it_reports_every_epoch_and_keeps_the_best(tuned: Tuned) -> None:
    report = tuned.report
    assert [record["epoch"] for record in report["history"]] == [1, 2]
    losses = [report["start"]["validation_loss"], *(record["validation_loss"] for record in report["history"])]
    assert report["best_epoch"] == int(np.argmin(losses))
    assert report["best_epoch"] > 0
    assert (report["images"], report["validation_images"], report["batch_size"]) == (60, 40, 16)
    assert report["config"] == asdict(QUICK)
    assert report["device"] == "cpu"


def test_a_killed_run_ends_with_the_same_weights(tuned: Tuned) -> None:
    memory, seen = Memory(), list[int]()

    def killed_in_the_second_epoch(_stage: str, done: int, total: int) -> None:
        if done > total / 2 + 16:
            raise Cancelled("killed")

    with pytest.raises(Cancelled):
        run(memory, progress=killed_in_the_second_epoch, checkpoint_seconds=0.0)
    again = run(memory, progress=lambda _stage, done, _total: seen.append(done))
    assert min(seen) > 60  # of 120: it went on, and in the middle of an epoch
    assert weights_digest(again.graph) == weights_digest(tuned.graph)
    assert (tuned.report["resumed"], again.report["resumed"]) == (0, 1)
    assert {**again.report, "seconds": 0, "resumed": 0} == {**tuned.report, "seconds": 0}


@pytest.mark.parametrize("found", [b"", b"garbage", pack({"model": {}}, {"fingerprint": "of another run"})])
def test_a_checkpoint_that_is_damaged_or_foreign_is_left_alone(found: bytes, caplog: pytest.LogCaptureFixture) -> None:
    def stop(_stage: str, _done: int, _total: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run(Memory(found), progress=stop)
    assert "starts from the beginning" in caplog.text


def test_parts_that_are_frozen_stay_and_patience_ends_it() -> None:
    frozen = FinetuneConfig(
        epochs=9, batch_size=16, train=["block2"], learning_rate=0.5, head_learning_rate=0.0, patience=1,
        augment=list(AUGMENTATIONS), batch_norm="frozen", ema=0.0, mixed_precision="on",
    )  # fmt: skip
    before = build_graph(**SPEC_OPTIONS)[0].state_dict()
    result = run(Memory(), frozen)
    after = result.graph.state_dict()
    changed = {name.split(".")[2] for name in before if not (before[name] == after[name]).all() and "blocks" in name}
    assert changed <= {"1"}
    assert (before["network.conv_stem.weight"] == after["network.conv_stem.weight"]).all()
    assert len(result.report["history"]) == result.report["best_epoch"] + 1


def test_parts_by_name_and_by_depth() -> None:
    graph, _ = build_graph(backbone=SPEC["backbone"], stages="all", input_size=32, pooling=["mean"])
    model = JointNetwork(graph, [8], 0.0)

    def trained(train: str | list[str]) -> set[str]:
        freeze(model, train)
        return {name for name, parameter in graph.network.named_parameters() if parameter.requires_grad}

    everything, early, late = trained("all"), trained("early"), trained("late")
    assert early | late == everything
    assert not early & late
    assert "conv_stem.weight" in early
    assert trained(["stem"]) == {"conv_stem.weight", "bn1.weight", "bn1.bias"}
    with pytest.raises(ConfigError, match="no stage 'block99'"):
        freeze(model, ["block99"])


def test_training_what_no_feature_is_read_from_is_refused() -> None:
    graph, _ = build_graph(backbone=SPEC["backbone"], stages=["stem"], input_size=32, pooling=["mean"])
    with pytest.raises(ConfigError, match="stages before that"):
        freeze(JointNetwork(graph, [8], 0.0), "late")


def test_a_fine_tuned_network_is_an_extractor_by_its_digest(tuned: Tuned, tmp_path: Path) -> None:
    about = {"backbone": SPEC["backbone"], "weights": weights_digest(tuned.graph.network)}
    write_graph(tuned.graph, tmp_path / "graph.onnx", about)
    data = (tmp_path / "graph.onnx").read_bytes()
    spec = {"name": "finetuned", "network": digest_of_file(data)}
    with pytest.raises(BackboneUnavailable, match="is not here"):
        create(spec, backbones=tmp_path)
    (tmp_path / file_name(spec["network"])).write_bytes(data)
    extractor = create(spec, backbones=tmp_path)
    images = list(make_images(4, 5).pixels)
    features = extractor.extract(images)
    assert features.shape == (4, QUICK.hidden[-1])
    assert extractor.feature_names[0] == "cnn.top.unit[0]"
    assert 0 == features.min() < features.max()  # the last hidden layer, after max(0, x)
    assert finetuned_networks({"name": "concat", "parts": [spec, {"name": "npr"}]}) == [spec["network"]]
    (tmp_path / file_name(spec["network"])).write_bytes(data[:-1])
    with pytest.raises(IntegrityError, match="is damaged"):
        create(spec, backbones=tmp_path)


def test_padding_apart_for_small_inputs_changes_no_feature_and_is_undone() -> None:
    import torch

    graph, _ = build_graph(**{**SPEC_OPTIONS, "stages": ["block4"]})
    model = JointNetwork(graph, [16, 8], 0.0).eval()
    assert model.padded, "no depthwise convolution meets an input smaller than its kernel"
    pixels = torch.from_numpy(make_images(4, 1).pixels)
    apart = model.top(model.statistics(pixels))
    embedding = model.embedding()
    assert {each.padding_mode for each in model.padded} == {"zeros"}
    torch.testing.assert_close(embedding.features(embedding.resize(pixels)), apart)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentations_change_pixels_and_nothing_else(name: str) -> None:
    images = make_images(12, 4)
    y = images.y.astype(np.float32)
    changed, targets = augment(images.pixels, y, [name], np.random.default_rng(0))
    again, _ = augment(images.pixels, y, [name], np.random.default_rng(0))
    np.testing.assert_array_equal(changed, again)
    assert changed.shape == images.pixels.shape
    assert changed.dtype == np.float32
    assert 0 <= changed.min() < changed.max() <= 255
    assert not np.array_equal(changed, images.pixels)
    assert ((targets >= 0) & (targets <= 1)).all()
    if name != "mixup":
        np.testing.assert_array_equal(targets, y)


def test_small_sets_take_small_steps() -> None:
    assert [batch_size(count, 128) for count in (20, 200, 500, 90_000)] == [16, 16, 31, 128]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"epochs": True},
        {"learning_rate": 2},
        {"augment": ["magic"]},
        {"augment": "flip"},
        {"augment": ["flip", "flip"]},
        {"train": "everything"},
        {"train": []},
        {"train": [3]},
        {"hidden": []},
        {"hidden": [2]},
        {"device": "tpu"},
        {"epoch": 3},
        "yes",
    ],
)
def test_a_wrong_setting_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        FitConfig.from_json({"finetune": wrong})


def test_a_config_survives_json_and_asks_for_a_network() -> None:
    config = FitConfig(finetune=FinetuneConfig(epochs=3, train=["block3"]))
    assert FitConfig.from_json(config.to_json()) == config
    assert FitConfig.from_json({"finetune": True}).finetune == FinetuneConfig()
    assert FitConfig.from_json({"finetune": False}).finetune is None
    with pytest.raises(ConfigError, match="setting of the extractor cnn"):
        FitConfig(extractor={"name": "npr"}, finetune=FinetuneConfig())
