"""What the tests ask the replicas, and what they find in the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.cluster.parts import BUCKET, Installation
from tests.running import RunningService

CONFIG = {"extractor": "residual", "head": "logreg", "C": 1.0, "measure_limits": False}
"""A fit whose features take long enough for something to die meanwhile, without a network; nothing follows its head."""


def ask(method: str, replica: RunningService, path: str, **more: Any) -> Any:
    """The JSON of an answer that is no error."""
    answer = requests.request(method, f"{replica.url}{path}", timeout=120, **more)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def import_zip(replica: RunningService, archive: Path, name: str) -> dict[str, Any]:
    """The data set made of the zip."""
    with archive.open("rb") as file:
        made: dict[str, Any] = ask("POST", replica, "/datasets?wait=100", data={"name": name}, files={"archive": file})
    return made


def begin_fit(replica: RunningService, dataset: str, name: str) -> str:
    """The id of the job."""
    job = ask("POST", replica, "/fit", json={"dataset_id": dataset, "config": {**CONFIG, "name": name}})
    return str(job["id"])


def follow(replica: RunningService, job_id: str, until: Callable[[dict[str, Any]], bool], seconds: float = 90) -> Any:
    """The job as soon as `until(job)` holds. A replica that cannot answer at the moment is asked again."""
    deadline = time.monotonic() + seconds
    job: dict[str, Any] = {}
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{replica.url}/jobs/{job_id}", timeout=30)
        except requests.ConnectionError:
            answer = None
        if answer is not None and answer.status_code != 503:
            assert answer.ok, answer.text
            job = answer.json()
            if until(job):
                return job
        time.sleep(0.1)  # a part of a fit takes a second, and the question takes processor time from it
    raise AssertionError(f"It did not happen in time: {job}")


def is_extracting(job: dict[str, Any]) -> bool:
    """Whether some features are computed and others are not."""
    progress = job["progress"]
    return bool(progress and progress["stage"] == "features" and 0 < progress["done"] < progress["total"])


def has_ended(job: dict[str, Any]) -> bool:
    return job["state"] in ("done", "failed", "cancelled")


def objects(installation: Installation, prefix: str = "") -> list[str]:
    """The keys of the store below `prefix`, in order."""
    listed = installation.s3().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return sorted(entry["Key"] for page in listed for entry in page.get("Contents", []))


def forget_features(installation: Installation) -> None:
    """Empties the cache, so that the next fit has something to do."""
    for key in objects(installation, "data/features/"):
        installation.s3().delete_object(Bucket=BUCKET, Key=key)
