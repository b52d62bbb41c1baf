"""`deepfake fingerprints …`: enrol generators by the traces that they leave, and ask which of them made an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.console import FAILED, JsonFlag, failing, note, opened, print_json, print_table, run_job
from backend.cli.datasets import default_name, describe_source, done
from backend.cli.predict import describe_error, find_files, read_file
from backend.core.errors import Conflict, InvalidInput, Unreadable

if TYPE_CHECKING:
    from backend.service.attributing import File

app = typer.Typer(help="Enrol, list, compare and delete fingerprints; attribute images to them.", no_args_is_help=True)

LABELS = ("FAKE", "REAL")

Denoiser = Annotated[str | None, typer.Option(help="Only fingerprints by this denoiser; else the one in use.")]


@app.command("add")
def add(
    source: Annotated[
        str | None, typer.Argument(help="A zip, a folder or Parquet files with images; or give --dataset.")
    ] = None,
    *,
    generator: Annotated[str, typer.Option(help="Name to enrol them under.")],
    dataset: Annotated[str | None, typer.Option(help="Id or name of a data set that is imported already.")] = None,
    source_generator: Annotated[
        str | None, typer.Option(help="Only the FAKE images of this generator of the data set.")
    ] = None,
    label: Annotated[str, typer.Option(help="FAKE, or REAL to enrol cameras.")] = "FAKE",
    denoiser: Annotated[
        str | None, typer.Option(help="gaussian, median, wavelet, nlm or npr; the first by default.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the data set that a source becomes.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Enrol a generator by the mean noise residual of its images: at least 10 of one size, better 200."""
    with failing(as_json):
        from backend.core.fingerprints.denoisers import DEFAULT_DENOISER
        from backend.service.fingerprinting import fingerprint_params
        from backend.service.fingerprints import FINGERPRINT

        if (source is None) == (dataset is None):
            raise InvalidInput("Name a source of images or a --dataset, one of them.", "Such as: add began.zip.")
        if label not in LABELS:
            raise InvalidInput(f"There is no label {label!r}.", f"Choose {' or '.join(LABELS)}.")
        with opened() as service:
            params = fingerprint_params(
                service,
                generator,
                dataset_id=dataset,
                label=label,
                source_generator=source_generator,
                denoiser=denoiser or DEFAULT_DENOISER,
            )
            if source is not None:
                description = describe_source(source)
                if description["kind"] in ("zip", "folder"):
                    description["unsorted"] = label
                chosen = name or default_name(source)
                if service.database.get_dataset(chosen) is not None:
                    raise Conflict(f"There is a data set {chosen!r} already.", "Choose another --name.")
                params |= {"name": chosen, "source": description, "source_generator": source_generator}
        with opened(run_jobs=True) as service:
            result = run_job(service, FINGERPRINT, params)
            fingerprint_id = str(result["fingerprint_id"])
            note(service.database, "fingerprints add", fingerprint_id)
            found = service.attributor.describe(service.fingerprints.get(fingerprint_id))
        if as_json:
            print_json(found)
        else:
            show_fingerprint(found)


@app.command("list")
def list_fingerprints(as_json: JsonFlag = False) -> None:
    """List what is enrolled, newest first."""
    with failing(as_json), opened() as service:
        records, _ = service.fingerprints.list(limit=1_000_000)
        if as_json:
            print_json(records)
            return
        rows = [
            [
                record["id"],
                record["generator"],
                record["label"],
                record["denoiser"],
                f"{record['count']:,}",
                f"{record['width']} x {record['height']}",
                f"{record['own']['mean']:.3f}",
            ]
            for record in records
        ]
        print_table(["id", "generator", "label", "denoiser", "images", "size", "own correlation"], rows)


@app.command("attribute")
def attribute(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or quoted patterns such as 'photos/*.jpg'.")],
    *,
    batch: Annotated[bool, typer.Option("--batch", help="All files come from one source: one answer, and surer.")] = (
        False
    ),
    false_attribution: Annotated[
        float, typer.Option(help="Share of foreign images, or batches, that may be attributed, 0.001 to 0.5.")
    ] = 0.05,
    recursive: Annotated[bool, typer.Option("--recursive", help="Search folders within folders as well.")] = False,
    denoiser: Denoiser = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which enrolled source made images, or that it is none of them. Status 1 if no file could be used."""
    with failing(as_json), opened() as service:
        files = list(dict.fromkeys(find_files(paths, recursive=recursive)))
        found = service.attributor.attribute(
            _contents(files, int(service.settings.max_upload_bytes)),
            batch=batch,
            false_attribution=false_attribution,
            denoiser=denoiser,
        )
        names = [str(file) for file in files]
        answer = {
            "denoiser": found.denoiser,
            "calibrated": found.calibrated,
            "left_out": found.left_out,
            "attributions": [{**one, "files": [names[n] for n in one["files"]]} for one in found.attributions],
            "errors": [describe_error(names[number], error) for number, error in found.errors],
        }
        if as_json:
            print_json(answer)
        else:
            show_attributions(answer)
        if not found.attributions:
            raise typer.Exit(FAILED)


@app.command("compare")
def compare(denoiser: Denoiser = None, as_json: JsonFlag = False) -> None:
    """Show how alike all fingerprints are, and which names are one generator twice."""
    with failing(as_json), opened() as service:
        enrolled = service.attributor.enrolled(denoiser)
        found = {"denoiser": enrolled.denoiser, **enrolled.comparison.to_json()}
        if as_json:
            print_json(found)
            return
        names = [found["names"][place] for place in found["order"]]
        rows = [
            [name, *(f"{found['correlation'][place][other]:.3f}" for other in found["order"])]
            for name, place in zip(names, found["order"], strict=True)
        ]
        print_table(["", *names], rows)
        show_pairs(found["indistinguishable"])


@app.command("delete")
def delete(
    fingerprint: Annotated[str, typer.Argument(help="Id of the fingerprint.")], as_json: JsonFlag = False
) -> None:
    """Delete a fingerprint; the images that it was made from stay."""
    with failing(as_json), opened() as service:
        service.fingerprints.delete(fingerprint)
        note(service.database, "fingerprints delete", fingerprint)
        done(as_json, {"deleted": fingerprint}, f"Deleted {fingerprint}.")


def show_fingerprint(found: dict[str, Any]) -> None:
    """Prints what was enrolled, and what was left out."""
    size = f"{found['width']} x {found['height']}"
    typer.echo(f"{found['generator']} ({found['id']}): {found['count']:,} images of {size} pixels")
    typer.echo(f"correlation of its own images: {found['own']['mean']:.3f}, of noise: ± {found['floor']:.3f}")
    if found["others"] is not None:
        typer.echo(f"of the others' images: {found['others']['mean']:.3f}")
    left_out = found["left_out"]
    if any(left_out.values()):
        typer.echo(
            f"left out: {left_out['duplicates']:,} duplicates, {left_out['constant']:,} of one colour, "
            f"{left_out['other_size']:,} of another size"
        )
    show_pairs(found["indistinguishable"])


def show_pairs(pairs: Sequence[dict[str, Any]]) -> None:
    """Prints the names that are most likely one generator twice."""
    for pair in pairs:
        typer.echo(
            f"{pair['first']} and {pair['second']} cannot be told apart: correlation {pair['correlation']:.3f}, "
            f"{pair['shared_images']:,} images in both"
        )


def show_attributions(answer: dict[str, Any]) -> None:
    """Prints a row an answer on standard output, and errors on standard error."""
    rows = []
    for one in answer["attributions"]:
        best = one["matches"][0]
        subject = one["files"][0] if len(one["files"]) == 1 else f"{len(one['files'])} files"
        rows.append(
            [
                subject,
                one["source"] or "none of the enrolled",
                best["generator"],
                f"{best['correlation']:.3f}",
                f"{best['z']:.1f}",
                f"{one['score']:.2f}",
                f"{one['threshold']:.2f}",
            ]
        )
    if rows:
        print_table(["file", "source", "best match", "correlation", "z", "score", "threshold"], rows)
    for message in dict.fromkeys(item["message"] for one in answer["attributions"] for item in one["notes"]):
        typer.echo(message)
    for one in answer["left_out"]:
        typer.echo(f"{one['generator']} ({one['id']}) was left out: {one['reason']}", err=True)
    for error in answer["errors"]:
        typer.echo(f"{error['filename']}: {error['message']} {error['hint']}".rstrip(), err=True)


def _contents(files: Sequence[Path], largest: int) -> Iterator[File]:
    """(number, content or error) of each file, one in memory at a time."""
    for number, file in enumerate(files):
        try:
            yield number, read_file(file, largest)
        except Unreadable as error:
            yield number, error
