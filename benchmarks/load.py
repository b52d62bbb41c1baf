"""Many clients predict at once while data sets are imported, models fitted and the active model switched.

    python -m benchmarks.load [--seconds 600] [--clients 200]

Every client sends one 32 x 32 JPEG after the other over a connection of its own; after a 503 it waits as long as the
answer asks for. The generator is a process of its own on the same machine, so its cores are missing to the server: its
processor time is part of the result. Ends with status 1 where an answer was not 200, 429 or 503, or a connection broke.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.clients import closed_loop, percentiles, small_jpegs
from benchmarks.record import ROOT, write_result
from benchmarks.startup import free_port

SWITCH_SECONDS = 5.0
SAMPLE_SECONDS = 5.0
ALLOWED = {"200", "429", "503"}
EXTRACTORS = ("spectrum", "residual", "npr")
KEPT_MODELS = 4


async def generate(port: int, clients: int, seconds: float) -> dict[str, Any]:
    """What the clients saw, and what they cost."""
    figures = await closed_loop(port, clients, seconds, small_jpegs())
    answers = figures.pop("answers")
    began = min(moment for moment, *_ in answers)
    minutes: dict[int, list[float]] = {}
    for moment, latency, status in answers:
        if status == "200":
            minutes.setdefault(int((moment - began) // 60), []).append(latency)
    figures["predictions_per_second"] = figures.pop("per_second")
    figures["p99_by_minute_ms"] = [percentiles(of_minute)["p99"] for _, of_minute in sorted(minutes.items())]
    return figures


@contextmanager
def server(folder: Path, port: int) -> Iterator[psutil.Process]:
    """`deepfake serve` with folders of its own, ready to predict."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DEEPFAKE_")},
        "DEEPFAKE_DATA_DIR": str(folder / "data"),
        "DEEPFAKE_MODELS_DIR": str(folder / "models"),
        "DEEPFAKE_PORT": str(port),
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli", "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        while process.poll() is None:
            try:
                if requests.get(f"http://127.0.0.1:{port}/ready", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Background(threading.Thread):
    """Work besides the predictions; a failure is kept and ends it."""

    def __init__(self, step: Any, pause: float) -> None:
        super().__init__(daemon=True)
        self.step, self.pause, self.steps, self.fault = step, pause, 0, ""
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(self.pause):
            try:
                self.step(self.steps)
            except Exception as error:
                self.fault = f"{type(error).__name__}: {error}"
                return
            self.steps += 1


def ask(method: str, url: str, **given: Any) -> Any:
    """The JSON of an answer; asks again after 503. Raises for any other failure."""
    while True:
        answer = requests.request(method, url, timeout=900, **given)
        if answer.status_code != 503:
            answer.raise_for_status()
            return answer.json() if answer.content else None
        time.sleep(float(answer.headers.get("Retry-After", 1)))


def fit_again(url: str, number: int) -> None:
    """Imports the demonstration set, fits a model on it, removes the set and the oldest models."""
    name = f"load-{number}"
    dataset = ask("POST", f"{url}/datasets?wait=600", json={"name": name, "source": "demo"})["id"]
    config = {"name": name, "extractor": EXTRACTORS[number % len(EXTRACTORS)], "head": "logreg"}
    ask("POST", f"{url}/fit?wait=600", json={"dataset_id": dataset, "config": config})
    ask("DELETE", f"{url}/datasets/{dataset}")
    old = [card for card in ask("GET", f"{url}/models")["items"] if not (card["active"] or card["shipped"])]
    for card in old[KEPT_MODELS:]:
        answer = requests.delete(f"{url}/models/{card['id']}", timeout=60)
        if answer.status_code not in (200, 204, 409, 503):  # 409: it was made active this very moment
            answer.raise_for_status()


def switch(url: str, number: int) -> None:
    """Makes another model the active one."""
    models = ask("GET", f"{url}/models")["items"]
    answer = requests.post(f"{url}/set", json={"model_id": models[number % len(models)]["id"]}, timeout=60)
    if answer.status_code not in (200, 404, 503):  # 404: it was removed this very moment
        answer.raise_for_status()


def memory(samples: list[float]) -> dict[str, float]:
    """Resident memory of the server in MiB: early (after the first fifth), late (the last fifth), highest."""
    fifth = max(1, len(samples) // 5)
    early, late = statistics.median(samples[fifth : 2 * fifth] or samples), statistics.median(samples[-fifth:])
    return {"early_mib": round(early), "late_mib": round(late), "highest_mib": round(max(samples))}


def measure(seconds: float, clients: int) -> dict[str, Any]:
    """The figures of one run."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    samples: list[float] = []
    with tempfile.TemporaryDirectory(prefix="deepfake-load-") as folder, server(Path(folder), port) as process:
        fit_again(url, 0)  # so that there is a model to switch to
        cpu = process.cpu_times()
        threads = {
            "fits": Background(lambda number: fit_again(url, number + 1), 0.0),
            "switches": Background(lambda number: switch(url, number), SWITCH_SECONDS),
            "memory": Background(lambda _: samples.append(process.memory_info().rss / 2**20), SAMPLE_SECONDS),
        }
        for thread in threads.values():
            thread.start()
        command = [sys.executable, "-m", "benchmarks.load", "--generate", str(port)]
        command += ["--seconds", str(seconds), "--clients", str(clients)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        for thread in threads.values():
            thread.stop.set()
        figures: dict[str, Any] = json.loads(ran.stdout)
        after = process.cpu_times()
        figures |= {
            "server_cpu_seconds": round(after.user + after.system - cpu.user - cpu.system, 1),
            "fits": threads["fits"].steps,
            "switches": threads["switches"].steps,
            "faults": [f"{name}: {thread.fault}" for name, thread in threads.items() if thread.fault],
            "server_memory": memory(samples),
            "server_errors_logged": (Path(folder) / "server.log").read_text().count(" ERROR "),
        }
        threads["fits"].join(120)
    return figures


def table(result: dict[str, Any]) -> str:
    """A Markdown table of one run."""
    memory, milliseconds = result["server_memory"], result["milliseconds"]
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(result["statuses"].items()))
    rows = {
        "clients, seconds": f"{result['clients']}, {result['seconds']:.0f}",
        "answers by status": statuses,
        "answers a second": f"{result['predictions_per_second']:.0f}",
        "milliseconds: median, p99": f"{milliseconds['p50']:.0f}, {milliseconds['p99']:.0f}",
        "fits meanwhile, switches of the model": f"{result['fits']}, {result['switches']}",
        "memory of the server: early, late, highest": f"{memory['early_mib']}, {memory['late_mib']}, "
        f"{memory['highest_mib']} MiB",
        "processor seconds: server, load generator": f"{result['server_cpu_seconds']:.0f}, "
        f"{result['generator_cpu_seconds']:.0f}",
    }
    return "\n".join(["| what | measured |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows.items())])


def main() -> None:
    """Runs the load and writes the result."""
    parser = argparse.ArgumentParser(description="Predictions under load.")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--generate", type=int, metavar="PORT", help="only be the clients of a server on this port")
    given = parser.parse_args()
    if given.generate:
        import uvloop

        print(json.dumps(uvloop.run(generate(given.generate, given.clients, given.seconds))))
        return
    figures = measure(given.seconds, given.clients)
    print(json.dumps(figures, indent=1))
    print(write_result("load", figures, seed=0))
    if figures["faults"] or figures["statuses"].keys() - ALLOWED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
