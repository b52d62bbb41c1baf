"""`deepfake enrol`: teach a model another generator from a few of its images."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, opened
from backend.cli.datasets import describe_source
from backend.cli.fit import fit_and_show
from backend.core.errors import InvalidInput


def enrol(
    source: Annotated[str, typer.Argument(help="A folder or zip of the generator's images; or name --dataset.")] = "",
    *,
    model: Annotated[str, typer.Option(help="Id of the model; it stays as it is.")],
    dataset: Annotated[str, typer.Option(help="Id or name of a data set with FAKE images of the generator.")] = "",
    generator: Annotated[str, typer.Option(help="Name of the generator.")],
    name: Annotated[str, typer.Option(help="Name of the new model.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Make a model that knows another generator as well, and say what was gained and lost. 50 images are enough."""
    with failing(as_json):
        from backend.service.enrolling import enrol_images_params, enrol_params

        if bool(source) == bool(dataset):
            raise InvalidInput("The images are named twice or not at all.", "Name a folder or zip, or --dataset.")
        with opened() as service:
            if dataset:
                params = enrol_params(service, model, dataset, generator, name)
            else:
                params = enrol_images_params(service, model, _images_of(source), generator, name)
        fit_and_show(params, "enrol", show_gain, as_json=as_json)


def _images_of(source: str) -> dict[str, Any]:
    """The source's description: a folder's or a zip's images are FAKE wherever they lie in it, but for REAL/."""
    found = describe_source(source)
    return {**found, "unsorted": "FAKE"} if found["kind"] in ("folder", "zip") else found


def show_gain(card: dict[str, Any]) -> None:
    """Prints what an enrolment gained and lost."""
    gain, new = card["enrolment"], card["enrolled"][-1]
    left_out = f"; left out, since the model has them already: {new['excluded']}" if new["excluded"] else ""
    typer.echo(f"images of {gain['generator']}: {new['images']}{left_out}")
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
