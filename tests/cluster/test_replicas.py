"""Two API processes, one store, one database, one cluster: either answers for what the other did."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.cluster.client import ask, begin_fit, follow, has_ended, import_zip, objects
from tests.cluster.parts import CREDENTIALS, Installation
from tests.pictures import photo, zipped
from tests.running import RunningService


def verdict(replica: RunningService, picture: bytes) -> dict[str, object]:
    answer: dict[str, object] = ask("POST", replica, "/predict", files={"files": ("a.png", picture)})
    return answer


def test_either_replica_answers_for_what_the_other_did(installation: Installation, small_archive: Path) -> None:
    first, second = installation.replicas
    shipped = [model["id"] for model in ask("GET", second, "/models")["items"]]
    made = import_zip(first, small_archive, "Shared")
    assert ask("GET", second, "/datasets/Shared") == made
    assert requests.get(f"{second.url}/datasets/Shared/images/7", timeout=60).content[:4] == b"\x89PNG"

    job = begin_fit(first, made["id"], "Shared fit")
    ended = follow(second, job, has_ended)
    assert ended["state"] == "done", ended
    model = ended["result"]["model_id"]
    assert ask("GET", second, f"/models/{model}")["accuracy"]["test"] > 0.9
    assert objects(installation, f"models/{model}/") == [
        f"models/{model}/{name}" for name in ("card.json", "head.safetensors", "predictions.parquet")
    ]
    assert objects(installation, "data/jobs/") == []  # uploads and signals are gone

    ask("POST", second, "/set", json={"model_id": model})
    picture = photo(3)
    answers = [verdict(replica, picture) for replica in (first, second)]
    assert answers[0]["predictions"] == answers[1]["predictions"]
    assert {answer["model_id"] for answer in answers} == {model}
    rows = ask("GET", first, f"/models/{model}/predictions?limit=5")
    assert rows["total"] == made["images"]
    profile = ask("GET", first, f"/eda?dataset_id={made['id']}&wait=100")
    assert profile == ask("GET", second, f"/eda?dataset_id={made['id']}")

    revised = ask("PATCH", second, f"/datasets/{made['id']}", json={"changes": [{"n": 0, "label": "DROP"}]})
    assert ask("GET", first, "/datasets/Shared") == revised
    ask("POST", first, "/set", json={"model_id": shipped[0]})
    ask("DELETE", first, f"/models/{model}")
    ask("DELETE", second, f"/datasets/{made['id']}")
    assert requests.get(f"{second.url}/models/{model}", timeout=60).status_code == 404
    assert requests.get(f"{first.url}/datasets/Shared", timeout=60).status_code == 404
    assert objects(installation, f"models/{model}/") == []
    assert objects(installation, f"data/datasets/{made['id']}/") == []


def test_two_imports_of_one_name_make_one_data_set(installation: Installation) -> None:
    files = {"archive": zipped([(f"{label}/{n}.png", photo(n)) for n in range(8) for label in ("REAL", "FAKE")])}
    jobs = [
        requests.post(f"{replica.url}/datasets", data={"name": "Contested"}, files=files, timeout=60)
        for replica in installation.replicas
    ]
    ended = [follow(installation.replicas[0], job.json()["id"], has_ended) for job in jobs if job.status_code == 202]
    assert [job["state"] for job in ended].count("done") == 1
    folders = {key.split("/")[2] for key in objects(installation, "data/datasets/contested-")}
    assert len(folders) == 1
    ask("DELETE", installation.replicas[1], "/datasets/Contested")


def test_no_secret_is_in_a_log_a_task_or_a_card(installation: Installation) -> None:
    secret = CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
    for log in installation.folder.rglob("*.log"):
        assert secret not in log.read_text(errors="replace"), log
    for model in ask("GET", installation.replicas[0], "/models")["items"]:
        assert secret not in str(model)
