"""`POST /predict` over HTTP: ours beside LitServe and a bare FastAPI, with the same bytes and the same graph.

    python -m benchmarks.serving [--seconds 6] [--rounds 3] [--litserve-python PYTHON]

Each server is a process of its own, one at a time; the runs are interleaved, so that the machine's mood hits all alike.
LitServe is no dependency: give the interpreter of a virtual environment that has litserve, onnxruntime, pillow and
uvloop, here or in LITSERVE_PYTHON; without one its rows say "skipped". Its workers, batch and timeout are chosen by a
short trial first.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
from PIL import Image

from backend.core.detector import restore
from backend.core.heads.export import bundle
from backend.service.model_files import read_arrays, read_card
from benchmarks.clients import percentiles, small_jpegs
from benchmarks.load import server
from benchmarks.record import ROOT, write_result
from benchmarks.startup import free_port

CLOSED, OPEN = (1, 16, 64, 200), (100, 200, 300, 400)
IDLE_REQUESTS, IDLE_PAUSE_SECONDS = 200, 0.05
PHOTOGRAPHS, PHOTOGRAPH_SIDES = 15, (4000, 3000)
SETTLE_SECONDS = 12.0
TRIALS = [(1, 16, 5, "true"), (1, 32, 10, "true"), (2, 16, 5, "true"), (2, 16, 5, "false"), (2, 8, 2, "true")]
"""LitServe: workers, largest batch, milliseconds that a batch waits to fill, queue by ZeroMQ."""


def export_graph(path: Path) -> None:
    """Writes the shipped detector with its head as one graph, which the rivals run."""
    folder = ROOT / "models" / "cifake-logreg"
    card = read_card(folder / "card.json")
    assert card is not None
    detector = restore(card, read_arrays(folder), backbones=ROOT / "models" / "backbones")
    extractor: Any = detector.extractor
    path.write_bytes(bundle(extractor.path, detector.head, calibration=detector.calibration, card=card))


@contextmanager
def rival(command: list[str], port: int) -> Iterator[psutil.Process]:
    """Another server, once it answers a first image."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                files = {"files": ("a.jpg", small_jpegs()[0])}
                if requests.post(f"http://127.0.0.1:{port}/predict", files=files, timeout=10).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        for child in psutil.wait_procs(children, timeout=3)[1]:
            child.kill()


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a server and its children."""
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def generate(port: int, seconds: float, *how: str) -> dict[str, Any]:
    """One run of the load generator."""
    command = [sys.executable, "-m", "benchmarks.clients", str(port), "--seconds", str(seconds), *how]
    return dict(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout))


def loads(process: psutil.Process, port: int, seconds: float) -> dict[str, Any]:
    """Figures of every load on one server, by name."""
    made = {}
    ways = [("clients", number) for number in CLOSED] + [("rate", number) for number in OPEN]
    for kind, number in ways:
        before = cpu_seconds(process)
        figures = generate(port, seconds, f"--{kind}", str(number))
        used = cpu_seconds(process) - before
        figures["server_cpu_ms_per_answer"] = round(1000 * used / max(1, figures["statuses"].get("200", 0)), 2)
        made[f"{kind}_{number}"] = figures
        time.sleep(1.0)
    return made


def post_times(port: int, image: bytes, count: int, pause: float) -> dict[str, float]:
    """Percentiles in milliseconds of requests one after another over one connection."""
    seconds = []
    with requests.Session() as session:
        for _ in range(count):
            began = time.perf_counter()
            session.post(
                f"http://127.0.0.1:{port}/predict", files={"files": ("a.jpg", image)}, timeout=60
            ).raise_for_status()
            seconds.append(time.perf_counter() - began)
            time.sleep(pause)
    return percentiles(seconds)


def photograph() -> bytes:
    """A 12-megapixel JPEG with detail at every scale, quality 90."""
    rng = np.random.default_rng(0)
    width, height = PHOTOGRAPH_SIDES
    total = np.zeros((height, width, 3), dtype=np.float32)
    for step in (4, 16, 64, 256):
        small = rng.integers(0, 256, (height // step, width // step, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    buffer = io.BytesIO()
    Image.fromarray((total / 4).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def singles(port: int, photo: bytes) -> dict[str, Any]:
    """Latency on an idle server: a small image, and a photograph."""
    return {
        "small_image_ms": post_times(port, small_jpegs()[0], IDLE_REQUESTS, IDLE_PAUSE_SECONDS),
        "photograph_ms": post_times(port, photo, PHOTOGRAPHS, 0.1),
    }


def choose_litserve(python: str, graph: Path, seconds: float) -> tuple[list[str], list[dict[str, Any]]] | None:
    """Its best settings at saturation as arguments, and every trial; None where it is not there."""
    if subprocess.run([python, "-c", "import litserve"], capture_output=True, check=False).returncode:
        return None
    trials = []
    for given in TRIALS:
        arguments, port = [str(value) for value in given], free_port()
        with rival(litserve_command(python, graph, port, arguments), port):
            generate(port, 1.0, "--clients", "64")
            figures = generate(port, seconds, "--clients", "64")
        trials.append({"settings": arguments, "per_second": figures["per_second"], "statuses": figures["statuses"]})
    best = max(trials, key=lambda trial: float(trial["per_second"]))
    return best["settings"], trials


def litserve_command(python: str, graph: Path, port: int, arguments: list[str]) -> list[str]:
    """How the rival on LitServe is started."""
    return [python, str(ROOT / "benchmarks" / "rivals" / "with_litserve.py"), str(graph), str(port), *arguments]


def merge(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run in the middle, by answers a second, of each load."""
    names = runs[0].keys()
    return {name: sorted((run[name] for run in runs), key=lambda f: f["per_second"])[len(runs) // 2] for name in names}


def measure(seconds: float, rounds: int, python: str) -> dict[str, Any]:
    """All figures."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "litserve": [], "fastapi": []}
    alone: dict[str, Any] = {}
    photo = photograph()
    with tempfile.TemporaryDirectory(prefix="deepfake-serving-") as name:
        folder = Path(name)
        graph = folder / "detector.onnx"
        export_graph(graph)
        chosen = choose_litserve(python, graph, min(4.0, seconds))
        for number in range(rounds):
            port = free_port()
            with server(folder, port) as process:
                time.sleep(SETTLE_SECONDS if number == 0 else 3.0)  # its worker processes start
                if number == 0:
                    alone["ours"] = singles(port, photo)
                runs["ours"].append(loads(process, port, seconds))
            port = free_port()
            if chosen is not None:
                with rival(litserve_command(python, graph, port, chosen[0]), port) as process:
                    if number == 0:
                        alone["litserve"] = singles(port, photo)
                    runs["litserve"].append(loads(process, port, seconds))
            port = free_port()
            bare = [sys.executable, str(ROOT / "benchmarks" / "rivals" / "with_fastapi.py"), str(graph), str(port)]
            with rival(bare, port) as process:
                if number == 0:
                    alone["fastapi"] = singles(port, photo)
                runs["fastapi"].append(loads(process, port, seconds))
    figures: dict[str, Any] = {name: merge(found) for name, found in runs.items() if found}
    best = {name: max(load["per_second"] for load in loads.values()) for name, loads in figures.items()}
    ratios = {name: round(best["ours"] / best[name], 2) for name in ("litserve", "fastapi") if name in best}
    figures |= {
        "one_at_a_time": alone,
        "saturation_per_second": best,
        "saturation_per_second_of_each_round": {
            name: [max(load["per_second"] for load in run.values()) for run in found] for name, found in runs.items()
        },
        "times_as_fast_as": ratios,
        "litserve_settings": "skipped: pip install litserve" if chosen is None else chosen[0],
        "litserve_trials": [] if chosen is None else chosen[1],
        "photograph_bytes": len(photo),
        "rounds": rounds,
    }
    return figures


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description="POST /predict beside other servers.")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--litserve-python", default=os.environ.get("LITSERVE_PYTHON", sys.executable))
    given = parser.parse_args()
    figures = measure(given.seconds, given.rounds, given.litserve_python)
    summary = ("saturation_per_second", "times_as_fast_as", "one_at_a_time", "litserve_settings")
    print(json.dumps({name: figures[name] for name in summary}, indent=1))
    print("rounds:", statistics.mean(figures["saturation_per_second_of_each_round"]["ours"]))
    print(write_result("serving", figures, seed=0))


if __name__ == "__main__":
    main()
