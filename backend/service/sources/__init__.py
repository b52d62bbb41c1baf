"""Where images come from: a table of sources, each one class in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.core.errors import BrokenArchive, UnknownSource
from backend.service.sources.base import ChunkPlan, Description, ImportLimits, RawImage, Skip, Source
from backend.service.sources.demo import DemoSource
from backend.service.sources.folder import FilesSource, FolderSource
from backend.service.sources.names import LABELS
from backend.service.sources.parquet import ParquetSource
from backend.service.sources.zip_archive import ZipSource
from backend.service.storage import exists, is_folder
from backend.settings import StorePath, store_path

__all__ = [
    "SOURCES",
    "ChunkPlan",
    "Description",
    "ImportLimits",
    "RawImage",
    "Skip",
    "Source",
    "SourceKind",
    "open_source",
]

CIFAKE_GENERATOR = "stable-diffusion-1.4"


@dataclass(frozen=True)
class SourceKind:
    """One row of SOURCES."""

    summary: str
    open: Callable[[Description, ImportLimits], Source]
    options: tuple[str, ...] = ("path",)  # keys of the description beside "kind"


def open_source(description: Description, limits: ImportLimits | None = None) -> Source:
    """The source that the description names. Raises UnknownSource, naming the known ones."""
    kind = description.get("kind")
    if kind not in SOURCES:
        raise UnknownSource(f"There is no data source {kind!r}.", f"Known sources: {', '.join(SOURCES)}.")
    row = SOURCES[str(kind)]
    unknown = set(description) - {"kind", *row.options}
    if unknown:
        raise UnknownSource(
            f"The source {kind} does not take {', '.join(sorted(unknown))}.",
            f"It takes {', '.join(row.options) or 'nothing'}.",
        )
    return row.open(description, limits or ImportLimits())


def _path(description: Description) -> StorePath:
    path: Any = description.get("path")
    if not path:
        raise UnknownSource(f"The source {description['kind']} needs a path.", "Say where the images lie.")
    place = store_path(str(path))
    if not exists(place):
        raise UnknownSource(f"There is no file or folder {place.name!r}.", "Say where the images lie.")
    return place


def _open_zip(description: Description, limits: ImportLimits, generator: str = "") -> Source:
    path = _path(description)
    if is_folder(path):
        raise BrokenArchive(f"{path.name!r} is a folder, no zip.", "Import it as a folder.")
    return ZipSource(path, limits, generator, _unsorted(description))


def _open_folder(description: Description, limits: ImportLimits) -> Source:
    return FolderSource(_path(description), limits, unsorted=_unsorted(description))


def _unsorted(description: Description) -> str:
    """The class of files in neither REAL/ nor FAKE/; "" leaves them out. Raises UnknownSource."""
    label = str(description.get("unsorted", ""))
    if label and label not in LABELS.values():
        raise UnknownSource(f"unsorted is {label!r}.", f"Give {' or '.join(LABELS.values())}, or leave it out.")
    return label


def _open_cifake(description: Description, limits: ImportLimits) -> Source:
    path = _path(description)
    if is_folder(path):
        return FolderSource(path, limits, CIFAKE_GENERATOR)
    return _open_zip(description, limits, CIFAKE_GENERATOR)


_SORTED = ("path", "unsorted")

SOURCES: dict[str, SourceKind] = {
    "zip": SourceKind("a zip with REAL/ and FAKE/ folders, if you like below train/ and test/", _open_zip, _SORTED),
    "folder": SourceKind("the same as folders", _open_folder, _SORTED),
    "files": SourceKind("uploaded files with labels", lambda given, limits: FilesSource(_path(given), limits)),
    "cifake": SourceKind("CIFAKE as published: its zip or folder, or downloaded when no path is given", _open_cifake),
    "parquet": SourceKind(
        "Parquet files in the Hugging Face image layout",
        lambda given, limits: ParquetSource(_path(given), limits, given.get("label_names", ())),
        ("path", "label_names"),
    ),
    "demo": SourceKind(
        "a small set made on the spot from photographs that packages carry",
        lambda given, _: DemoSource(int(given.get("seed", 0))),
        ("seed",),
    ),
}
