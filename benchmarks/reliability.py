"""The fault table: each part of an installation killed (-9) in the middle of an import or a fit, and what became of it.

    DEEPFAKE_DATA=... python -m benchmarks.reliability

The parts are real: two API processes, a Dask scheduler, two workers, PostgreSQL, an S3 server; and one machine with
nothing but `deepfake serve`. The images are the first of CIFAKE. `python -m benchmarks.documents` puts the table into
docs/reliability.md.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.record import data_folder, write_result
from tests.cluster.client import ask, follow, has_ended, objects
from tests.cluster.parts import BUCKET, Installation, ObjectStore, PostgreSQL
from tests.running import RunningService

IMAGES = 10_000
DOWN_SECONDS = 5.0
"""So long the scheduler and the database stay away."""

CONFIG = {"head": "logreg", "C": 0.01}
NOTHING = "nothing"
STAGES = ("import", "features", "fit")
Kill = Callable[[str], str]
"""Kills something while the job of that id runs; returns what happened then, in words."""


@dataclass
class Place:
    """An installation: its API processes, and how its files are counted."""

    name: str
    servers: list[RunningService]
    list_files: Callable[[str], list[str]]  # those whose names begin so: "data/features/..."
    killed: list[RunningService] = field(default_factory=list)

    @property
    def server(self) -> RunningService:
        """One that answers."""
        return next(server for server in self.servers if server not in self.killed)

    def kill(self, server: RunningService) -> None:
        """kill -9 of an API process; `revive` starts it again."""
        server.kill()
        self.killed.append(server)

    def revive(self) -> None:
        """Starts what `kill` ended."""
        for server in self.killed:
            server.start()
        self.killed.clear()


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    place: Place
    stage: str  # of the job's progress: import, features or fit
    killed: str
    kill: Kill | None  # None: nothing, for comparison


def run(fault: Fault, archive: Path, number: int) -> dict[str, Any]:
    """The row's figures; ends the program where something was lost or is there twice."""
    place, name = fault.place, f"fault-{number}"
    before = set(place.list_files(""))
    started = time.perf_counter()
    with archive.open("rb") as file:
        form = {"name": name, "config": json.dumps({**CONFIG, "name": name})}
        job = ask("POST", place.server, "/fit", data=form, files={"archive": file})
    if fault.kill is not None:
        follow(place.server, job["id"], lambda now: _is_amid(now, fault.stage), 300)
        happened = fault.kill(job["id"])
    else:
        happened = ""
    ended = follow(place.server, job["id"], has_ended, 600)
    seconds = time.perf_counter() - started
    row = {
        "installation": place.name,
        "killed": fault.killed,
        "during": fault.stage,
        "action": happened,
        "state": ended["state"],
        "attempts": ended["attempts"],
        "seconds": round(seconds, 1),
        **_count(place, name, ended, before),
    }
    _remove(place, name)
    return row


def _is_amid(job: dict[str, Any], stage: str) -> bool:
    if job["state"] in ("failed", "cancelled", "done"):
        raise SystemExit(f"The job ended before anything was killed: {job}")
    progress = job["progress"]
    if not progress or progress["stage"] != stage:
        return False
    return bool(stage == "fit" or 0 < progress["done"] < progress["total"])


def _count(place: Place, name: str, job: dict[str, Any], before: set[str]) -> dict[str, Any]:
    """What is there afterwards, against what should be: one data set of all images, one model, each chunk once."""
    server = place.server
    datasets = [item for item in ask("GET", server, "/datasets?limit=1000")["items"] if item["name"] == name]
    models = [item for item in ask("GET", server, "/models?limit=1000")["items"] if item["name"] == name]
    images = ask("GET", server, f"/datasets/{datasets[0]['id']}/images?limit=1")["total"] if datasets else 0
    new = set(place.list_files("")) - before
    features = [path for path in new if path.startswith("data/features/")]
    left = [path for path in new if path.startswith("data/jobs/") and job["id"] in path]
    return {
        "datasets": len(datasets),
        "images": images,
        "models": len(models),
        "accuracy_test": models[0]["accuracy"]["test"] if models else None,
        "feature_files": len(features),
        "leftover_files": len(left),
    }


def _remove(place: Place, name: str) -> None:
    server = place.server
    for item in ask("GET", server, "/datasets?limit=1000")["items"]:
        if item["name"] == name:
            ask("DELETE", server, f"/datasets/{item['id']}")
    for item in ask("GET", server, "/models?limit=1000")["items"]:
        if item["name"] == name:
            ask("DELETE", server, f"/models/{item['id']}")


def first_images(target: Path) -> Path:
    """A zip of the first IMAGES images of CIFAKE, both classes and both splits."""
    with zipfile.ZipFile(data_folder() / "cifake.zip") as archive, zipfile.ZipFile(target, "w") as out:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        for name in names[:: len(names) // IMAGES][:IMAGES]:
            out.writestr(name, archive.read(name))
    return target


def cluster_faults(installation: Installation) -> list[Fault]:
    """Every part of the cluster in turn."""
    place = Place("cluster", installation.replicas, lambda prefix: objects(installation, prefix))

    def kill_workers(_: str) -> str:
        for worker in installation.workers.processes():
            os.kill(worker, signal.SIGKILL)
        return "their nannies start others"

    def kill_scheduler(_: str) -> str:
        installation.scheduler.kill()
        time.sleep(DOWN_SECONDS)
        installation.scheduler.start()
        return f"started again after {DOWN_SECONDS:g} s"

    def kill_database(_: str) -> str:
        installation.database.stop_at_once()
        time.sleep(DOWN_SECONDS)
        installation.database.start()
        return f"started again after {DOWN_SECONDS:g} s"

    def kill_server(job_id: str) -> str:
        place.kill(next(server for server in place.servers if _runs(server, job_id)))
        return "the other one goes on when the lease (4 s here, 30 s by default) has run out"

    kills = {
        "the workers": kill_workers,
        "the scheduler": kill_scheduler,
        "PostgreSQL": kill_database,
        "the API process that runs the job": kill_server,
    }
    return _faults(place, kills)


def _runs(server: RunningService, job_id: str) -> bool:
    log = server.log.read_text()
    return log.count(f"{job_id} (fit) starts") > log.count(f"{job_id} (fit) has left")


def machine_faults(service: RunningService) -> list[Fault]:
    """One machine: the server and its workers."""

    def list_files(prefix: str) -> list[str]:
        paths = [path.relative_to(service.folder).as_posix() for path in service.folder.rglob("*") if path.is_file()]
        return [path for path in paths if path.startswith(prefix)]

    def kill_server(_: str) -> str:
        service.kill()
        service.start()
        return "started again at once"

    def kill_workers(_: str) -> str:
        for child in psutil.Process(service.pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
        return "their nannies start others"

    return _faults(
        Place("one machine", [service], list_files), {"the workers": kill_workers, "the server": kill_server}
    )


def _faults(place: Place, kills: dict[str, Kill]) -> list[Fault]:
    kinds = [Fault(place, stage, name, kill) for stage in STAGES for name, kill in kills.items()]
    return [Fault(place, "", NOTHING, None), *kinds]


@contextmanager
def cluster(folder: Path) -> Iterator[Installation]:
    """A running cluster with two API processes."""
    store = ObjectStore("store", folder, {})
    store.start()
    store.client().create_bucket(Bucket=BUCKET)
    installation = Installation(folder, store)
    try:
        installation.add_replica()
        installation.add_replica()
        yield installation
    finally:
        installation.close()
        store.kill()


@contextmanager
def machine(folder: Path) -> Iterator[RunningService]:
    """One running server."""
    service = RunningService(folder)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of the rows."""
    heads = (
        "installation",
        "killed (-9)",
        "during",
        "then",
        "job",
        "starts",
        "seconds",
        "images",
        "models",
        "lost",
        "twice",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    chunks = {row["installation"]: row["feature_files"] for row in rows if row["killed"] == NOTHING}
    for row in rows:
        lost = row["images"] < IMAGES or row["models"] < 1 or row["feature_files"] < chunks[row["installation"]]
        twice = row["datasets"] > 1 or row["models"] > 1 or row["feature_files"] > chunks[row["installation"]]
        cells = [row["installation"], row["killed"], row["during"], row["action"], row["state"], str(row["attempts"])]
        cells += [f"{row['seconds']:.0f}", f"{row['images']:,}", str(row["models"])]
        cells += ["something" if lost else "nothing", "something" if twice else "nothing"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Goes through all faults; the result is written after each."""
    if PostgreSQL.programs() is None:
        raise SystemExit("skipped: PostgreSQL's programs (initdb, pg_ctl) are not on this machine")
    rows: list[dict[str, Any]] = []

    def go_through(faults: list[Fault]) -> None:
        for fault in faults:
            rows.append(run(fault, archive, len(rows)))
            fault.place.revive()
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            write_result("reliability", {"images": IMAGES, "rows": rows}, seed=0)

    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        archive = first_images(Path(folder) / "images.zip")
        with machine(Path(folder) / "machine") as service:
            go_through(machine_faults(service))
        (Path(folder) / "cluster").mkdir()
        with cluster(Path(folder) / "cluster") as installation:
            go_through(cluster_faults(installation))
    print(table(rows))


if __name__ == "__main__":
    main()
