"""Fuzzes every reader of foreign bytes in turn and writes executions and finds to benchmarks/results/fuzz.json.

    python3 -m venv fuzzing && fuzzing/bin/pip install atheris
    python -m benchmarks.fuzz --python fuzzing/bin/python --minutes 60 --folder FOLDER

atheris stays out of the project's environment: its interpreter (of the same version) sees this one's packages. FOLDER
keeps corpora, finds and logs; a second run goes on from there. One reader at a time, at the lowest priority.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import site
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.record import ROOT, write_result
from tests.fuzz.readers import READERS

_EXECUTED = re.compile(r"^#(\d+)\s", re.MULTILINE)
_TOTAL = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")
_PACKAGES = ("pillow", "pillow-heif", "pyarrow", "python-multipart", "safetensors", "numpy")


def run_slot(python: Path, name: str, folder: Path, seconds: int) -> dict[str, int]:
    """Executions, covered edges, and seconds of one reader's turn; it starts again after an input that ends it."""
    executed = covered = ended = 0
    began = time.monotonic()
    while (left := seconds - (time.monotonic() - began)) > 5:
        log = folder / f"{name}.log"
        with log.open("wb") as file:
            command = [str(python), "-m", "benchmarks.fuzz_target", name, str(folder), str(int(left))]
            status = subprocess.run(
                ["nice", "-n", "19", *command], cwd=ROOT, env=_environment(), stdout=file, stderr=file, check=False
            ).returncode
        text = log.read_text(errors="replace")
        counts = [int(number) for number in _TOTAL.findall(text) or _EXECUTED.findall(text)]
        executed += max(counts, default=0)
        covered = max([covered, *(int(number) for number in _COVERED.findall(text))])
        if status and not counts:
            raise SystemExit(f"The fuzzer does not start; {log} says why.")
        if status:
            ended += 1
            log.rename(folder / f"{name}-ended-{int(time.time())}.log")
            time.sleep(1)
    return {"executions": executed, "edges": covered, "ended": ended, "seconds": round(time.monotonic() - began)}


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])}


def _atheris(python: Path) -> str:
    command = [str(python), "-c", "from importlib.metadata import version; print(version('atheris'))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def read_finds(folder: Path) -> list[dict[str, Any]]:
    """What was raised, and the names of the inputs that ended a process."""
    lines = folder / "finds" / "raised.jsonl"
    raised = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    ended = [path.name for path in sorted((folder / "finds").glob("*-*")) if "-raised-" not in path.name]
    return [*raised, *({"reader": name.split("-")[0], "what": name.split("-")[1], "file": name} for name in ended)]


def table(result: dict[str, Any]) -> str:
    """A Markdown table, one row a reader."""
    lines = ["| reader | executions | minutes | different faults found |", "| --- | --- | --- | --- |"]
    for name, row in result["readers"].items():
        finds = {find["what"] for find in result["finds"] if find["reader"] == name}
        lines.append(f"| {name} | {row['executions']:,} | {row['seconds'] / 60:.0f} | {len(finds)} |")
    return "\n".join(lines)


def main() -> None:
    """Goes round the readers until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="an interpreter that has atheris")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--slot", type=int, default=120, help="seconds of one reader's turn")
    parser.add_argument("--readers", nargs="*", default=list(READERS), choices=list(READERS))
    given = parser.parse_args()
    folder = given.folder.resolve()
    (folder / "finds").mkdir(parents=True, exist_ok=True)
    state = folder / "totals.json"
    totals: dict[str, dict[str, int]] = json.loads(state.read_text()) if state.exists() else {}
    deadline = time.monotonic() + 60 * given.minutes
    while time.monotonic() < deadline:
        for name in given.readers:
            seconds = int(min(given.slot, deadline - time.monotonic()))
            if seconds < 10:
                break
            slot = run_slot(given.python, name, folder, seconds)
            before = totals.setdefault(name, dict.fromkeys(slot, 0))
            totals[name] = {
                key: max(before[key], slot[key]) if key == "edges" else before[key] + slot[key] for key in slot
            }
            state.write_text(json.dumps(totals, indent=1))
            print(time.strftime("%H:%M:%S"), name, slot, flush=True)
    figures = {
        "readers": totals,
        "seconds": sum(total["seconds"] for total in totals.values()),
        "finds": read_finds(folder),
        "fuzzed_versions": {package: version(package) for package in _PACKAGES} | {"atheris": _atheris(given.python)},
    }
    print(write_result("fuzz", figures, seed=0))


if __name__ == "__main__":
    main()
