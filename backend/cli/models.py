"""`deepfake models …` and `deepfake set`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from backend.cli.console import JsonFlag, failing, note, opened, print_json, print_table
from backend.cli.datasets import done, require_folder

app = typer.Typer(help="List (without a subcommand), show, compare, export and delete models.")

Model = Annotated[str, typer.Argument(help="Id of the model.")]


@app.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the models, newest first; * marks the active one. Subcommands: show, compare, export, import, delete."""
    if context.invoked_subcommand is not None:
        return
    with failing(as_json), opened() as service:
        cards = service.registry.list()
        if as_json:
            print_json(cards)
            return
        rows = [
            [
                "*" if card["active"] else "",
                card["id"],
                card["config"]["head"]["name"],
                card["extractor"]["name"],
                share(card["accuracy"].get("validation")),
                share(card["accuracy"].get("test")),
                card["dataset"]["name"],
            ]
            for card in cards
        ]
        print_table(["", "id", "head", "extractor", "validation", "test", "data set"], rows)


@app.command("show")
def show(model: Model, as_json: JsonFlag = False) -> None:
    """Show a model's card."""
    with failing(as_json), opened() as service:
        card = service.registry.get(model)
        if as_json:
            print_json(card)
        else:
            show_card(card)


@app.command("compare")
def compare(
    model: Model,
    other: Annotated[str, typer.Argument(help="Id of the other model.")],
    split: Annotated[Literal["train", "validation", "test"], typer.Option(help="The split in both models.")] = "test",
    as_json: JsonFlag = False,
) -> None:
    """Compare two models on the images that both were evaluated on: who alone is right, and is it chance?"""
    with failing(as_json):
        from backend.service.comparing import compare_models

        with opened() as service:
            found = compare_models(service.registry, model, other, split)
        if as_json:
            print_json(found)
        else:
            show_comparison(found)


@app.command("export")
def export(
    model: Model, target: Annotated[Path, typer.Argument(help="Zip to write.")], as_json: JsonFlag = False
) -> None:
    """Write a model as a zip: its card, its arrays and, for a network, one ONNX graph."""
    with failing(as_json), opened() as service:
        require_folder(target)
        service.registry.export(model, target)
        done(as_json, {"model_id": model, "path": str(target)}, f"Wrote {target}.")


@app.command("import")
def import_archive(
    archive: Annotated[Path, typer.Argument(help="Zip that `models export` wrote.", exists=True, dir_okay=False)],
    as_json: JsonFlag = False,
) -> None:
    """Take in an exported model. Its network has to be here or in an installed package; none is read from the zip."""
    with failing(as_json):
        from backend.service.model_import import import_model

        with opened() as service, archive.open("rb") as file:
            card = import_model(service, file, may_export=True)
            note(service.database, "models import", card["id"])
            done(as_json, card, f"Imported {card['id']}.")


@app.command("delete")
def delete(model: Model, as_json: JsonFlag = False) -> None:
    """Delete a model; the active one cannot be deleted."""
    with failing(as_json), opened() as service:
        service.registry.delete(model)
        note(service.database, "models delete", model)
        done(as_json, {"deleted": model}, f"Deleted {model}.")


def set_active(model: Model, as_json: JsonFlag = False) -> None:
    """Choose the model that predictions use from now on."""
    with failing(as_json), opened() as service:
        card = service.registry.set_active(model)
        note(service.database, "set", card["id"])
        done(as_json, card, f"{card['id']} is the active model now.")


def show_card(card: dict[str, Any]) -> None:
    """Prints what a person wants to know of a card."""
    typer.echo(f"{card['name']} ({card['id']}){' - active' if card['active'] else ''}")
    facts = [
        ["data set", f"{card['dataset']['name']}, {card['dataset']['images']:,} images"],
        ["extractor", f"{card['extractor']['name']}, {card['extractor']['dimensions']:,} numbers an image"],
        ["head", f"{card['config']['head']['name']}, C = {card['head']['chosen'].get('C', '-')}"],
        ["threshold", f"{card['threshold']:.3f}"],
        ["created", card["created_at"]],
    ]
    if others := card.get("held_out_generators"):
        found = f"finds {share(others['recall'])} of the fakes of {len(others['generators'])} that it never saw"
        facts.append(["other generators", f"{found}, least of {others['worst']}"])
    if left_out := card.get("left_out_generators"):
        rows = left_out["generators"]
        found = f"finds {share(left_out['recall'])} of the fakes of each of {len(rows)} in turn, least of "
        facts.append(["left out in the fit", f"{found}{left_out['worst']}" if rows else left_out["reason"]])
    edited = card.get("edited") or {}
    found = ", ".join(f"{row['kind']} {share(row['recall'])}" for row in edited.get("kinds", ()))
    whole = "whole images only" if edited.get("whole_images_only", True) else ""
    facts.append(["edited pictures", "; ".join(part for part in (whole, found) if part)])
    print_table(["", ""], facts)
    names = ("accuracy", "auroc", "log_loss", "hinge_loss", "recall", "fpr", "unsure_share", "sure_accuracy")
    splits = {split: metrics for split, metrics in card["metrics"].items() if metrics}
    print_table(
        ["split", "images", *names],
        [[split, f"{m['n']:,}", *(number(m.get(name)) for name in names)] for split, m in splits.items()],
    )
    promise = card.get("fpr_promise") or {}
    if said := promise.get("statement") or promise.get("reason"):
        typer.echo(said)


def show_comparison(found: dict[str, Any]) -> None:
    """Prints who is right on how many images, and whether the difference may be chance."""
    rows = [
        [found["model_id"], share(found["accuracy_first"]), f"{found['only_first']:,}"],
        [found["other_id"], share(found["accuracy_second"]), f"{found['only_second']:,}"],
    ]
    print_table(["", "accuracy", "alone right"], rows)
    low, high = (f"{limit * 100:+.2f}" for limit in found["interval"])
    typer.echo(
        f"{found['n']:,} {found['split']} images: both are right on {found['both_right']:,}, neither on "
        f"{found['neither']:,}."
    )
    typer.echo(
        f"Difference of the accuracies: {found['difference'] * 100:+.2f} points (95 % interval {low} to {high})."
    )
    chance = "more" if found["significant"] else "no more"
    typer.echo(f"McNemar's exact test: p = {found['p']:.3g}; {chance} than chance at 5 %.")


def share(value: float | None) -> str:
    """A share of 0..1 as a percentage."""
    return "-" if value is None else f"{value * 100:.2f} %"


def number(value: float | None) -> str:
    """A figure with four decimals, - where it is not defined."""
    return "-" if value is None else f"{value:.4f}"
