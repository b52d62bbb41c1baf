"""A fit in a memory that does not hold all training images, and the promise that a fit makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.config import FitConfig
from backend.core.edited import FEWEST_IMAGES, LEAST_GAIN
from backend.core.edits import EDITS
from backend.core.errors import TooFewImages
from backend.core.guarantee import LEAST_IMAGES, fpr_bound
from backend.service.app import Service
from backend.service.fit_columns import Columns
from backend.service.fitting import FitTask, _promise, fit_on_worker
from backend.service.model_files import PREDICTIONS
from tests.service.conftest import QUICK


def fit_here(service: Service, demo: str, folder: Path, config: FitConfig, most_bytes: int = 2**30) -> dict[str, Any]:
    """The card of a fit on features that the model of the fixture has left behind."""
    task = FitTask(
        datasets=service.datasets.root,
        info=service.datasets.get(demo),
        features=service.features.root,
        backbones=service.settings.backbones_dir,
        chunks=tuple(service.datasets.chunks(demo)),
        config=config,
        most_bytes=most_bytes,
        folder=folder,
        card={"config": config.to_json(), "timings": {}, "generators": []},
    )
    return fit_on_worker(task, lambda _stage, _done, _total: None)


def test_a_fit_beyond_its_memory_takes_a_sample_and_scores_every_image(
    service: Service, demo: str, model: str, tmp_path: Path
) -> None:
    whole = service.registry.get(model)
    card = fit_here(
        service,
        demo,
        tmp_path,
        QUICK,
        most_bytes=4 * whole["extractor"]["dimensions"] * whole["metrics"]["train"]["n"] // 2,
    )
    assert whole["fitted_on"] == whole["metrics"]["train"]["n"]
    assert np.isclose(card["fitted_on"], whole["fitted_on"] / 2, rtol=0.1)
    assert card["metrics"]["train"]["n"] == whole["fitted_on"]
    assert card["accuracy"]["test"] > 0.5
    assert pq.read_metadata(tmp_path / PREDICTIONS).num_rows == service.datasets.get(demo).images


def test_a_target_for_false_positives_sets_the_threshold_and_the_card_says_what_holds(
    service: Service, demo: str, model: str, tmp_path: Path
) -> None:
    usual = service.registry.get(model)
    card = fit_here(service, demo, tmp_path, replace(QUICK, target_fpr=0.02))
    assert card["threshold"] > usual["threshold"]
    scored = pq.read_table(tmp_path / PREDICTIONS)
    shares = {}
    for split in ("validation", "test"):
        real = scored.filter((pa.compute.field("split") == split) & (pa.compute.field("label") == 0))
        shares[split] = np.mean(np.array(real["probability_fake"]) >= card["threshold"])
        assert card["metrics"][split]["fpr"] == pytest.approx(shares[split])
    promise = card["fpr_promise"]
    assert (promise["source"], promise["threshold"]) == ("test", card["threshold"])
    assert promise["images"] < LEAST_IMAGES  # the demonstration set's crops come from a few photographs
    assert promise["bound"] is None
    assert str(LEAST_IMAGES) in promise["reason"]
    band = card["unsure_band"]
    for split in ("validation", "test"):
        chance = np.array(scored.filter(pa.compute.field("split") == split)["probability_fake"])
        assert card["metrics"][split]["unsure_share"] == np.mean((chance > band[0]) & (chance < band[1]))
        assert card["metrics"][split]["sure_accuracy"] >= card["metrics"][split]["accuracy"] - 0.02


def test_a_card_says_what_its_model_makes_of_edited_photographs(service: Service, model: str) -> None:
    edited = service.registry.get(model)["edited"]
    assert (edited["source"], edited["reason"]) == ("test", None)
    assert edited["images"] >= FEWEST_IMAGES
    assert [row["kind"] for row in edited["kinds"]] == list(EDITS)
    missed = [row["recall"] - edited["fpr"] < LEAST_GAIN for row in edited["kinds"]]
    assert edited["whole_images_only"] is any(missed)


def test_a_card_says_what_is_found_of_each_generator_that_is_left_out(service: Service, demo: str, model: str) -> None:
    found = service.registry.get(model)["left_out_generators"]
    names = service.datasets.get(demo).generators
    assert [row["generator"] for row in found["generators"]] == [name for name in sorted(names) if name]
    assert all(row["n"] >= 40 for row in found["generators"])
    assert found["worst"] in names
    assert (found["head"], found["reason"]) == ("logreg", None)


def test_a_fit_that_was_told_not_to_measure_counts_for_whole_images_only(
    service: Service, demo: str, model: str, tmp_path: Path
) -> None:
    card = fit_here(service, demo, tmp_path, replace(QUICK, measure_limits=False))
    assert card["left_out_generators"]["generators"] == []
    assert "told not to" in card["left_out_generators"]["reason"]
    edited = card["edited"]
    assert (edited["images"], edited["kinds"], edited["whole_images_only"]) == (0, [], True)
    assert "told not to" in edited["reason"]


def test_a_fit_that_is_to_doubt_needs_more_photographs_than_the_demonstration_has(
    service: Service, demo: str, model: str, tmp_path: Path
) -> None:
    with pytest.raises(TooFewImages, match="REAL training images"):
        fit_here(service, demo, tmp_path, replace(QUICK, doubt=0.18))


def test_unread_test_images_promise_nothing(service: Service, demo: str, model: str, tmp_path: Path) -> None:
    card = fit_here(service, demo, tmp_path, replace(QUICK, evaluate_test=False))
    assert (card["fpr_promise"]["bound"], card["fpr_promise"]["images"]) == (None, 0)
    assert str(LEAST_IMAGES) in card["fpr_promise"]["reason"]
    assert card["metrics"]["validation"]["unsure_share"] is not None


def test_a_promise_rests_on_test_images_without_kin_in_other_splits(service: Service, model: str) -> None:
    """Of 300 REAL test images 100 share a group with a training image, and two stand in each other group."""
    split = np.repeat(["train", "test", "test"], [100, 300, 50])
    group = np.r_[np.arange(100), np.arange(100), np.repeat(np.arange(100, 200), 2), np.arange(500, 550)]
    y = np.repeat([0, 0, 1], [100, 300, 50]).astype(np.int8)
    sides = np.full(450, 32, np.int64)
    unnamed = np.full(450, "")
    twins = np.zeros(450, bool)
    columns = Columns(np.arange(450), y, split, group, unnamed, [""] * 450, twins, sides, sides, sides)
    chances = np.zeros(450)
    chances[[0, 100, 201, 202, 399, 440]] = 1.0  # kin, second of its group, first of its group, second, FAKE
    found = _promise(columns, chances, service.registry.detector(model), QUICK)
    assert (found["images"], found["false_positives"]) == (100, 1)
    assert found["bound"] == fpr_bound(1, 100)
    assert "for images like these" in found["statement"]
