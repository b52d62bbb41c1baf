"""Names that strangers give: cleaned, and read for class, split and generator."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from backend.core.errors import UnsafeName

LABELS = {"real": "REAL", "fake": "FAKE"}
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
METADATA = "metadata.csv"

_JUNK_NAMES = {"thumbs.db", "desktop.ini"}
_JUNK_FOLDERS = {"__macosx"}
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
_DRIVE = re.compile(r"^[A-Za-z]:")
_MAX_PART = 200


@dataclass(frozen=True)
class Place:
    """What a file's folders say about it."""

    label: str
    split: str
    generator: str


@dataclass(frozen=True)
class NoPlace:
    """Why a file's folders do not give it a class."""

    code: str
    message: str


def safe_path(name: str) -> str:
    """The cleaned name: "/" between its parts, no control or invisible characters, no empty parts.

    Raises UnsafeName for an absolute name or one with "..".
    """
    shown = _printable(name).replace("\\", "/")
    if shown.startswith("/") or _DRIVE.match(shown):
        raise UnsafeName(f"The name {shown[:120]!r} is absolute.", "Pack the folders with relative names.")
    parts = [part.strip() for part in shown.split("/")]
    if ".." in parts:
        raise UnsafeName(f"The name {shown[:120]!r} leads out of its folder.", "Pack the folders without '..'.")
    return "/".join(_shorten(part) for part in parts if part not in ("", "."))


def safe_name(name: str) -> str:
    """As safe_path, but of an unsafe name only the last part is kept: for names under which nothing is ever written."""
    try:
        return safe_path(name)
    except UnsafeName:
        last = _printable(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
        last = _DRIVE.sub("", last.strip()).strip()
        return "" if last in (".", "..") else _shorten(last)


def safe_generator(name: str) -> str:
    """The generator's name as one folder name that cannot be taken for one with a meaning of its own."""
    cleaned = _shorten(_printable(name).replace("\\", "/").replace("/", "-").strip().strip("."))
    taken = {*LABELS, *SPLITS, *_JUNK_FOLDERS}
    return f"{cleaned}-generator" if cleaned.lower() in taken else cleaned


def is_junk(path: str) -> bool:
    """Whether the file is what operating systems leave behind: ignored without a word."""
    parts = path.lower().split("/")
    return parts[-1].startswith(".") or parts[-1] in _JUNK_NAMES or not _JUNK_FOLDERS.isdisjoint(parts)


def is_metadata(path: str) -> bool:
    """Whether the file is a list of groups, no image."""
    return path.rpartition("/")[2].lower() == METADATA


def is_archive(path: str) -> bool:
    """Whether the name is that of an archive."""
    return path.lower().endswith(_ARCHIVES)


def place(path: str, unsorted: str = "") -> Place | NoPlace:
    """Class, split and generator from the folders of a cleaned path.

    `[.../][train/]REAL/...` or `[.../][train/]FAKE/[generator/]...` in any letter case; the folder of the split may
    also stand right below that of the class. A file in no such folder is of the class `unsorted`, where there is one.
    """
    if is_archive(path):
        return NoPlace("archive.nested", "An archive within the archive is not opened.")
    folders = path.split("/")[:-1]
    classes = [number for number, folder in enumerate(folders) if folder.lower() in LABELS]
    if not classes and unsorted:
        return Place(unsorted, "", "")
    if not classes:
        return NoPlace("dataset.no_class_folder", "The file lies in no REAL/ or FAKE/ folder.")
    if len(classes) > 1:
        return NoPlace("dataset.ambiguous_folder", "The file lies in more than one REAL/ or FAKE/ folder.")
    label = LABELS[folders[classes[0]].lower()]
    below = folders[classes[0] + 1 :]
    splits = {SPLITS[folder.lower()] for folder in folders[: classes[0]] if folder.lower() in SPLITS}
    if below and below[0].lower() in SPLITS:
        splits.add(SPLITS[below.pop(0).lower()])
    if len(splits) > 1:
        return NoPlace("dataset.ambiguous_folder", "The file lies in the folders of two splits.")
    generator = safe_generator(below[0]) if below and label == "FAKE" else ""
    return Place(label, splits.pop() if splits else "", generator)


def _printable(name: str) -> str:
    if name.isascii() and name.isprintable():
        return name
    return "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))


def _shorten(part: str) -> str:
    if len(part) <= _MAX_PART:
        return part
    stem, dot, suffix = part.rpartition(".")
    if not dot or len(suffix) > 10:
        return part[:_MAX_PART]
    return stem[: _MAX_PART - len(suffix) - 1] + "." + suffix
