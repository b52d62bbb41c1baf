"""`deepfake datasets …`, `deepfake demo` and `deepfake eda`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, note, opened, print_json, print_table, run_job
from backend.core.errors import Conflict, InvalidInput, NotFound, UnknownSource

app = typer.Typer(help="Import, list, show, revise, export and delete data sets.", no_args_is_help=True)

SOURCES = ("demo", "cifake")
"""Sources that need no path: the demonstration set, and CIFAKE by download."""

_NUMBERS = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7}))?")

Dataset = Annotated[str, typer.Argument(help="Id or name of the data set.")]


@app.command("import")
def import_dataset(
    source: Annotated[str, typer.Argument(help="A zip, a folder, a Parquet file or folder, or: demo, cifake.")],
    name: Annotated[str, typer.Option(help="Name of the data set; the source's own name by default.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Import images that are sorted into REAL/ and FAKE/ (optionally train/ and test/, and FAKE/<generator>/)."""
    with failing(as_json):
        description = describe_source(source)
        chosen = name or default_name(source)
        with opened() as service:
            if service.database.get_dataset(chosen) is not None:
                raise Conflict(f"There is a data set {chosen!r} already.", "Choose another --name.")
        with opened(run_jobs=True) as service:
            result = run_job(service, "import", {"name": chosen, "source": description})
            note(service.database, "datasets import", str(result["dataset_id"]))
            show_dataset(service.datasets.get(str(result["dataset_id"])).to_json(), as_json)


@app.command("list")
def list_datasets(as_json: JsonFlag = False) -> None:
    """List the data sets, newest first."""
    with failing(as_json), opened() as service:
        infos = [info.to_json() for info in service.datasets.list()]
        if as_json:
            print_json(infos)
        else:
            rows = [[info["id"], info["name"], f"{info['images']:,}", info["created_at"][:10]] for info in infos]
            print_table(["id", "name", "images", "created"], rows)


@app.command("show")
def show(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Show one data set: images per split and class, generators, duplicates, skipped files."""
    with failing(as_json), opened() as service:
        show_dataset(service.datasets.get(dataset).to_json(), as_json)


@app.command("revise")
def revise(
    dataset: Dataset,
    *,
    real: Annotated[str, typer.Option(help="Numbers of images that are REAL, such as 3,5,10-19.")] = "",
    fake: Annotated[str, typer.Option(help="Numbers of images that are FAKE.")] = "",
    drop: Annotated[str, typer.Option(help="Numbers of images that count no more; a label brings one back.")] = "",
    version: Annotated[int | None, typer.Option(min=1, help="Fail unless the data set is at this version.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change labels or drop images: makes a new version, on which the next fit computes no features again."""
    with failing(as_json):
        changes: dict[int, str] = {}
        for label, numbers in (("REAL", real), ("FAKE", fake), ("DROP", drop)):
            for number in parse_numbers(numbers):
                if changes.setdefault(number, label) != label:
                    raise InvalidInput(f"Image {number} is named twice.", "Name each image in one option.")
        if not changes:
            raise InvalidInput("No image is named.", "Use --real, --fake or --drop, such as: --drop 3,5,10-19.")
        with opened() as service:
            revised = service.revise_dataset(dataset, changes, version)
            note(service.database, "datasets revise", revised.id)
            show_dataset(revised.to_json(), as_json)


@app.command("delete")
def delete(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Delete a data set with all that was derived from it; fitted models stay."""
    with failing(as_json), opened() as service:
        dataset_id = service.datasets.get(dataset).id
        service.delete_dataset(dataset_id)
        note(service.database, "datasets delete", dataset_id)
        done(as_json, {"deleted": dataset_id}, f"Deleted {dataset_id}.")


@app.command("export")
def export(
    dataset: Dataset,
    target: Annotated[Path, typer.Argument(help="File to write: NAME.zip or NAME.parquet.")],
    as_json: JsonFlag = False,
) -> None:
    """Write a data set's images and labels to a zip or a Parquet file in the Hugging Face image layout."""
    with failing(as_json), opened() as service:
        dataset_id = service.datasets.get(dataset).id
        writers = {".zip": service.datasets.export_zip, ".parquet": service.datasets.export_parquet}
        if target.suffix.lower() not in writers:
            raise InvalidInput(f"{target.name!r} ends in no known format.", f"Known: {', '.join(writers)}.")
        require_folder(target)
        writers[target.suffix.lower()](dataset_id, target)
        done(as_json, {"dataset_id": dataset_id, "path": str(target)}, f"Wrote {target}.")


def demo(
    target: Annotated[Path, typer.Argument(help="Zip to write.")],
    as_json: JsonFlag = False,
) -> None:
    """Write the demonstration set as a zip: photographs that packages ship and small generators' copies of them."""
    with failing(as_json):
        from backend.core.demo import write_demo_zip
        from backend.service.storage import written_whole

        require_folder(target)
        with written_whole(target) as temporary:
            write_demo_zip(temporary)
        done(as_json, {"path": str(target)}, f"Wrote {target}. Import it: deepfake datasets import {target}")


@app.command("audit")
def audit(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Say what else than a generator's traces tells the classes apart: sizes, formats, duplicates, balance."""
    with failing(as_json):
        found = make_profile(dataset)["audit"]
        if as_json:
            print_json(found)
        else:
            show_findings(found["findings"])


def eda(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Profile a data set: channels, sizes, formats, brightness, outliers, duplicates, and its audit."""
    with failing(as_json):
        profile = make_profile(dataset)
        if as_json:
            print_json(profile)
        else:
            show_profile(profile)


def make_profile(dataset: str) -> dict[str, Any]:
    """The profile of a data set, made first where there is none. Raises NotFound, JobFailed."""
    with opened() as service:
        dataset_id = service.datasets.get(dataset).id
        profile = service.profile(dataset_id)
    if profile is None:
        with opened(run_jobs=True) as service:
            run_job(service, "profile", {"dataset_id": dataset_id})
            profile = service.profile(dataset_id)
    return dict(profile or {})


def show_findings(findings: list[dict[str, Any]]) -> None:
    """Prints the findings of an audit, the worst first."""
    if not findings:
        typer.echo("Nothing was found that tells the classes apart besides how their pictures were made.")
    for found in findings:
        typer.echo(f"{found['severity'].upper()} {found['title']} ({found['code']})")
        for line in (found["detail"], found["hint"]):
            if line:
                typer.echo(f"  {line}")


def show_profile(profile: dict[str, Any]) -> None:
    """Prints the heart of a profile: how many images of what, and their channels."""
    counts = profile["counts"]["by_split"]
    print_table(
        ["split", "REAL", "FAKE"],
        [[split or "(none)", f"{n.get('REAL', 0):,}", f"{n.get('FAKE', 0):,}"] for split, n in counts.items()],
    )
    channels = profile["channels"]
    parts = [("all", channels["all"]), *channels["by_split"].items(), *channels["by_class"].items()]
    print_table(
        ["images of", "mean R, G, B", "standard deviation"],
        [
            [name or "(none)", *(" ".join(f"{value:.3f}" for value in part[key]) for key in ("mean", "std"))]
            for name, part in parts
        ],
    )
    show_findings(profile["audit"]["findings"])
    typer.echo("--json prints all of it: sizes, formats, distributions, spectra, outliers, duplicates.")


def describe_source(source: str) -> dict[str, Any]:
    """The source's description as the import takes it. A path goes before a known name of the same spelling."""
    path = Path(source)
    if not path.exists():
        if source in SOURCES:
            return {"kind": source}
        if path.suffix or path.name != source:
            raise NotFound(f"There is no file or folder {source!r}.", f"Known sources: {', '.join(SOURCES)}.")
        raise UnknownSource(f"There is no source {source!r}.", f"Known: {', '.join(SOURCES)}, or a path.")
    is_parquet = path.suffix == ".parquet" or (path.is_dir() and any(path.rglob("*.parquet")))
    kind = "parquet" if is_parquet else "folder" if path.is_dir() else "zip"
    return {"kind": kind, "path": str(path.absolute())}


def default_name(source: str) -> str:
    """The last part of the path without its ending."""
    return Path(source).absolute().stem if Path(source).exists() else source


def show_dataset(info: dict[str, Any], as_json: bool) -> None:
    """Prints a data set's record."""
    if as_json:
        print_json(info)
        return
    dropped = f", {info['dropped']:,} dropped" if info["dropped"] else ""
    typer.echo(f"{info['name']} ({info['id']}): version {info['version']}, {info['images']:,} images{dropped}")
    print_table(
        ["split", "REAL", "FAKE"],
        [[split or "(none)", f"{n.get('REAL', 0):,}", f"{n.get('FAKE', 0):,}"] for split, n in info["counts"].items()],
    )
    duplicates, skipped = info["duplicates"], info["skipped"]
    if duplicates["groups"]:
        typer.echo(
            f"{duplicates['images']:,} images are duplicates in {duplicates['groups']:,} groups; "
            f"{duplicates['crossing_train_test']:,} test images are also in train."
        )
    if skipped["count"]:
        typer.echo(f"{skipped['count']:,} files were skipped:")
        for file in skipped["first"]:
            typer.echo(f"  {file['filename']}: {file['message']}")


def parse_numbers(text: str) -> list[int]:
    """The numbers in a text such as "3,5,10-19". Raises InvalidInput."""
    numbers: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = _NUMBERS.fullmatch(part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise InvalidInput(f"{part[:40]!r} names no images.", "Write numbers as in 3,5,10-19.")
        numbers += range(first, last + 1)
    return numbers


def require_folder(target: Path) -> None:
    """Raises NotFound unless the folder that `target` goes into exists."""
    if not target.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}.", "Create it first.")


def done(as_json: bool, document: dict[str, Any], sentence: str) -> None:
    """Prints what a command did."""
    if as_json:
        print_json(document)
    else:
        typer.echo(sentence)
