"""Images from a folder of this machine, and from spooled uploads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.core.errors import LabelMismatch, NoImages, Unreadable, UnsafeName
from backend.service.sources.base import ChunkPlan, ImportLimits, RawImage, Skip, fill_chunks
from backend.service.sources.metadata import groups_of
from backend.service.sources.names import (
    LABELS,
    SPLITS,
    NoPlace,
    is_junk,
    is_metadata,
    place,
    safe_generator,
    safe_name,
)
from backend.service.storage import is_folder, list_tree, opened, read_bytes
from backend.settings import StorePath

MANIFEST = "manifest.json"


class FolderSource:
    """A folder with REAL/ and FAKE/ below it; `generator` is that of FAKE images in no folder of their own.

    Folders that are links are not followed. Files outside these folders are left out, or are of the class `unsorted`.
    """

    def __init__(self, path: StorePath, limits: ImportLimits, generator: str = "", unsorted: str = "") -> None:
        self._path = path
        self._limits = limits
        self._generator = generator
        self._unsorted = unsorted

    def chunks(self) -> list[ChunkPlan]:
        """The folder's files by name, in pieces. Raises NoImages when none lies in REAL/ or FAKE/."""
        if not is_folder(self._path):
            raise NoImages(f"There is no folder {self._path}.", "Name a folder that holds REAL/ and FAKE/.")
        files = [(name, size) for name, size in _walk(self._path) if not is_junk(name) and not is_metadata(name)]
        if not any(not isinstance(place(name, self._unsorted), NoPlace) for name, _ in files):
            raise NoImages(
                "The folder holds no file in a REAL/ or FAKE/ folder.", "Sort the images into REAL/ and FAKE/."
            )
        ranges = fill_chunks([size for _, size in files], self._limits.images_per_chunk)
        return [
            ChunkPlan(number, stop - start, tuple(name for name, _ in files[start:stop]))
            for number, (start, stop) in enumerate(ranges)
        ]

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:
        """The files of one piece."""
        for name in plan.where:
            path = safe_name(str(name))
            placed = place(path, self._unsorted)
            if isinstance(placed, NoPlace):
                yield Skip(path, placed.code, placed.message)
                continue
            data = _read_file(self._path / str(name), path, self._limits.max_image_bytes)
            if isinstance(data, Skip):
                yield data
                continue
            generator = placed.generator or (self._generator if placed.label == "FAKE" else "")
            yield RawImage(path, data, placed.label, placed.split, generator)

    def groups(self) -> dict[str, str]:
        """Groups by path from the folder's metadata.csv files."""
        groups: dict[str, str] = {}
        for name, _ in _walk(self._path):
            if is_metadata(name) and not is_junk(name):
                groups |= groups_of(read_bytes(self._path / name), safe_name(name))
        return groups


class FilesSource:
    """Uploads that lie in one folder under names of our own, with a manifest.json that says what each is.

    The manifest is a list of {"stored", "filename", "label"} with "split", "generator" and "group" where given.
    """

    def __init__(self, path: StorePath, limits: ImportLimits) -> None:
        self._path = path
        self._limits = limits
        self._entries = [_check_entry(entry) for entry in _read_manifest(path / MANIFEST)]

    def chunks(self) -> list[ChunkPlan]:
        """The manifest in pieces. Raises NoImages when it is empty."""
        if not self._entries:
            raise NoImages("No file was sent.", "Send at least one image.")
        listed = list_tree(self._path)
        sizes = [listed[entry["stored"]].size if entry["stored"] in listed else 0 for entry in self._entries]
        ranges = fill_chunks(sizes, self._limits.images_per_chunk)
        return [ChunkPlan(number, stop - start, (start, stop)) for number, (start, stop) in enumerate(ranges)]

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:
        """The uploads of one piece, in the order of the manifest."""
        start, stop = (int(value) for value in plan.where)
        for entry in self._entries[start:stop]:
            data = _read_file(self._path / entry["stored"], entry["filename"], self._limits.max_image_bytes)
            if isinstance(data, Skip):
                yield data
                continue
            generator = entry["generator"] if entry["label"] == "FAKE" else ""
            yield RawImage(entry["filename"], data, entry["label"], entry["split"], generator, entry["group"])

    def groups(self) -> dict[str, str]:
        """Empty: the manifest's groups come with the images."""
        return {}


def _read_manifest(path: StorePath) -> list[Any]:
    try:
        entries = json.loads(read_bytes(path))
    except (OSError, ValueError) as error:
        raise LabelMismatch("The list of the uploaded files cannot be read.", "Send the files again.") from error
    if not isinstance(entries, list):
        raise LabelMismatch("The list of the uploaded files is no list.", "Send the files again.")
    return entries


def _check_entry(entry: Any) -> dict[str, str]:
    """The manifest's entry with every key present. Raises LabelMismatch or UnsafeName."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise LabelMismatch("An uploaded file is described by no plain table.", "Give stored, filename and label.")
    stored, label, split = entry.get("stored", ""), entry.get("label", ""), entry.get("split", "")
    if stored in ("", ".", "..") or Path(stored).name != stored:
        raise UnsafeName(f"{stored!r} is not the name of a stored upload.", "Send the files again.")
    if label.lower() not in LABELS:
        raise LabelMismatch(f"{label!r} is no label.", "Labels are REAL and FAKE.")
    if split and split.lower() not in SPLITS:
        raise LabelMismatch(f"{split!r} is no split.", "Splits are train, validation and test, or leave it out.")
    return {
        "stored": stored,
        "filename": safe_name(entry.get("filename", "")) or stored,
        "label": LABELS[label.lower()],
        "split": SPLITS[split.lower()] if split else "",
        "generator": safe_generator(entry.get("generator", "")),
        "group": entry.get("group", ""),
    }


def _walk(root: StorePath) -> Iterator[tuple[str, int]]:
    """Every plain file below `root`: (name with "/", bytes), by name, those of a folder before those of its folders."""
    listed = list_tree(root)
    return ((name, listed[name].size) for name in sorted(listed, key=lambda name: (name.split("/")[:-1], name)))


def _read_file(path: StorePath, shown: str, max_bytes: int) -> bytes | Skip:
    try:
        with opened(path) as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        return Skip(shown, Unreadable.code, f"The file cannot be read: {error.strerror}.")
    if len(data) > max_bytes:
        return Skip(shown, Unreadable.code, f"The file has more than {max_bytes} bytes.")
    return data
