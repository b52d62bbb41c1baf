"""A stored data set as one file that others read: a zip of folders, or Parquet in the Hugging Face image layout."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.service.dataset_index import DROPPED
from backend.service.dataset_info import SHARDS
from backend.service.shards import LABEL_NAMES, VALUE_COLUMNS, ShardWriter, read_images
from backend.service.sources.names import METADATA, is_archive
from backend.service.storage import opened, written_whole
from backend.settings import StorePath

_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
_SUFFIXES |= {"AVIF": "avif", "HEIF": "heic"}


def export_zip(folder: StorePath, index: str, path: Path) -> None:
    """Writes the data set in `folder` to `path`: [split/]CLASS/[generator/]name, the files unchanged.

    `index` is the name of the index file; images that it drops are left out. Where images have a group, a metadata.csv
    (columns file_name and group) tells it. One row group is in memory at a time. Raises StorageFull; nothing
    half-written is left.
    """
    groups = io.StringIO(newline="")
    table = csv.writer(groups)
    table.writerow(["file_name", "group"])
    taken: set[str] = set()
    grouped = False
    with written_whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for data, row in _images(folder, index):
            parts = [row["split"], LABEL_NAMES[row["label"]], row["generator"]]
            name = _unique("/".join(part for part in parts if part), row, taken)
            archive.writestr(zipfile.ZipInfo(name), data)
            if row["group"]:
                grouped = True
                table.writerow([name, row["group"]])
        if grouped:
            archive.writestr(zipfile.ZipInfo(METADATA), groups.getvalue(), zipfile.ZIP_DEFLATED)


def export_parquet(folder: StorePath, index: str, path: Path) -> None:
    """Writes the data set in `folder` to `path` with the columns of a shard; names are made unique.

    `index` is the name of the index file; images that it drops are left out. One row group is in memory at a time.
    Raises StorageFull; nothing half-written is left.
    """
    taken: set[str] = set()
    with written_whole(path) as temporary, ShardWriter(temporary) as writer:
        for data, row in _images(folder, index):
            name = _unique(row["path"].rpartition("/")[0], row, taken)
            values: dict[str, Any] = {column: row[column] for column in ("label", *VALUE_COLUMNS)}
            writer.add({"image": {"bytes": data, "path": name}, **values})


def _images(folder: StorePath, index: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Every image file with its row of the index, which counts where it differs from the shard's own columns."""
    with opened(folder / index) as raw, pq.ParquetFile(raw) as file:
        images: list[bytes] = []
        held = (-1, -1)
        for batch in file.iter_batches(batch_size=4096):
            for row in pa.Table.from_batches([batch]).to_pylist():
                if row.pop(DROPPED, False):
                    continue
                place = (row["shard"], row["row_group"])
                if place != held:
                    images = read_images(folder / SHARDS / f"{row['shard']:05d}.parquet", row["row_group"])
                    held = place
                yield images[row["position"]], row


def _unique(folder: str, row: dict[str, Any], taken: set[str]) -> str:
    """folder/name that no earlier image has, also where upper and lower case are one; notes it in `taken`."""
    name = row["path"].rpartition("/")[2] or f"{row['row']:06d}"
    stem, _, suffix = name.rpartition(".")
    if not stem or not suffix or is_archive(name):
        stem, suffix = name, _SUFFIXES[row["format"]]
    # a leading dot would hide the file from the import, a file named like the list of groups would be taken for it
    stem = stem.lstrip(".") or f"{row['row']:06d}"
    full = f"{folder}/{stem}.{suffix}" if folder else f"{stem}.{suffix}"
    if full.lower() in taken or full.lower().endswith(METADATA):
        full = full.removesuffix(f".{suffix}") + f"-{row['row']:06d}.{suffix}"
    taken.add(full.lower())
    return full
