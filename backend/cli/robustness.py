"""`deepfake robustness`: how good a model still is on images that something happened to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, opened, print_json, print_table, run_job
from backend.cli.models import share


def robustness(
    *,
    model: Annotated[str | None, typer.Option(help="Id of the model; the active one by default.")] = None,
    dataset: Annotated[str, typer.Option(help="Id or name of the data set.")],
    images: Annotated[int, typer.Option(help="Test images to draw, half of each class.", min=20, max=5_000)] = 1_000,
    seed: Annotated[int, typer.Option(help="Of the draw.", min=0)] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Measure accuracy and AUROC under JPEG, scaling, cropping, blur, noise, brightness and mirroring."""
    with failing(as_json), opened(run_jobs=True) as service:
        from backend.service.robustness import read_robustness

        card = service.registry.get(model or service.registry.active() or "")
        params = {
            "model_id": card["id"],
            "dataset_id": service.datasets.get(dataset).id,
            "images": images,
            "seed": seed,
        }
        made = run_job(service, "robustness", params)
        result = read_robustness(service, made["model_id"], made["dataset_id"])
        if as_json:
            print_json(result)
        else:
            show_result(result)


def show_result(result: dict[str, Any]) -> None:
    """Prints the figures as a table, and how many images the model had learnt."""
    rows = [
        [
            row["corruption"] or "as they are",
            "" if row["strength"] is None else f"{row['strength']:g}",
            *(share(row[name]) for name in ("accuracy", "recall", "fpr")),
            "" if row["auroc"] is None else f"{row['auroc']:.3f}",
        ]
        for row in result["rows"]
    ]
    print_table(["corruption", "strength", "accuracy", "recall", "FPR", "AUROC"], rows)
    left_out = result["excluded"]["in_training"]
    if left_out is None:
        typer.echo("The images that the model was trained on are not here any more, and could not be left out.")
    elif left_out:
        typer.echo(f"{left_out:,} images stand in the training set and were left out.")
