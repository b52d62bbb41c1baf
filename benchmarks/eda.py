"""The EDA table of CIFAKE: the original project's figures beside ours, and audits, by the job that `GET /eda` runs.

DEEPFAKE_DATA=... python -m benchmarks.eda
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from backend.service.app import open_service
from backend.settings import load_settings
from benchmarks.record import PeakMemory, data_folder, run_job, write_result

ORIGINAL = {
    "train": {"mean": [0.472, 0.463, 0.418], "std": [0.238, 0.237, 0.266]},
    "test": {"mean": [0.473, 0.464, 0.419], "std": [0.238, 0.237, 0.266]},
}


def table(profile: dict[str, Any]) -> str:
    """A Markdown table: a row a split, original and ours."""
    lines = ["| images | channel means (R, G, B) | standard deviations | source |", "| --- | --- | --- | --- |"]

    def row(name: str, stats: dict[str, Any], source: str) -> None:
        cells = [", ".join(f"{value:.3f}" for value in stats[key]) for key in ("mean", "std")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {source} |")

    for split, original in ORIGINAL.items():
        row(split, original, "original")
        row(split, profile["channels"]["by_split"][split], "ours")
    for label, stats in profile["channels"]["by_class"].items():
        row(label, stats, "ours")
    row("ImageNet", profile["channels"]["imagenet"], "constants of the networks")
    sizes = ", ".join(f"{size['width']} x {size['height']} ({size['images']:,})" for size in profile["sizes"]["common"])
    return "\n".join([*lines, "", f"Image sizes in pixels: {sizes}."])


def _without_histograms(groups: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: stats[key] for key in ("images", "mean", "std")} for name, stats in groups.items()}


def _findings(profile: dict[str, Any]) -> list[dict[str, Any]]:
    """What the audit found, without advice."""
    return [
        {name: found[name] for name in ("code", "severity", "title", "figures")}
        for found in profile["audit"]["findings"]
    ]


def main() -> None:
    """Imports and profiles CIFAKE and photos.zip, prints CIFAKE's table and both audits, writes the result."""
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        root = Path(folder)
        service = open_service(load_settings(data_dir=root / "data", models_dir=root / "models"))
        try:
            source = {"kind": "cifake", "path": str(data_folder() / "cifake.zip")}
            imported, import_s = run_job(service, "import", {"name": "CIFAKE", "source": source})
            with PeakMemory() as peak:
                _, profile_s = run_job(service, "profile", {"dataset_id": imported["dataset_id"]})
            profile = service.profile(imported["dataset_id"]) or {}
            source = {"kind": "zip", "path": str(data_folder() / "photos.zip")}
            photographs, _ = run_job(service, "import", {"name": "photos", "source": source})
            run_job(service, "profile", {"dataset_id": photographs["dataset_id"]})
            audits = {"CIFAKE": profile, "photos.zip": service.profile(photographs["dataset_id"]) or {}}
        finally:
            service.close()
    print(table(profile))
    for name, audited in audits.items():
        print(name, *(f"{found['severity']}: {found['title']}" for found in _findings(audited)), sep="\n")
    channels = profile["channels"]
    kept = ("counts", "sizes", "formats", "jpeg_quality", "near_grey")
    figures = {
        "original": ORIGINAL,
        "channels": {
            "imagenet": channels["imagenet"],
            **{key: _without_histograms(channels[key]) for key in ("by_class", "by_split")},
        },
        **{key: profile[key] for key in kept if key in profile},
        "audits": {name: _findings(audited) for name, audited in audits.items()},
        "duplicates": {key: value for key, value in profile["duplicates"].items() if key != "first"},
        "seconds": {"import": round(import_s, 1), "profile": round(profile_s, 1)},
        "peak_memory_mib": round(peak.mib),
    }
    print(write_result("eda", figures, seed=0))


if __name__ == "__main__":
    main()
