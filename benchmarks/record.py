"""What every benchmark writes beside its figures: machine, versions, date, commit, peak memory."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from backend.core.errors import Conflict
from backend.service.app import Service

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
LEDGER = ROOT / "benchmarks" / "ledger.jsonl"
PACKAGES = ("numpy", "onnxruntime", "pillow", "pyarrow", "scikit-learn", "scipy", "timm", "torch", "distributed")


def machine() -> dict[str, Any]:
    """Processor, cores and memory of this machine."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def commit() -> str:
    """The checked-out commit, with "+changes" where the tree differs from it."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    dirty = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False)
    return head.stdout.strip() + ("+changes" if dirty.stdout.strip() else "")


COMMIT = commit()
"""As the program started: its own results do not count as changes."""


def write_result(name: str, figures: dict[str, Any], seed: int) -> Path:
    """Writes benchmarks/results/<name>.json and gives its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": COMMIT,
        "machine": machine(),
        "versions": {package: version(package) for package in PACKAGES},
        "seed": seed,
        **figures,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def data_folder() -> Path:
    """The folder of measured images, from DEEPFAKE_DATA; ends the program with a sentence where it is unset."""
    folder = os.environ.get("DEEPFAKE_DATA")
    if not folder or not Path(folder).is_dir():
        raise SystemExit("skipped: set DEEPFAKE_DATA to the folder that holds cifake.zip")
    return Path(folder)


def run_job(service: Service, kind: str, params: dict[str, Any], id: str | None = None) -> tuple[dict[str, Any], float]:
    """The result of a job and its wall time in seconds. Shows progress; ends the program on failure.

    The job of that id goes on, or has ended, where the service knows it already.
    """
    started = time.perf_counter()
    try:
        job = service.jobs.submit(kind, params, id)
    except Conflict:
        job = service.jobs.get(str(id))
    while not (job := service.jobs.wait(job.id, 10.0)).finished:
        if job.progress:
            print(f"{job.progress.stage} {job.progress.done}/{job.progress.total}", file=sys.stderr, flush=True)
    if job.state != "done" or job.result is None:
        raise SystemExit(f"The job ended as {job.state}: {job.reason}")
    return job.result, time.perf_counter() - started


class PeakMemory:
    """Peak of the proportional set size (PSS), in MiB, of this process and all its children, sampled in a thread.

    PSS counts a page that several processes share once in all, so the sum is what the machine really gave.
    """

    def __init__(self, every_seconds: float = 0.25) -> None:
        self._every, self._stop = every_seconds, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.is_set():
            self.mib = max(self.mib, sum(_pss(p) for p in [me, *me.children(recursive=True)]) / 2**20)
            time.sleep(self._every)


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
