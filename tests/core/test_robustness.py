"""The battery: rows in their order, figures as they are defined, and the same scores in any company."""

from __future__ import annotations

import numpy as np
import pytest

from backend.core.calibrators import Calibration
from backend.core.detector import Detector
from backend.core.extractors import create
from backend.core.heads.linear import LinearHead
from backend.core.metrics import auroc
from backend.core.robustness import BATTERY, measure_robustness, score_copies
from tests.pictures import crop, forged


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """Counts pixels that equal their neighbour, which an up-sampler leaves: sound images only."""
    npr = create({"name": "npr"}, backbones=tmp_path_factory.mktemp("backbones"))
    weights = np.array([10.0 if name.endswith("zeros") else 0.0 for name in npr.feature_names], np.float32)
    return Detector(npr, LinearHead(weights, -85.0), Calibration("platt", 1.0), threshold=0.5)


def test_a_row_each_and_the_trace_of_an_upsampler_goes_with_a_resize(detector: Detector) -> None:
    images = [crop(n, 32) for n in range(8)] + [forged(n, 32) for n in range(8)]
    y = np.repeat([0, 1], 8).astype(np.int8)
    scores = score_copies(detector, images, range(16))
    assert scores.shape == (1 + len(BATTERY), 16)
    rows = measure_robustness(detector, y, scores)
    assert [(row["corruption"], row["strength"]) for row in rows[1:]] == [(c.name, c.strength) for c in BATTERY]
    assert rows[0]["corruption"] is None
    assert rows[0]["accuracy"] == 1.0
    found = {(row["corruption"], row["strength"]): row for row in rows}
    assert found["flip", 1]["accuracy"] == 1.0
    assert found["resize", 0.75]["recall"] < 0.5
    for row, margins in zip(rows, scores, strict=True):
        assert row["auroc"] == auroc(y, margins)
        low, high = row["intervals"]["accuracy"]
        assert low <= row["accuracy"] <= high


def test_an_image_scores_the_same_in_any_company(detector: Detector) -> None:
    images = [crop(n, 32) for n in range(3)]
    together = score_copies(detector, images, [5, 6, 7])
    alone = score_copies(detector, images[1:2], [6])
    np.testing.assert_allclose(together[:, 1], alone[:, 0], rtol=1e-5)


def test_of_one_class_only_what_needs_two_is_none(detector: Detector) -> None:
    row = measure_robustness(detector, np.ones(2, np.int8), np.zeros((1 + len(BATTERY), 2)))[0]
    assert (row["auroc"], row["fpr"], row["intervals"]["auroc"]) == (None, None, None)
