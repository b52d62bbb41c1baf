"""`deepfake enrol`: teach a model another generator from a few of its images."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, opened
from backend.cli.fit import fit_and_show


def enrol(
    *,
    model: Annotated[str, typer.Option(help="Id of the model; it stays as it is.")],
    dataset: Annotated[str, typer.Option(help="Id or name of a data set with FAKE images of the generator.")],
    generator: Annotated[str, typer.Option(help="Name of the generator.")],
    name: Annotated[str, typer.Option(help="Name of the new model.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Make a model that knows another generator as well, and say what was gained and lost. 50 images are enough."""
    with failing(as_json):
        from backend.service.enrolling import enrol_params

        with opened() as service:
            params = enrol_params(service, model, dataset, generator, name)
        fit_and_show(params, "enrol", show_gain, as_json=as_json)


def show_gain(card: dict[str, Any]) -> None:
    """Prints what an enrolment gained and lost."""
    gain = card["enrolment"]
    for when in ("before", "after"):
        figures = gain[when]
        if figures is not None:
            typer.echo(
                f"{gain['generator']} {when}: AUROC {figures['auroc']:.3f}, "
                f"recall {100 * figures['recall']:.1f} % at {100 * gain['fpr']:.0f} % false alarms"
            )
    for when, accuracy in (("before", gain["test_accuracy_before"]), ("after", card["accuracy"]["test"])):
        if accuracy is not None:
            typer.echo(f"accuracy on the model's test images {when}: {100 * accuracy:.2f} %")
