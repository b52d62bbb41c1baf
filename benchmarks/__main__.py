"""Runs every benchmark, one after the other, and puts their tables into the documents: `make bench`.

    DEEPFAKE_DATA=... python -m benchmarks [NAME ...]

Takes hours on two cores, most of it fine-tuning. Each one is a program of its own (`python -m benchmarks.NAME`); one
that fails does not stop the others. Test images of CIFAKE are read by `cifake --final`,
`finetuning --final`, `enrolment`, `enrolment_larger` and `edited` alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from benchmarks.record import ROOT

COMMANDS: dict[str, tuple[str, ...]] = {
    "cifake": ("--final",),
    "finetuning": ("--folder", "build/finetuning", "--final"),
    "cross_generator": (),
    "seeds": (),
    "calibration": (),
    "domain": (),
    "codec": (),
    "abstention": (),
    "edited": (),
    "ablation": (),
    "transfer": (),
    "efficiency": (),
    "int8": (),
    "extraction": (),
    "photograph": (),
    "stability": (),
    "serving": (),
    "startup": (),
    "web": (),
    "bot": (),
    "eda": (),
    "scaling": (),
    "load": (),
    "reliability": (),
    "fuzz": (),
    "enrolment": (),
    "enrolment_larger": (),
    "fingerprints": (),
    "fingerprint_choice": (),
}
"""Module and arguments, in the order of the run."""


def main() -> None:
    """Exit status 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    failed = []
    for name in parser.parse_args().names:
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *COMMANDS[name]], cwd=ROOT, check=False)
        print(f"{name}: {time.perf_counter() - started:.0f} s, exit status {done.returncode}", file=sys.stderr)
        failed += [name] if done.returncode else []
    subprocess.run([sys.executable, "-m", "benchmarks.documents"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.compare"], cwd=ROOT, check=True)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
