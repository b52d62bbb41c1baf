"""`deepfake evaluate` and `deepfake cross-evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, note, opened, print_json, print_table, run_job
from backend.cli.fit import as_list, checked, extractor_spec, merge, read_config
from backend.cli.models import number, share
from backend.core.errors import InvalidInput

DEFAULT_FPR = 0.05
"""False alarms that the thresholds of a matrix aim at, so that the recalls of its detectors compare."""

Datasets = Annotated[list[str], typer.Option(help="Id or name of a data set; repeat it for several.")]


def evaluate(
    *,
    model: Annotated[str, typer.Option(help="Id of the model.")],
    dataset: Datasets,
    split: Annotated[str, typer.Option(help="test: test images where a data set names some; all: every image.")] = (
        "test"
    ),
    as_json: JsonFlag = False,
) -> None:
    """Measure a model generator by generator, at its own threshold. Its training images are left out."""
    with failing(as_json):
        from backend.service.evaluation_workflows import resolve_datasets
        from backend.service.evaluations import EVALUATE

        if split not in ("test", "all"):
            raise InvalidInput(f"There is no split {split!r}.", "Choose test or all.")
        with opened() as service:
            ids = [info.id for info in resolve_datasets(service, dataset)]
            model_id = service.registry.get(model)["id"]
        with opened(run_jobs=True) as service:
            result = run_job(service, EVALUATE, {"model_id": model_id, "dataset_ids": ids, "split": split})
            note(service.database, "evaluate", str(result["evaluation_id"]))
            found = service.evaluations.get(str(result["evaluation_id"]))
        if as_json:
            print_json(found)
        else:
            show_evaluation(found)


def cross_evaluate(
    *,
    dataset: Datasets,
    generator: Annotated[list[str] | None, typer.Option(help="Only these generators; repeat it.")] = None,
    head: Annotated[str | None, typer.Option(help="Classifier, such as logreg, svm or svm_rbf.")] = None,
    C: Annotated[float | None, typer.Option("--C", help="Inverse strength of the penalty; else chosen.")] = None,
    extractor: Annotated[str | None, typer.Option(help="Name, or a JSON object with name and options.")] = None,
    stages: Annotated[str | None, typer.Option(help="cnn: all, last, or names separated by commas.")] = None,
    input_size: Annotated[int | None, typer.Option(help="cnn: pixels a side that images are resized to.")] = None,
    target_fpr: Annotated[float | None, typer.Option(help="False alarms that thresholds aim at; else 0.05.")] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal matrices.")] = None,
    config: Annotated[Path | None, typer.Option(help="JSON file like a card's `config`; options go first.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit on each generator alone, and on all others, and test on every one: does a detector fail on the unseen?"""
    with failing(as_json):
        from backend.service.evaluation_workflows import check_matrix, resolve_datasets
        from backend.service.evaluations import MATRIX
        from backend.service.freezing import freeze_fingerprints

        values: dict[str, Any] = {"target_fpr": DEFAULT_FPR, "head": {"class_weight": "balanced"}}
        if config is not None:
            values = read_config(config)
        merge(values.setdefault("head", {}), name=head, C=C, seed=seed)
        cnn = {"stages": as_list(stages), "input_size": input_size}
        merge(values, extractor=extractor_spec(extractor, values.get("extractor"), cnn))
        merge(values, target_fpr=target_fpr, seed=seed)
        chosen = replace(checked(values), name="", notes="")
        with opened() as service:
            infos = resolve_datasets(service, dataset)
            check_matrix(infos, generator or ())
            chosen = freeze_fingerprints(service, chosen)
        params = {"dataset_ids": [info.id for info in infos], "generators": generator, "config": chosen.to_json()}
        with opened(run_jobs=True) as service:
            result = run_job(service, MATRIX, params)
            note(service.database, "cross-evaluate", str(result["evaluation_id"]))
            found = service.evaluations.get(str(result["evaluation_id"]))
        if as_json:
            print_json(found)
        else:
            show_matrix(found)


def show_evaluation(found: dict[str, Any]) -> None:
    """Prints a row a generator, then what has to be known."""
    reals = f"{found['n']['REAL']:,} REAL images, {share(found['fpr'])} of them called FAKE"
    reals += f", {share(found['unsure_share'])} answered unsure"
    typer.echo(f"{found['model_name']} ({found['model_id']}): {reals}")
    heads = ["generator", "seen", "images", "recall", "95 % interval", "answered real", "unsure"]
    heads += ["at 1 % FPR", "at 5 % FPR", "AUROC"]
    rows = [
        [
            row["generator"],
            "yes" if row["seen"] else "no",
            f"{row['n']:,}",
            share(row["recall"]),
            _interval(row["intervals"]["recall"]),
            share(row["answered_real"]),
            share(row["unsure_share"]),
            share(row["recall_at_1_fpr"]),
            share(row["recall_at_5_fpr"]),
            number(row["auroc"]),
        ]
        for row in found["generators"]
    ]
    print_table(heads, rows)
    _tell(found, [found["conclusion"]])


def show_matrix(found: dict[str, Any]) -> None:
    """Prints the recalls of every detector on every generator, then what they say."""
    columns = found["generators"]
    heads = ["fitted on", "false alarms", *columns]
    rows = []
    for row in found["rows"]:
        recall = {cell["generator"]: cell["recall"] for cell in row["generators"]}
        name = row["generator"] if row["kind"] == "alone" else f"all but {row['generator']}"
        rows.append([name, share(row["fpr"]), *(share(recall.get(column)) for column in columns)])
    print_table(heads, rows)
    _tell(found, [found["conclusion"], found["leave_one_out"]])


def _tell(found: dict[str, Any], conclusions: list[dict[str, Any] | None]) -> None:
    if left_out := found["excluded"]["in_training"]:
        typer.echo(f"{left_out:,} images stand in the training set and were left out.")
    few = [row for row in found["generators"] if isinstance(row, dict) and row["notes"]]
    for item in found["notes"]:
        typer.echo(item["message"])
    for row in few:
        typer.echo(f"{row['generator']}: {' '.join(item['message'] for item in row['notes'])}")
    for conclusion in conclusions:
        if conclusion is not None:
            typer.echo(conclusion["text"])


def _interval(limits: list[float] | None) -> str:
    return "-" if limits is None else f"{100 * limits[0]:.1f} to {100 * limits[1]:.1f} %"
