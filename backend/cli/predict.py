"""`deepfake predict`: verdicts on files of this machine, without a server and without the cluster."""

from __future__ import annotations

import base64
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.console import FAILED, JsonFlag, failing, opened, print_json, print_table
from backend.core.errors import DeepfakeError, NotFound, Unreadable

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"},
)
"""Endings that count as images when a folder is searched; a file that is named itself may have any."""

FILES_AT_ONCE = 64
BYTES_AT_ONCE = 64 * 2**20
"""Files are read until either bound is passed, then answered: that bounds the memory."""


def predict(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or quoted patterns such as 'photos/*.jpg'.")],
    *,
    recursive: Annotated[bool, typer.Option("--recursive", help="Search folders within folders as well.")] = False,
    model: Annotated[str | None, typer.Option(help="Id of the model; the active one by default.")] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="Write a heat-map of each answer into this folder, as PNG to lay over the image."),
    ] = None,
    stability: Annotated[
        bool, typer.Option("--stability", help="Try each answer on changed copies; one that does not hold is unsure.")
    ] = False,
    provenance: Annotated[
        bool,
        typer.Option("--provenance", help="Say also what each file tells of its origin: C2PA, EXIF, XMP, prompts."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell whether images are REAL or FAKE. One unreadable file never stops the others; status 1 if none was read."""
    with failing(as_json), opened() as service:
        files = list(dict.fromkeys(find_files(paths, recursive=recursive)))
        answer: dict[str, Any] = {"model_id": None, "predictions": [], "errors": []}
        for images, unread in read_files(files, largest=service.settings.max_upload_bytes):
            part = service.predictor.predict(
                images, model, explain=explain is not None, stability=stability, provenance=provenance
            )
            if explain is not None:
                write_heatmaps(explain, part["predictions"], start=len(answer["predictions"]))
            answer["model_id"] = part["model_id"]
            answer["predictions"] += part["predictions"]
            answer["errors"] += [describe_error(item["filename"], item["error"]) for item in part["errors"]] + unread
        if as_json:
            print_json(answer)
        else:
            show_answer(answer)
        if not answer["predictions"]:
            raise typer.Exit(FAILED)


def find_files(paths: Sequence[str], *, recursive: bool) -> Iterator[Path]:
    """The files that `paths` name: themselves, those of their folders, those that match. Raises NotFound for none."""
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found = sorted(path.rglob("*") if recursive else path.iterdir())
            files = [file for file in found if file.suffix.lower() in SUFFIXES and file.is_file()]
        elif path.exists():
            files = [path]
        else:
            matches = (Path(match) for match in sorted(glob.glob(given, recursive=recursive)))  # noqa: PTH207
            files = [match for match in matches if match.is_file()]
        if not files:
            hint = "Folders within folders are searched with --recursive." if path.is_dir() and not recursive else ""
            raise NotFound(f"There is no image {given!r}.", hint)
        yield from files


def read_files(
    files: Sequence[Path], *, largest: int
) -> Iterator[tuple[list[tuple[str, bytes]], list[dict[str, str]]]]:
    """(path, content) of the next files that could be read, and an error for each that could not, batch by batch."""
    images: list[tuple[str, bytes]] = []
    errors: list[dict[str, str]] = []
    read = 0
    for file in files:
        try:
            images.append((str(file), read_file(file, largest)))
            read += len(images[-1][1])
        except Unreadable as error:
            errors.append(describe_error(str(file), error))
        if len(images) + len(errors) >= FILES_AT_ONCE or read >= BYTES_AT_ONCE:
            yield images, errors
            images, errors, read = [], [], 0
    if images or errors:
        yield images, errors


def read_file(file: Path, largest: int) -> bytes:
    """The content of a file of at most `largest` bytes. Raises Unreadable."""
    try:
        size = file.stat().st_size
        if size > largest:
            raise Unreadable(f"The file has {size} bytes; at most {largest} are read.", "Send a smaller version.")
        return file.read_bytes()
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror}.") from error


def write_heatmaps(folder: Path, predictions: Sequence[dict[str, Any]], *, start: int) -> None:
    """Writes NUMBER-NAME.png for each explained answer, numbered from `start`, and says which have none."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(predictions, start):
        if item["explanation"] is None:
            typer.echo(f"{item['filename']}: no heat-map: the model's features have no places.", err=True)
            continue
        name = f"{number:04d}-{Path(item['filename']).stem}.png"
        (folder / name).write_bytes(base64.b64decode(item["explanation"]["heatmap"]))


def describe_error(filename: str, error: DeepfakeError) -> dict[str, str]:
    """The error of one file as JSON."""
    return {"filename": filename, "code": error.code, "message": error.message, "hint": error.hint}


def show_answer(answer: dict[str, Any]) -> None:
    """Prints verdicts as a table on standard output and errors on standard error."""
    if answer["predictions"]:
        rows = [
            [item["verdict"], item["label"], f"{item['probability_fake']:.3f}", *_flips(item), item["filename"]]
            for item in answer["predictions"]
        ]
        flips = ["flips"] if answer["predictions"][0]["stability"] else []
        print_table(["verdict", "label", "probability of FAKE", *flips, "file"], rows)
    for item in answer["predictions"]:
        for found in (item.get("provenance") or {}).get("evidence", ()):
            said = f"{found['source']} ({found['strength']}): {found['statement'].replace('_', ' ')}: {found['detail']}"
            typer.echo(f"{item['filename']}: {said}")
    for error in answer["errors"]:
        typer.echo(f"{error['filename']}: {error['message']} {error['hint']}".rstrip(), err=True)


def _flips(item: dict[str, Any]) -> list[str]:
    stability = item["stability"]
    return [] if stability is None else [f"{stability['flips']} of {len(stability['tried'])}"]
