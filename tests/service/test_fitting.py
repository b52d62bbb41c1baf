"""A fit in a memory that does not hold all training images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from backend.service.app import Service
from backend.service.fitting import FitTask, fit_on_worker
from backend.service.model_files import PREDICTIONS
from tests.service.conftest import QUICK


def test_a_fit_beyond_its_memory_takes_a_sample_and_scores_every_image(
    service: Service, demo: str, model: str, tmp_path: Path
) -> None:
    whole = service.registry.get(model)
    task = FitTask(
        datasets=service.datasets.root,
        info=service.datasets.get(demo),
        features=service.features.root,
        backbones=service.settings.backbones_dir,
        chunks=tuple(service.datasets.chunks(demo)),
        config=QUICK,
        most_bytes=4 * whole["extractor"]["dimensions"] * whole["metrics"]["train"]["n"] // 2,
        folder=tmp_path,
        card={"config": QUICK.to_json(), "timings": {}},
    )
    card = fit_on_worker(task, lambda _stage, _done, _total: None)
    assert whole["fitted_on"] == whole["metrics"]["train"]["n"]
    assert np.isclose(card["fitted_on"], whole["fitted_on"] / 2, rtol=0.1)
    assert card["metrics"]["train"]["n"] == whole["fitted_on"]
    assert card["accuracy"]["test"] > 0.5
    assert pq.read_metadata(tmp_path / PREDICTIONS).num_rows == service.datasets.get(demo).images
