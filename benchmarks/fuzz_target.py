"""One reader under a coverage-guided fuzzer (atheris); `python -m benchmarks.fuzz` starts it once a slot.

    python -m benchmarks.fuzz_target READER FOLDER SECONDS

What the reader must not raise is written to FOLDER/finds/ once for each place, and the fuzzer goes on. A crash of the
process, more than 5 seconds or more than 2 GB for one input end it and leave the input in FOLDER/finds/ too.
"""

from __future__ import annotations

import hashlib
import json
import sys
import traceback
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # not a dependency of the project

with atheris.instrument_imports(include=["backend", "PIL", "python_multipart", "csv", "pillow_heif"]):
    from tests.fuzz.readers import READERS, REFUSALS
    from tests.fuzz.seeds import SEEDS

SECONDS_PER_INPUT = 5
MEMORY_MB = 2048
LONGEST = 32_768
"""Bytes of the longest input."""


def main() -> None:
    """Fuzzes one reader for some seconds, from the corpus of the slots before and the seeds."""
    name, folder, seconds = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    corpus, finds = folder / "corpus" / name, folder / "finds"
    corpus.mkdir(parents=True, exist_ok=True)
    finds.mkdir(exist_ok=True)
    for seed in SEEDS[name]():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    read, seen = READERS[name], set[str]()

    def feed(data: bytes) -> None:
        try:
            read(data)
        except REFUSALS:
            pass
        except Exception as error:
            place = describe(error)
            if place not in seen:
                seen.add(place)
                record(finds, name, place, str(error), data)

    limits = [f"-max_total_time={seconds}", f"-timeout={SECONDS_PER_INPUT}", f"-rss_limit_mb={MEMORY_MB}"]
    where = [f"-artifact_prefix={finds}/{name}-", str(corpus)]
    atheris.Setup([sys.argv[0], *limits, f"-max_len={LONGEST}", "-print_final_stats=1", *where], feed)
    atheris.Fuzz()


def describe(error: Exception) -> str:
    """Type and innermost place of an error: equal for two inputs that meet the same bug."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def record(finds: Path, name: str, place: str, message: str, data: bytes) -> None:
    """Keeps the input and a line about it."""
    file = finds / f"{name}-raised-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
    if not file.exists():
        file.write_bytes(data)
        with (finds / "raised.jsonl").open("a") as lines:
            lines.write(json.dumps({"reader": name, "what": place, "message": message[:300], "file": file.name}) + "\n")


if __name__ == "__main__":
    main()
