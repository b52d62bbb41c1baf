"""kill -9 of each part in the middle of a fit: the fit ends well, nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.api.leftovers import eventually
from tests.cluster.client import ask, begin_fit, follow, forget_features, has_ended, import_zip, is_extracting, objects
from tests.cluster.parts import Installation
from tests.pictures import photo

CHUNKS = 5
"""Of the data set: 2,500 images in two shards."""


@pytest.fixture(scope="module")
def dataset(installation: Installation, archive: Path) -> Iterator[str]:
    """Id of the data set that all tests fit on."""
    id = str(import_zip(installation.replicas[0], archive, "Killed")["id"])
    assert requests.post(  # a first prediction, which loads the model
        f"{installation.replicas[0].url}/predict", files={"files": ("a.png", photo(1))}, timeout=60
    ).ok
    yield id
    ask("DELETE", installation.replicas[1], f"/datasets/{id}")
    assert objects(installation, "data/features/") == []


def fit_until_features(installation: Installation, dataset: str, name: str) -> str:
    """The id of a fit that has computed some of the features."""
    forget_features(installation)
    job_id = begin_fit(installation.replicas[0], dataset, name)
    follow(installation.replicas[1], job_id, is_extracting)
    return job_id


def expect_one_model(installation: Installation, job_id: str, name: str, asked: int = 1) -> None:
    """The job ends well, with one model that either replica knows, and the features of all chunks."""
    job = follow(installation.replicas[asked], job_id, has_ended)
    assert job["state"] == "done", job
    for replica in installation.replicas:
        models = [model for model in ask("GET", replica, "/models")["items"] if model["name"] == name]
        assert [model["id"] for model in models] == [job["result"]["model_id"]]
        assert models[0]["accuracy"]["test"] > 0.9
    assert len([key for key in objects(installation, "models/") if f"/{name}-" in f"/{key.split('/')[1]}"]) == 3
    assert len(objects(installation, "data/features/")) == CHUNKS
    eventually(lambda: objects(installation, f"data/jobs/{job_id}/") == [])


def test_a_worker(installation: Installation, dataset: str) -> None:
    job_id = fit_until_features(installation, dataset, "worker")
    os.kill(installation.workers.processes()[0], signal.SIGKILL)
    expect_one_model(installation, job_id, "worker")


def test_the_scheduler(installation: Installation, dataset: str) -> None:
    job_id = fit_until_features(installation, dataset, "scheduler")
    installation.scheduler.kill()
    installation.scheduler.start()
    expect_one_model(installation, job_id, "scheduler")


def test_the_database(installation: Installation, dataset: str) -> None:
    job_id = fit_until_features(installation, dataset, "database")
    installation.database.stop_at_once()
    time.sleep(1)
    installation.database.start()
    expect_one_model(installation, job_id, "database")


def test_the_way_to_the_object_store(installation: Installation, dataset: str) -> None:
    job_id = fit_until_features(installation, dataset, "store")
    installation.way.kill()
    first, second = installation.replicas
    follow(second, job_id, lambda job: job["state"] == "queued")  # it waits, and no start is counted
    assert requests.get(f"{first.url}/models", timeout=60).status_code == 503
    predicted = requests.post(f"{first.url}/predict", files={"files": ("a.png", photo(1))}, timeout=60)
    assert predicted.status_code == 200  # the model is in memory
    installation.way.start()
    expect_one_model(installation, job_id, "store")
    assert ask("GET", first, f"/jobs/{job_id}")["attempts"] == 1


def test_the_api_process_that_runs_the_job(installation: Installation, dataset: str) -> None:
    job_id = fit_until_features(installation, dataset, "replica")
    runs_it = [f"{job_id} (fit) starts" in replica.log.read_text() for replica in installation.replicas]
    assert sum(runs_it) == 1
    victim = runs_it.index(True)
    installation.replicas[victim].kill()
    job = follow(installation.replicas[1 - victim], job_id, has_ended)
    installation.replicas[victim].start()
    assert job["attempts"] == 2
    expect_one_model(installation, job_id, "replica")
