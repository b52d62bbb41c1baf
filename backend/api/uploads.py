"""Multipart uploads -> a source description that the import workflow reads, spooled in the job's own folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from starlette.requests import Request

from backend.api.multipart import clean_name, describe_text_field, read_multipart
from backend.api.problems import ProblemError
from backend.api.spool import SpoolFolder
from backend.core.errors import LabelMismatch
from backend.service.sources.folder import MANIFEST
from backend.service.sources.names import Place, is_junk, place, safe_path
from backend.service.sources.zip_directory import find_listing, list_members

FILE_FIELDS = {
    "archive": "one zip with REAL/ and FAKE/ folders, optionally under train/ and test/",
    "parquet": "one or more Parquet files in the Hugging Face image layout",
    "files": "images, with `labels`: a JSON list of REAL and FAKE in the order of the files",
}
"""Fields that carry images: name -> what is sent in it."""

LABELS = ("REAL", "FAKE")


class DatasetUpload:
    """The files of one request on disk, and what they are as a source of images."""

    def __init__(self, folder: SpoolFolder) -> None:
        self.content = folder.path / "upload"
        self.content.mkdir()
        self.names: list[str] = []
        self.field = ""

    def open_sink(self, field: str, filename: str) -> _DiskSink:
        """Where the next file goes. Raises ProblemError for a field that carries no files, or a second kind of them."""
        if field not in FILE_FIELDS:
            raise _field_problem(f"The field {field[:80]!r} carries no files here.")
        if self.field and field != self.field:
            raise _field_problem(f"Send `{self.field}` or `{field}`, not both.")
        if field == "archive" and self.names:
            raise _field_problem("Only one archive can be sent at a time.")
        self.field = field
        suffix = {"archive": ".zip", "parquet": ".parquet", "files": ""}[field]
        stored = f"{len(self.names):04d}{suffix}"
        self.names.append(clean_name(filename) or f"file-{len(self.names) + 1}")
        return _DiskSink(self.content / stored)

    def describe(self, labels: str | None, unsorted: str = "") -> dict[str, Any]:
        """The source description for `open_source`. Raises ProblemError or LabelMismatch.

        unsorted: the class of files without labels, and of an archive's outside REAL/ and FAKE/; "": refused.
        """
        if not self.field:
            raise _field_problem("The request has no images.")
        if self.field != "files":
            if labels is not None:
                raise _field_problem(f"`labels` goes with `files`, not with `{self.field}`.")
            if self.field == "parquet":
                return {"kind": "parquet", "path": str(self.content)}
            whole = {"kind": "zip", "path": str(self.content / "0000.zip")}
            return {**whole, "unsorted": unsorted} if unsorted else whole
        alike = labels is None and unsorted
        given = [unsorted] * len(self.names) if alike else parse_labels(labels, len(self.names))
        manifest = [
            {"stored": f"{index:04d}", "filename": name, "label": label}
            for index, (name, label) in enumerate(zip(self.names, given, strict=True))
        ]
        (self.content / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        return {"kind": "files", "path": str(self.content)}


class _DiskSink:
    """Writes one file; it is opened with its first bytes, so that only one is open at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: IO[bytes] | None = None

    def write(self, data: bytes) -> None:
        if self._handle is None:
            self._handle = self._path.open("xb", buffering=0)
        self._handle.write(data)

    def close(self) -> None:
        if self._handle is None:
            self._path.touch()
        else:
            self._handle.close()


def parse_labels(labels: str | None, files: int) -> list[str]:
    """The labels of uploaded files, REAL or FAKE each. Raises LabelMismatch unless they fit the files."""
    hint = 'Send `labels` as a JSON list with REAL or FAKE for each file, in their order: ["REAL", "FAKE"].'
    if labels is None:
        raise LabelMismatch("The files come without labels.", hint)
    try:
        given = json.loads(labels)
    except (ValueError, RecursionError):
        raise LabelMismatch("`labels` is not valid JSON.", hint) from None
    if not isinstance(given, list) or not all(isinstance(label, str) for label in given):
        raise LabelMismatch("`labels` is not a list of strings.", hint)
    if unknown := sorted(set(given) - set(LABELS)):
        raise LabelMismatch(f"Unknown label: {unknown[0][:40]!r}.", hint)
    if len(given) != files:
        raise LabelMismatch(f"Files: {files}, but labels: {len(given)}.", hint)
    return given


def count_labels(source: Mapping[str, Any]) -> dict[str, int] | None:
    """How many files each label has, as far as an upload tells without reading its images; None for Parquet."""
    path = Path(source["path"])
    if source["kind"] == "files":
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return Counter(entry["label"] for entry in manifest)
    if source["kind"] == "zip":
        return _count_zip(path, source.get("unsorted", ""))
    return None


def _count_zip(path: Path, unsorted: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with path.open("rb") as file:
        listing = find_listing(file)
        for member in list_members(file, listing, listing.offset, listing.members):
            name = safe_path(member.name)
            placed = place(name, unsorted)
            if not member.folder and not is_junk(name) and isinstance(placed, Place):
                counts[placed.label] += 1
    return counts


async def receive_dataset(
    request: Request, upload: DatasetUpload, *, max_files: int, text_fields: frozenset[str]
) -> dict[str, str]:
    """The text fields of a request that carries a data set; its files are in `upload` afterwards."""
    fields = await read_multipart(request, upload.open_sink, max_files=max_files)
    if unknown := sorted(set(fields) - text_fields):
        raise _field_problem(describe_text_field(unknown[0], FILE_FIELDS), text_fields)
    return fields


def _field_problem(detail: str, text_fields: frozenset[str] = frozenset()) -> ProblemError:
    known = "; ".join(f"`{name}`: {meaning}" for name, meaning in FILE_FIELDS.items())
    also = f"; also: {', '.join(sorted(text_fields))}" if text_fields else ""
    return ProblemError(422, "upload.fields", detail, f"Send {known}{also}.")
