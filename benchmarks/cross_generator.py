"""Does a detector trained on one generator fail on another? CIFAKE, the eight of gen32.zip, the demonstration.

    DEEPFAKE_DATA=... python -m benchmarks.cross_generator [--images 2000] [--ship] [--detectors]

First the shipped CIFAKE detectors on CIFAKE's test images and the eight generators, then the matrix: a detector for
each of the thirteen generators alone and for all without it, each tested on all. `--images` takes only so many of each
class and split of CIFAKE; `--ship` puts what was found into the shipped detectors' cards; `--detectors` leaves the
matrix as it was measured last. Nothing is chosen by it. Takes about half an hour on two cores, without the matrix three
minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from backend.core.config import FitConfig
from backend.core.heads import HeadConfig
from backend.service.app import Service, open_service
from backend.service.model_files import CARD
from backend.settings import load_settings
from benchmarks import cifake, finetuning
from benchmarks.record import RESULTS, ROOT, data_folder, run_job, write_result

MATRIX = FitConfig(head=HeadConfig("logreg", class_weight="balanced"), target_fpr=0.05)
"""The default detector; both classes weigh the same, since some generators have only some dozens of images, and all
thresholds aim at the same false alarms, so that recalls compare."""

DETECTORS = {"detector": cifake.SHIPPED, "tuned": finetuning.SHIPPED}
"""By their names in the result."""

Row = dict[str, Any]

_KEPT = ("n", "recall", "recall_at_1_fpr", "recall_at_5_fpr", "auroc", "balanced_accuracy")
_PAIR = ("detector", "other", "recall_own", "recall_other", "drop", "interval", "p_holm", "significant")


_VERDICTS = {"answered_real": "answered `real`", "unsure_share": "unsure"}
"""What is kept of the verdicts on each generator's fakes -> its column; results of earlier versions have none."""


def detector_table(found: Row) -> str:
    """A Markdown table: what the CIFAKE detector finds of each generator, and what it answers."""
    told = [name for name in _VERDICTS if name in found["generators"][0]]
    heads = ["generator", "images", "found", "95 % interval", *(_VERDICTS[name] for name in told)]
    heads += ["at 1 % false alarms", "at 5 %", "AUROC"]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in sorted(found["generators"], key=lambda row: (not row["seen"], -row["recall"])):
        low, high = row["intervals"]["recall"]
        name = f"**{row['generator']}** (its own)" if row["seen"] else row["generator"]
        cells = [name, f"{row['n']:,}", _share(row["recall"]), f"{100 * low:.1f} to {100 * high:.1f} %"]
        cells += [_share(row[figure]) for figure in (*told, "recall_at_1_fpr", "recall_at_5_fpr")]
        lines.append(f"| {' | '.join(cells)} | {row['auroc']:.3f} |")
    reals = f"{found['n']['REAL']:,} REAL test images, of which it calls {_share(found['fpr'])} FAKE"
    left_out = f"{found['excluded']['in_training']:,} images of its training set were left out"
    return "\n".join([*lines, "", f"Beside {reals}; {left_out}."])


def fall(found: Row, accuracy: float) -> str:
    """A Markdown table: the shipped detector's test accuracy on CIFAKE beside what it finds of other generators."""
    own, others = ([row for row in found["generators"] if row["seen"] == seen] for seen in (True, False))
    areas = [f"{row['auroc']:.2f}" for row in sorted(others, key=lambda row: row["auroc"])]
    recall = [sum(row["recall"] for row in rows) / len(rows) for rows in (own, others)]
    best = max(others, key=lambda row: row["recall"])
    return "\n".join(
        [
            f"| accuracy on CIFAKE | its fakes found | fakes of {len(others)} other generators found | AUROC there |",
            "| --- | --- | --- | --- |",
            f"| {_share(accuracy)} | {_share(recall[0])} | **{_share(recall[1])}** on average, at most "
            f"{_share(best['recall'])} ({best['generator']}) | {areas[0]} to {areas[-1]} |",
        ]
    )


def matrix_table(found: Row, kind: str, figure: str = "recall") -> str:
    """A Markdown table in per cent: a row a detector, a column a generator; its own, or the one it lacks, in bold."""
    names = found["generators"]
    head = "fitted on" if kind == "alone" else "fitted on all but"
    lines = [f"| {head} | false alarms | {' | '.join(names)} |", "| --- | --- |" + " --- |" * len(names)]
    for row in (row for row in found["rows"] if row["kind"] == kind):
        cells = {cell["generator"]: f"{100 * cell[figure]:.0f}" for cell in row["generators"]}
        cells[row["generator"]] = f"**{cells[row['generator']]}**"
        lines.append(f"| {row['generator']} | {_share(row['fpr'])} | {' | '.join(cells[name] for name in names)} |")
    return "\n".join(lines)


def counts_table(found: Row) -> str:
    """A Markdown table: images that the detectors are fitted on and tested on."""
    lines = ["| images | fit | test |", "| --- | --- | --- |"]
    lines += [f"| {name} | {sides['fit']:,} | {sides['test']:,} |" for name, sides in found["counts"].items()]
    return "\n".join(lines)


def conclusions(result: Row) -> str:
    """What the figures say, as a list."""
    found = result["matrix"]
    told = (
        ("The CIFAKE detector", result["detector"]["conclusion"]),
        ("The fine-tuned one", result["tuned"]["conclusion"]),
        ("Detectors of one generator", found["conclusion"]),
        ("Detectors of all generators but one", found["leave_one_out"]),
    )
    lines = [f"* **{title}.** {said['text']}" for title, said in told if said]
    if found["images"] is not None:
        sample_of = f"{found['images']:,} images of each class and split of CIFAKE"
        lines += ["", f"The last two were measured on a sample: {sample_of}."]
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def sample(archive: Path, most: int, target: Path) -> Path:
    """A zip of the first `most` images of each class and split of CIFAKE."""
    taken: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(target, "w") as part:
        for name in whole.namelist():
            folder = name.rpartition("/")[0]
            if not name.endswith("/") and taken[folder] < most:
                taken[folder] += 1
                part.writestr(zipfile.ZipInfo(name), whole.read(name))
    return target


def imported(service: Service, archive: Path) -> list[str]:
    """The ids of CIFAKE, the eight generators and the demonstration set as data sets."""
    sources = {
        "CIFAKE": {"kind": "cifake", "path": str(archive)},
        "gen32": {"kind": "zip", "path": str(data_folder() / "gen32.zip")},
        "demonstration": {"kind": "demo"},
    }
    jobs = [run_job(service, "import", {"name": name, "source": source})[0] for name, source in sources.items()]
    return [str(job["dataset_id"]) for job in jobs]


def measure_detector(service: Service, model_id: str, ids: list[str]) -> Row:
    """A shipped detector's figures on CIFAKE and the eight generators, without what a reader does not need."""
    evaluated, seconds = run_job(service, "evaluate", {"model_id": model_id, "dataset_ids": ids[:2], "split": "test"})
    found, card = service.evaluations.get(evaluated["evaluation_id"]), service.registry.get(model_id)
    return {
        "model": {name: card[name] for name in ("id", "name", "digest", "threshold")},
        "generators": [
            _row(row) | {"seen": row["seen"]} | {name: round(row[name], 4) for name in _VERDICTS}
            for row in found["generators"]
        ],
        **{name: found[name] for name in ("n", "fpr", "unsure_share", "mean", "excluded", "notes")},
        "conclusion": _told(found["conclusion"]),
        "seconds": round(seconds, 1),
    }


def measure_matrix(service: Service, ids: list[str]) -> Row:
    """The matrix of all generators."""
    crossed, seconds = run_job(service, "matrix", {"dataset_ids": ids, "generators": None, "config": MATRIX.to_json()})
    matrix = service.evaluations.get(crossed["evaluation_id"])
    return {
        **{name: matrix[name] for name in ("generators", "counts", "excluded", "notes")},
        "rows": [
            {
                **{name: row[name] for name in ("kind", "generator", "fitted_on", "threshold", "fpr", "mean")},
                "generators": [_row(cell) for cell in row["generators"]],
            }
            for row in matrix["rows"]
        ],
        "conclusion": _told(matrix["conclusion"]),
        "leave_one_out": _told(matrix["leave_one_out"]),
        "seconds": round(seconds, 1),
    }


def last_matrix() -> Row:
    """The matrix of the last result, with the date and commit at which it was measured, and on how many images."""
    last: Row = json.loads((RESULTS / "cross_generator.json").read_text(encoding="utf-8"))
    return {**{name: last[name] for name in ("date", "commit", "images")}, **last["matrix"]}


def _row(row: Row) -> Row:
    rounded = {name: None if row[name] is None else round(row[name], 4) for name in _KEPT}
    interval = [round(limit, 4) for limit in row["intervals"]["recall"]]
    return {"generator": row["generator"], **rounded, "intervals": {"recall": interval}}


def _told(conclusion: Row | None) -> Row | None:
    if conclusion is None:
        return None
    return {**conclusion, "pairs": [{name: pair[name] for name in _PAIR} for pair in conclusion["pairs"]]}


def ship(service: Service, model_id: str) -> None:
    """Puts the figures on generators that a shipped detector never saw into its card, as of no evaluation of ours."""
    held_out = service.registry.get(model_id)["held_out_generators"]
    held_out["generators"] = [{**row, "evaluation_id": None} for row in held_out["generators"]]
    path = ROOT / "models" / model_id / CARD
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "held_out_generators": held_out}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measures, prints the tables, writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, help="of each class and split of CIFAKE; all where left out")
    parser.add_argument("--ship", action="store_true", help="put the figures into the shipped detectors' cards")
    parser.add_argument("--detectors", action="store_true", help="leave the matrix as it was measured last")
    given = parser.parse_args()
    if given.ship and given.images is not None:
        parser.error("--ship goes with all images")
    with tempfile.TemporaryDirectory(prefix="deepfake-benchmark-") as folder:
        root = Path(folder)
        for name in (*DETECTORS.values(), "backbones"):
            shutil.copytree(ROOT / "models" / name, root / "models" / name)
        archive = data_folder() / "cifake.zip"
        if given.images is not None:
            archive = sample(archive, given.images, root / "cifake.zip")
        service = open_service(load_settings(data_dir=root / "data", models_dir=root / "models"))
        try:
            ids = imported(service, archive)
            result: Row = {"images": given.images, "config": MATRIX.to_json()}
            for name, model_id in DETECTORS.items():
                result[name] = measure_detector(service, model_id, ids)
                if given.ship:
                    ship(service, model_id)
            made = last_matrix() if given.detectors else measure_matrix(service, ids)
            result["matrix"] = {"images": given.images, **made}
        finally:
            service.close()
    for name in DETECTORS:
        print(detector_table(result[name]))
    for kind in ("alone", "without"):
        print(matrix_table(result["matrix"], kind))
    print(conclusions(result))
    print(write_result("cross_generator", result, MATRIX.seed))


if __name__ == "__main__":
    main()
