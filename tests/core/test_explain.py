"""Explanations: what places and stages add up to, where heads are linear and where they are not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from backend.core.detector import Detector, restore
from backend.core.errors import ConfigError
from backend.core.explain import Explanation, explain
from backend.core.explain.drawing import FAKE, LONGEST_SIDE, REAL, draw_heatmap
from backend.core.explain.maps import contributions, spread
from backend.core.explain.stage_graph import StageGraph
from backend.core.extractors import Extractor, concatenation, create
from backend.core.extractors.export import build_graph, write_graph
from backend.core.extractors.finetuned import file_name
from backend.core.extractors.stored import digest_of_file
from backend.core.finetune.network import JointNetwork
from backend.core.heads import FittedHead, HeadConfig, fit_head
from backend.core.heads.linear import LinearHead
from backend.core.heads.linearised import linearise
from tests.pictures import crop, forged
from tests.running import ROOT

SHIPPED = ROOT / "models"
Pixels = NDArray[np.uint8]
IMAGES = [crop(1, 32), forged(2, 32), crop(3, 300)[:180], np.full((32, 32, 3), 128, np.uint8)]
"""Two sizes that the shipped detector knows, a large one that is not square, and one without any texture."""


@pytest.fixture(scope="module")
def shipped() -> Detector:
    folder = SHIPPED / "cifake-logreg"
    card = json.loads((folder / "card.json").read_text())
    return restore(card, load_file(folder / "head.safetensors"), backbones=SHIPPED / "backbones")


def explained(detector: Detector, pixels: Pixels) -> Explanation:
    explanation = explain(detector, pixels)
    assert explanation is not None
    return explanation


@pytest.mark.parametrize("number", range(len(IMAGES)))
def test_maps_and_base_add_up_to_the_uncalibrated_score(shipped: Detector, number: int) -> None:
    explanation = explained(shipped, IMAGES[number])
    assert explanation.exact
    assert explanation.margin == pytest.approx(shipped.predict([IMAGES[number]])[0].score, abs=1e-4)
    total = explanation.base + sum(stage.map.sum() for stage in explanation.stages if stage.map is not None)
    assert total == pytest.approx(explanation.margin, abs=1e-4)
    for stage in explanation.stages:
        assert stage.map is not None
        assert stage.map.sum() == pytest.approx(stage.share, abs=1e-9)


def test_the_base_is_nearly_the_same_for_every_image(shipped: Detector) -> None:
    """It takes what the places leave, so that a wrong map would show here; a flat image leaves the most."""
    bases = [explained(shipped, pixels).base for pixels in IMAGES]
    assert np.ptp(bases) < 0.1
    assert np.ptp([explained(shipped, pixels).margin for pixels in IMAGES]) > 5


@pytest.fixture(scope="module")
def averaged(shipped: Detector, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """A head on means, deviations and covariances of an image and its mirror image."""
    spec = {"name": "cnn", "stages": ["stem", "block3"], "pooling": ["mean", "std", "cov"], "input_size": 64}
    extractor = create({**spec, "flips": True}, backbones=tmp_path_factory.mktemp("backbones"))
    weights = np.random.default_rng(0).normal(0, 0.1, extractor.dimensions).astype(np.float32)
    return replace(shipped, extractor=extractor, head=LinearHead(weights, 0.5))


def test_a_mirrored_image_has_the_mirrored_map(averaged: Detector) -> None:
    there, back = (explained(averaged, np.ascontiguousarray(pixels)) for pixels in (IMAGES[0], IMAGES[0][:, ::-1]))
    assert there.margin == pytest.approx(back.margin, rel=1e-4)
    np.testing.assert_allclose(there.total, back.total[:, ::-1], atol=1e-3 * np.abs(there.total).max())
    assert there.base + sum(stage.share for stage in there.stages) == pytest.approx(there.margin, rel=1e-5)
    assert there.base == pytest.approx(0.5, abs=0.1)  # the intercept: the head knows no mean of its training images


@pytest.mark.parametrize("statistic", ["mean", "std", "cov"])
def test_shares_are_what_the_formulas_say(statistic: str) -> None:
    random = np.random.default_rng(1)
    maps = random.normal(size=(3, 4, 5)).astype(np.float32)
    maps[0] = 2.0  # a channel without any deviation
    x = maps.reshape(3, 20).astype(np.float64)
    mean = x.mean(axis=1)
    pooled = {
        "mean": mean,
        "std": x.std(axis=1),
        "cov": np.cov(x, bias=True)[np.triu_indices(3)],
    }[statistic]
    weights, centre = random.normal(size=(2, len(pooled)))
    shares = contributions(statistic, maps, weights, pooled, centre)
    assert shares.shape == (4, 5)
    assert shares.sum() == pytest.approx(weights @ (pooled - centre), abs=1e-9)
    place = x[:, 7]
    expected = {
        "mean": weights @ (place - centre) / 20 if statistic == "mean" else 0.0,
        "std": sum(
            w * ((place[c] - mean[c]) ** 2 / (20 * s) - centre[c] / 20) if s > 0 else -w * centre[c] / 20
            for c, (w, s) in enumerate(zip(weights[:3], pooled[:3], strict=True))
        ),
        "cov": sum(
            weights[n] * ((place[i] - mean[i]) * (place[j] - mean[j]) - centre[n]) / 20
            for n, (i, j) in enumerate(zip(*np.triu_indices(3), strict=True))
            if statistic == "cov"
        ),
    }[statistic]
    assert shares[1, 2] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", [(8, 8), (512, 300), (3, 2), (13, 7), (1, 1)])
def test_other_grids_keep_the_sum(size: tuple[int, int]) -> None:
    shares = np.random.default_rng(2).normal(size=(8, 8))
    assert spread(shares, *size).shape == size
    assert spread(shares, *size).sum() == pytest.approx(shares.sum(), abs=1e-9)
    assert np.ptp(spread(np.ones((8, 8)), *size)) < 1e-9  # an even map stays even


@pytest.mark.parametrize("name", ["svm_rbf", "mlp", "multi"])
def test_a_head_that_is_not_linear_is_approximated_by_its_slope(shipped: Detector, name: str) -> None:
    detector = replace(shipped, head=fitted_on(shipped.extractor, name))
    explanation = explained(detector, IMAGES[0])
    assert not explanation.exact
    assert explanation.base + sum(stage.share for stage in explanation.stages) == pytest.approx(explanation.margin)
    features = detector.extractor.extract(IMAGES[:1])[0]
    tangent = linearise(detector.head, features)
    scale = detector.head.arrays().get("scale", np.float32(0.1))
    step = np.random.default_rng(3).normal(0, 1e-3, len(features)).astype(np.float32) * scale
    moved = detector.head.scores(np.stack([features + step, features - step]))
    assert (moved[0] - moved[1]) / 2 == pytest.approx(tangent.weights @ step, rel=0.02, abs=1e-5)


def fitted_on(extractor: Extractor, name: str) -> FittedHead:
    images = [crop(n, 32) for n in range(20)] + [forged(n, 32) for n in range(20)]
    config = HeadConfig(name, C=1.0, components=20, hidden=[8], epochs=3)
    generators = np.repeat(["", "first", "second"], [20, 10, 10])
    return fit_head(extractor.extract(images), np.repeat([0, 1], 20).astype(np.int8), config, generators=generators)


def test_a_fitted_linear_head_remembers_the_mean_training_image(shipped: Detector) -> None:
    for name in ("logreg", "svm_sgd"):
        head = fitted_on(shipped.extractor, name)
        assert isinstance(head, LinearHead)
        restored = LinearHead.from_arrays(head.arrays())
        images = [crop(n, 32) for n in range(20)] + [forged(n, 32) for n in range(20)]
        assert restored.centre is not None
        np.testing.assert_allclose(restored.centre, shipped.extractor.extract(images).mean(axis=0), atol=1e-4)
    older = LinearHead.from_arrays({"weights": np.ones(3, np.float32), "intercept": np.zeros(1)})
    assert older.centre is None
    assert "centre" not in older.arrays()


def test_a_fine_tuned_network_is_approximated_through_its_layers(shipped: Detector, tmp_path: Path) -> None:
    torch.manual_seed(0)
    stages = [f"block{number}.0.dw" for number in (1, 2, 3)]  # the first ones of the shipped detector's
    spec = shipped.extractor.spec
    graph, _ = build_graph(backbone=spec["backbone"], stages=stages, pooling=spec["pooling"], input_size=32)
    network = JointNetwork(graph, [16, 8], 0.0)
    statistics = network.statistics(torch.from_numpy(np.stack(IMAGES[:2]))).detach()
    network.top.mean.copy_(statistics.mean(dim=0))
    network.top.scale.copy_(1 + statistics.std(dim=0))
    write_graph(network.embedding(), tmp_path / "graph.onnx", {"backbone": "tf_efficientnet_lite0", "weights": ""})
    digest = digest_of_file((tmp_path / "graph.onnx").read_bytes())
    (tmp_path / "graph.onnx").rename(tmp_path / file_name(digest))
    extractor = create({"name": "finetuned", "network": digest}, backbones=tmp_path)
    weights = np.random.default_rng(5).normal(size=8).astype(np.float32)
    explanation = explained(replace(shipped, extractor=extractor, head=LinearHead(weights, 0.0)), IMAGES[0])
    assert not explanation.exact
    assert [stage.name for stage in explanation.stages][:2] == ["blocks.0.0.conv_dw", "blocks.1.0.conv_dw"]
    assert explanation.base + sum(stage.share for stage in explanation.stages) == pytest.approx(explanation.margin)
    row = statistics[:1].requires_grad_()
    (network.top.eval()(row) @ torch.from_numpy(weights)).sum().backward()
    assert row.grad is not None
    slope, distance = row.grad[0].numpy(), (statistics[0] - network.top.mean).detach().numpy()
    shares = sum(stage.share for stage in explanation.stages)
    assert shares == pytest.approx(float(slope @ distance), rel=0.01, abs=1e-3)


def test_a_graph_that_is_put_together_in_another_way_is_refused(shipped: Detector, tmp_path: Path) -> None:
    model = onnx.load(shipped.extractor.path)  # type: ignore[attr-defined]
    [entry] = [entry for entry in model.metadata_props if entry.key == "deepfake"]
    about = json.loads(entry.value)
    wrong = [[["top", "unit", 8]], about["features"][:3], [["x", "cov", 32], *about["features"][1:]]]
    for number, features in enumerate(wrong):
        entry.value = json.dumps({**about, "features": features})
        onnx.save(model, path := tmp_path / f"{number}.onnx")
        with pytest.raises(ConfigError, match="cannot be explained"):
            StageGraph(path).run(IMAGES[0])


def test_extractors_without_a_network_have_no_places(shipped: Detector, tmp_path: Path) -> None:
    npr = create({"name": "npr"}, backbones=tmp_path)
    weights = np.ones(npr.dimensions, np.float32)
    assert explain(replace(shipped, extractor=npr, head=LinearHead(weights, 0.0)), IMAGES[0]) is None


def test_of_several_extractors_those_without_a_network_have_a_share_and_no_map(shipped: Detector) -> None:
    spec = concatenation([{"name": "npr"}, shipped.extractor.spec])
    both = create(spec, backbones=SHIPPED / "backbones")
    weights = np.random.default_rng(4).normal(0, 0.1, both.dimensions).astype(np.float32)
    explanation = explained(replace(shipped, extractor=both, head=LinearHead(weights, 0.0)), IMAGES[0])
    first, *others = explanation.stages
    assert (first.name, first.map) == ("1.npr", None)
    assert all(stage.map is not None and stage.name.startswith("2.block") for stage in others)
    assert explanation.exact
    assert explanation.base + sum(stage.share for stage in explanation.stages) == pytest.approx(explanation.margin)


def test_late_stages_see_all_of_the_image(shipped: Detector) -> None:
    fields = [stage.receptive_field for stage in explained(shipped, IMAGES[0]).stages]
    assert fields[0] == pytest.approx(7 / 64)  # a stem and a depthwise convolution, 3 x 3 each, the first one by twos
    assert fields == sorted(fields, key=lambda field: field or 0.0)
    assert fields[-1] == 1.0


def test_the_picture_says_which_side_each_place_speaks_for() -> None:
    shares = np.array([[4.0, 0.0], [0.0, -2.0]])
    with Image.open(io.BytesIO(draw_heatmap(shares, 40, 20))) as drawn:
        assert (drawn.size, drawn.mode, drawn.format) == ((40, 20), "RGBA", "PNG")
        pixels = np.asarray(drawn)
    assert tuple(pixels[0, 0]) == (*FAKE, 255)
    assert tuple(pixels[-1, -1]) == (*REAL, 127)
    assert pixels[0, -1, 3] == 0
    with Image.open(io.BytesIO(draw_heatmap(np.zeros((2, 2)), 4000, 1000))) as flat:
        assert flat.size == (LONGEST_SIDE, LONGEST_SIDE // 4)
        assert not np.asarray(flat)[..., 3].any()
