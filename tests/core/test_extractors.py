"""Every extractor of the table, and what one body can say of all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from skimage import data as photographs

from backend.core.calibrators import Calibration
from backend.core.errors import BackboneUnavailable, ConfigError, IntegrityError, UnknownBackbone, UnknownExtractor
from backend.core.extractors import DEFAULT_SPEC, EXTRACTORS, Extractor, check_spec, create
from backend.core.extractors.batches import MAX_PIXELS, by_shape
from backend.core.extractors.cnn import graph_path
from backend.core.extractors.finetuned import file_name
from backend.core.extractors.fingerprint import file_name as fingerprint_file
from backend.core.extractors.options import Option, fill
from backend.core.extractors.stages import Tap, resolve_stages
from backend.core.extractors.stored import digest_of_file
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.export import bundle

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "backbones"
PARTS = [{"name": "npr"}, {"name": "spectrum", "rings": 8}]
GRAPH = graph_path(check_spec(DEFAULT_SPEC), SHIPPED)
NETWORK = digest_of_file(GRAPH.read_bytes())
RANDOM = np.random.default_rng(0)
FINGERPRINT = FrozenFingerprint(
    "g",
    "gaussian",
    RANDOM.normal(0, 2, (32, 32, 3)).astype(np.float32),
    RANDOM.uniform(0, 9, (32, 32)),
    RANDOM.integers(0, 256, (12, 32), dtype=np.uint8),
).to_bytes()
SPECS: dict[str, dict[str, Any]] = {name: {"name": name} for name in EXTRACTORS} | {
    "cnn": DEFAULT_SPEC,
    "finetuned": {"name": "finetuned", "network": NETWORK},
    "fingerprint": {"name": "fingerprint", "fingerprints": [digest_of_file(FINGERPRINT)]},
    "concat": {"name": "concat", "parts": PARTS},
}
Image = NDArray[np.uint8]


def make_images() -> list[Image]:
    """Photographs, noise and flat colour, of mixed sizes, two of them equal in size, one very long, one very small."""
    cat, coffee = photographs.chelsea(), photographs.coffee()
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    flat = np.full((32, 32, 3), 200, np.uint8)
    return [cat[:32, :32], noise, coffee, flat, cat[:8, :9], cat[::2, ::2], np.tile(coffee[:8], (1, 12, 1))]


IMAGES = [np.ascontiguousarray(image) for image in make_images()]


@pytest.fixture(scope="session")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped graphs, one of them also as if it had been fine-tuned, and a fingerprint."""
    folder = tmp_path_factory.mktemp("backbones")
    for graph in SHIPPED.glob("*.onnx"):
        (folder / graph.name).symlink_to(graph)
    (folder / file_name(NETWORK)).symlink_to(GRAPH)
    (folder / fingerprint_file(digest_of_file(FINGERPRINT))).write_bytes(FINGERPRINT)
    return folder


@pytest.fixture(scope="module", params=sorted(SPECS))
def extractor(request: pytest.FixtureRequest, backbones: Path) -> Extractor:
    return create(SPECS[request.param], backbones=backbones)


def test_features_are_one_finite_row_for_each_image(extractor: Extractor) -> None:
    features = extractor.extract(IMAGES)
    assert features.shape == (len(IMAGES), extractor.dimensions)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.isfinite(features.astype(np.float16)).all()  # the cache's type
    assert len(np.unique(features, axis=0)) == len(IMAGES)
    assert extractor.extract([]).shape == (0, extractor.dimensions)


def test_a_batch_gives_what_its_images_give_one_by_one(extractor: Extractor) -> None:
    many = IMAGES + IMAGES[:2] * 20
    together = extractor.extract(many)
    alone = np.concatenate([extractor.extract([image]) for image in many])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(together, extractor.extract(many))


def test_every_feature_has_a_name_of_its_own(extractor: Extractor) -> None:
    assert len(set(extractor.feature_names)) == len(extractor.feature_names) == extractor.dimensions


def test_its_own_spec_makes_the_same_extractor(extractor: Extractor, backbones: Path) -> None:
    again = create(json.loads(json.dumps(extractor.spec)), backbones=backbones)
    assert (again.spec, again.digest) == (extractor.spec, extractor.digest)
    np.testing.assert_array_equal(again.extract(IMAGES[:2]), extractor.extract(IMAGES[:2]))


def test_digests_differ_where_numbers_do(backbones: Path) -> None:
    specs = [*SPECS.values(), {"name": "spectrum", "rings": 8}, {"name": "concat", "parts": PARTS[::-1]}]
    digests = {create(spec, backbones=backbones).digest for spec in specs}
    assert len(digests) == len(specs)
    assert create({"name": "spectrum", "rings": 24}, backbones=SHIPPED).digest in digests  # a default, written out


@pytest.mark.parametrize("name", sorted(EXTRACTORS))
def test_every_row_of_the_table_describes_its_options(name: str) -> None:
    row = EXTRACTORS[name]
    assert row.name == name
    assert row.summary.endswith(".")
    for option in json.loads(json.dumps(row.options)).values():
        assert {"type", "default", "choices", "help"} <= set(option)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"name": "hog"}, UnknownExtractor),
        ({}, UnknownExtractor),
        ({"name": ["cnn"]}, UnknownExtractor),
        ({"name": "cnn", "size": 64}, ConfigError),
        ({"name": "cnn", "input_size": 8}, ConfigError),
        ({"name": "cnn", "input_size": True}, ConfigError),
        ({"name": "cnn", "pooling": ["median"]}, ConfigError),
        ({"name": "cnn", "pooling": []}, ConfigError),
        ({"name": "cnn", "stages": [3]}, ConfigError),
        ({"name": "cnn", "stages": ["stem", "stem"]}, ConfigError),
        ({"name": "cnn", "backbone": "hf-hub:timm/resnet18"}, UnknownBackbone),
        ({"name": "cnn", "backbone": "local-dir:/tmp/net"}, UnknownBackbone),
        ({"name": "fingerprint"}, ConfigError),
        ({"name": "fingerprint", "fingerprints": [""]}, ConfigError),
        ({"name": "fingerprint", "fingerprints": ["../../card"]}, ConfigError),
        ({"name": "fingerprint", "fingerprints": [f"{number:064x}" for number in range(33)]}, ConfigError),
        ({"name": "fingerprint", "fingerprints": ["0" * 64]}, BackboneUnavailable),
        ({"name": "concat"}, ConfigError),
        ({"name": "concat", "parts": [{"name": "npr"}]}, ConfigError),
        ({"name": "concat", "parts": [{"name": "npr"}, {"name": "concat", "parts": PARTS}]}, ConfigError),
        ({"name": "concat", "parts": [{"name": "npr"}, {"name": "hog"}]}, UnknownExtractor),
    ],
)
def test_wrong_specs_are_refused_and_write_nothing(
    spec: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        create(spec, backbones=tmp_path)
    assert caught.value.hint  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


def test_a_graph_that_is_there_needs_neither_torch_nor_timm() -> None:
    program = f"""
import sys, numpy as np
from pathlib import Path
from backend.core.extractors import DEFAULT_SPEC, create
create(DEFAULT_SPEC, backbones=Path({str(SHIPPED)!r})).extract([np.zeros((32, 32, 3), np.uint8)])
print([name for name in ("torch", "timm", "torchvision", "onnx") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


SECOND_NETWORK = """
import sys
from pathlib import Path
import numpy as np, psutil
from backend.core.extractors.session import open_session, share_arena

if sys.argv[1] == "shared":
    share_arena()
    share_arena()
sessions = [open_session(Path(sys.argv[2]), 1) for _ in range(2)]
pixels = np.zeros((32, 32, 32, 3), np.uint8)
used = [psutil.Process().memory_info().rss]
for session in sessions:
    session.run(None, {"pixels": pixels})
    used.append(psutil.Process().memory_info().rss)
print(*np.diff(used) >> 20)
"""


def test_networks_that_share_an_arena_take_its_memory_once() -> None:
    def taken(mode: str) -> list[int]:
        command = [sys.executable, "-c", SECOND_NETWORK, mode, str(GRAPH)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        return [int(mebibytes) for mebibytes in done.stdout.split()]

    first, second = taken("each its own")
    assert first > 10
    assert second > first / 2
    first, second = taken("shared")
    assert first > 10
    assert second < first / 4


def test_a_damaged_graph_is_told(tmp_path: Path) -> None:
    path = Path(getattr(create(DEFAULT_SPEC, backbones=SHIPPED), "path"))  # noqa: B009
    whole = path.read_bytes()
    for damaged in (b"no graph", whole[: len(whole) // 2], b""):
        (tmp_path / path.name).write_bytes(damaged)
        with pytest.raises(IntegrityError, match="tf_efficientnet_lite0"):
            create(DEFAULT_SPEC, backbones=tmp_path)


def test_a_list_without_end_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="100000 items"):
        check_spec({"name": "cnn", "stages": [f"block{n}" for n in range(100_000)]})


def test_weights_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from backend.core.errors import BackboneUnavailable, UnknownBackbone
from backend.core.extractors import create
for name, error in (("resnet18", BackboneUnavailable), ("resnet18b", UnknownBackbone)):
    try:
        create({{"name": "cnn", "backbone": name}}, backbones=Path({str(tmp_path)!r}) / "backbones")
    except error as caught:
        print(caught.hint)
"""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=offline, check=True
    )
    unavailable, unknown = done.stdout.strip().splitlines()
    assert "tf_efficientnet_lite0" in unavailable
    assert "resnet18" in unknown
    assert not (tmp_path / "backbones").exists()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    spec = {
        "name": "cnn",
        "stages": ["stem", "last"],
        "input_size": 32,
        "pooling": ["mean", "std", "cov"],
        "flips": True,
    }
    return create(spec, backbones=tmp_path_factory.mktemp("backbones"))


def test_an_export_with_flips_computes_what_pytorch_computes(exported: Extractor) -> None:
    import torch

    from backend.core.extractors.backbones import load

    network, weights = load("tf_efficientnet_lite0")
    assert len(weights) == 64
    pixels = IMAGES[1]  # already of the input size, so that the resize changes nothing

    def computed(view: Image) -> NDArray[np.float64]:
        with torch.no_grad():
            x = torch.from_numpy(view.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1  # the record's mean, std: 0.5
            maps = network.bn1(network.conv_stem(x)).numpy()[0]  # type: ignore[operator]
            last = network.forward_head(network.forward_features(x), pre_logits=True).numpy()[0]  # type: ignore[operator]
        stem = maps.reshape(32, -1).astype(np.float64)
        return np.concatenate([stem.mean(1), stem.std(1), np.cov(stem, bias=True)[np.triu_indices(32)], last])

    image, mirror_image = computed(pixels), computed(np.fliplr(pixels))
    assert np.abs(image - mirror_image).max() > 0.1
    np.testing.assert_allclose(exported.extract([pixels])[0], (image + mirror_image) / 2, atol=5e-3)
    assert exported.feature_names[0] == "cnn.stem.mean[0]"
    assert exported.feature_names[-1] == "cnn.last.mean[1279]"


def test_an_option_that_came_later_changes_no_digest_unless_it_is_used() -> None:
    options = {
        "size": Option("int", 8, "Size.", maximum=9),
        "late": Option("bool", False, "Late.", silent_default=True),
    }
    assert fill({"name": "x"}, options) == fill({"name": "x", "late": False}, options) == {"name": "x", "size": 8}
    assert fill({"name": "x", "late": True}, options) == {"name": "x", "size": 8, "late": True}
    for wrong in (0, 1, "yes", None):
        with pytest.raises(ConfigError, match="late"):
            fill({"name": "x", "late": wrong}, options)


def test_the_shipped_network_is_found_under_the_digest_of_the_default_spec() -> None:
    path = graph_path(check_spec({"name": "cnn", "flips": False}), SHIPPED)
    assert path.name == "fdee3a47138af95f34f13a9a9073c0f03abe11eaa771c17d05c480f7cd867bc9.onnx"
    assert path.is_file()


def test_large_inputs_export_and_a_wrong_graph_is_still_refused(tmp_path: Path) -> None:
    from backend.core.extractors import export
    from backend.core.extractors.backbones import load
    from backend.core.extractors.graph import FeatureGraph
    from backend.core.extractors.stages import resolve_stages, taps_of

    stage, pooling = "block2.1.dw", ["std"]  # nearly constant maps: float32 shows
    path = tmp_path / "graph.onnx"
    export.export(path, backbone="tf_efficientnet_lite0", stages=[stage], input_size=384, pooling=pooling)
    network, _ = load("tf_efficientnet_lite0")
    taps = taps_of(network)
    record = {**network.pretrained_cfg, "mean": (0.52, 0.5, 0.5)}  # type: ignore[dict-item]
    other = FeatureGraph(network, taps, resolve_stages([stage], pooling, taps), 384, record).eval()
    with pytest.raises(IntegrityError, match="off by"):
        export._check(other, path)


def test_no_graph_tells_of_the_machine_that_made_it(exported: Extractor) -> None:
    for path in (exported.path, *SHIPPED.glob("*.onnx")):  # type: ignore[attr-defined]
        assert b"stack_trace" not in path.read_bytes()


def test_one_graph_goes_from_pixels_to_probability(exported: Extractor) -> None:
    images = np.random.default_rng(2).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    images[::2] = images[::2] // 2
    features = exported.extract(list(images))
    head = fit_head(features, (np.arange(40) % 2).astype(np.int8), HeadConfig(C=0.01))
    line = Calibration("platt", 2.0, -0.5)
    graph = bundle(exported.path, head, calibration=line, card={"name": "test"})  # type: ignore[attr-defined]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    score, probability = session.run(["score", "probability_fake"], {"pixels": images})
    np.testing.assert_allclose(score, head.scores(features), atol=1e-3)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(0.5 - 2 * score)), atol=1e-4)
    assert json.loads(session.get_modelmeta().custom_metadata_map["card"]) == {"name": "test"}


def test_the_graph_calibrates_along_a_curve_as_the_detector_does(exported: Extractor) -> None:
    images = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    images[::2] = images[::2] // 2
    features = exported.extract(list(images))
    head = fit_head(features, (np.arange(40) % 2).astype(np.int8), HeadConfig(C=0.01))
    low, middle, high = np.quantile(head.scores(features), [0.2, 0.4, 0.8]).tolist()  # some scores lie beyond the knots
    curve = Calibration("isotonic", 0.7, knots=((low, -3.0), (middle, 0.5), (high, 2.0)))
    graph = bundle(exported.path, head, calibration=curve, card={"name": "test"})  # type: ignore[attr-defined]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    score, probability = session.run(["score", "probability_fake"], {"pixels": images})
    np.testing.assert_allclose(probability, curve.probabilities(score), atol=1e-5)


TAPS = {name: Tap("", 8) for name in ("stem", "block1.0.dw", "block1.0", "block1", "block5.0.dw", "block5", "last")}


def test_presets_and_suffixes_name_stages() -> None:
    both = ["mean", "std"]
    assert resolve_stages("last", both, TAPS) == [("last", "mean")]
    assert resolve_stages("all", ["mean"], TAPS) == [("stem", "mean"), ("block1", "mean"), ("block5", "mean")]
    assert resolve_stages(["stem", "block5:mean"], both, TAPS)[1:] == [("stem", "std"), ("block5", "mean")]
    assert ("block1.0.dw", "std") in resolve_stages("texture", both, TAPS)
    assert resolve_stages("detail", both, TAPS)[-2:] == [("stem", "cov"), ("block1", "cov")]
    for wrong in ("some", ["block9"], ["stem:median"]):
        with pytest.raises(ConfigError):
            resolve_stages(wrong, both, TAPS)


def test_batches_hold_one_shape_and_a_bounded_number_of_pixels() -> None:
    large = np.zeros((2000, 2500, 3), np.uint8)
    images = [large, IMAGES[0], large, IMAGES[1]]
    batches = list(by_shape(images, 32))
    assert sorted(row for rows, _ in batches for row in rows) == [0, 1, 2, 3]
    assert all(pixels.shape[0] * pixels.shape[1] * pixels.shape[2] <= MAX_PIXELS for _, pixels in batches)
