"""How time, memory and disk grow with the data: 1,000 to 500,000 distinct images, 1 and 2 worker processes.

    DEEPFAKE_DATA=... python -m benchmarks.scaling
    DEEPFAKE_DATA=... python -m benchmarks.scaling --rows 10000/1 10000/2

The images are CIFAKE's, beyond its 120,000 also their mirror images and quarter turns, each encoded anew: all differ in
their pixels. Each row starts from nothing: import of a zip, features, one head with a given C, figures.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from backend.core.config import FitConfig
from backend.core.heads import HeadConfig
from backend.service.app import open_service
from backend.settings import load_settings
from benchmarks.record import RESULTS, ROOT, PeakMemory, data_folder, run_job, write_result

TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)
"""What image number n of all is turned by: TURNS[n // 120,000]."""

CONFIG = replace(FitConfig(), head=HeadConfig("logreg", C=0.01))
"""A given C: choosing one takes a sample of rows, whose size does not depend on the data's."""

ROWS = ("1000/2", "10000/1", "10000/2", "100000/1", "100000/2", "500000/2")
"""Images and worker processes of each row."""

STEPS = ("import_s", "audit_s", "features_s", "fit_s", "evaluate_s")


def make_zip(source: Path, target: Path, images: int) -> None:
    """Writes a zip of that many distinct images; splits and classes are as in CIFAKE, evenly mixed."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as out:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        if images > len(names) * len(TURNS):
            raise SystemExit(f"At most {len(names) * len(TURNS)} distinct images can be made.")
        whole, rest = divmod(images, len(names))
        for turn in range(whole):
            for name in names:
                out.writestr(f"{Path(name).parent}/{turn}-{Path(name).name}", _turned(archive.read(name), turn))
        for number in range(rest):
            name = names[number * len(names) // rest]
            out.writestr(f"{Path(name).parent}/{whole}-{Path(name).name}", _turned(archive.read(name), whole))


def _turned(data: bytes, turn: int) -> bytes:
    how = TURNS[turn]
    if how is None:
        return data
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.transpose(how).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def measure(archive: Path, workers: int, folder: Path) -> dict[str, Any]:
    """Seconds by step, peak memory, and bytes on disk of one import and fit into an empty installation."""
    models = folder / "models"
    shutil.copytree(ROOT / "models" / "backbones", models / "backbones")
    service = open_service(load_settings(data_dir=folder / "data", models_dir=models, workers=workers))
    try:
        with PeakMemory() as peak:
            params = {"name": "scaling", "source": {"kind": "zip", "path": str(archive)}, "config": CONFIG.to_json()}
            result, seconds = run_job(service, "fit", params)
        card = service.registry.get(result["model_id"])
        images = service.datasets.get(result["dataset_id"]).images
    finally:
        service.close()
    return {
        "images": images,
        "workers": workers,
        "seconds": round(seconds, 1),
        **{step: card["timings"][step] for step in STEPS},
        "peak_memory_mib": round(peak.mib),
        "dataset_bytes": _size(folder / "data" / "datasets"),
        "features_bytes": _size(folder / "data" / "features"),
        "model_bytes": _size(models / result["model_id"]),
        "dimensions": card["extractor"]["dimensions"],
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table, one row a measurement."""
    lines = [
        "| images | workers | import | audit | features | fit | figures | µs an image: import | audit | features "
        "| peak memory |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        seconds = [f"{row[step]:.1f} s" for step in STEPS]
        each = [f"{1e6 * row[step] / row['images']:.0f}" for step in STEPS[:3]]
        memory = f"{row['peak_memory_mib'] / 1024:.1f} GiB"
        lines.append("| " + " | ".join([f"{row['images']:,}", str(row["workers"]), *seconds, *each, memory]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measures one row after the other; the result is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=ROWS, metavar="IMAGES/WORKERS")
    given = parser.parse_args()
    source = data_folder() / "cifake.zip"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        for row in given.rows:
            images, workers = (int(number) for number in row.split("/"))
            archive = Path(folder) / f"{images}.zip"
            if not archive.exists():
                make_zip(source, archive, images)
            with tempfile.TemporaryDirectory(dir=folder) as work:
                rows.append(measure(archive, workers, Path(work)))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            write_result("scaling", {"rows": rows}, seed=CONFIG.seed)
    print(table(rows))
    print(RESULTS / "scaling.json")


if __name__ == "__main__":
    main()
