"""The data sets on disk: one folder each, data/datasets/<id>/ with shards, index.parquet and info.json."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from backend.core.errors import IntegrityError, NotFound
from backend.core.images import MOST_PIXELS, decode
from backend.service.dataset_index import DROPPED, read_index
from backend.service.dataset_info import INDEX, INDEX_ROWS_PER_GROUP, INFO, SHARDS, DatasetInfo
from backend.service.duplicates import test_rows_also_in_train
from backend.service.exporting import export_parquet, export_zip
from backend.service.shards import disk_full_is_told, read_images

logger = logging.getLogger(__name__)

Columns = list[str]
Infos = list[DatasetInfo]
"""Named here because the class below has a method `list`."""

__all__ = ["DatasetInfo", "DatasetStore", "FeatureChunk", "read_chunk", "test_rows_also_in_train"]

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_STAGING, _TRASH = ".staging-", ".trash-"


@dataclass(frozen=True)
class FeatureChunk:
    """One row group of a data set: the piece that features are computed and cached for."""

    shard: str  # absolute path
    row_group: int
    rows: int
    digest: str  # hex SHA-256 over the decoded pixels of its images in order: equal content, equal features


FeatureChunks = list[FeatureChunk]
Files = list[bytes]


def read_chunk(chunk: FeatureChunk) -> Files:
    """The image files of the chunk in row order. Raises IntegrityError."""
    return read_images(chunk.shard, chunk.row_group)


class DatasetStore:
    """Reads and removes data sets below `root`. Folders whose names begin with a dot are not data sets."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def list(self) -> Infos:
        """All data sets, the oldest first. One that is damaged is left out, with a line in the log."""
        found = []
        for path in self.root.glob(f"[!.]*/{INFO}") if self.root.is_dir() else ():
            try:
                found.append(_read_info(path))
            except IntegrityError as error:
                if path.exists():  # else it was removed this very moment
                    logger.warning("%s It is left alone.", error.message)
        return sorted(found, key=lambda info: (info.created_at, info.id))

    def get(self, id: str) -> DatasetInfo:
        """The data set of that id, or else of that name. Raises NotFound."""
        if _ID.fullmatch(id) and (self.root / id / INFO).exists():
            return _read_info(self.root / id / INFO)
        for info in self.list():
            if info.name == id:
                return info
        raise NotFound(f"There is no data set {id!r}.", "List the data sets to see which there are.")

    def folder(self, id: str) -> Path:
        """The data set's folder. Raises NotFound."""
        return self.root / self.get(id).id

    def staging(self, id: str) -> Path:
        """The folder that an import of this id fills; it may hold what an earlier run finished."""
        if not _ID.fullmatch(id):
            raise NotFound(f"{id!r} is no id of a data set.", "Ids are made of a-z, 0-9 and -.")
        path = self.root / f"{_STAGING}{id}"
        with disk_full_is_told():
            path.mkdir(parents=True, exist_ok=True)
        return path

    def publish(self, id: str) -> DatasetInfo:
        """The data set whose staging folder has now taken its place. Harmless when that happened before."""
        staging, target = self.root / f"{_STAGING}{id}", self.root / id
        if not target.exists():
            if not (staging / INFO).exists():
                raise NotFound(f"No finished import of {id!r} is there.", "Import it again.")
            staging.rename(target)
        for report in (target / SHARDS).glob("*.json"):  # last: a run that is killed before needs them
            report.unlink()
        return self.get(id)

    def clear_staging(self, keep: frozenset[str] = frozenset()) -> None:
        """Removes half-done imports, but those of the ids in `keep`, and what interrupted removals left."""
        if not self.root.is_dir():
            return
        for path in self.root.iterdir():
            unfinished = path.name.startswith(_STAGING) and path.name.removeprefix(_STAGING) not in keep
            if unfinished or path.name.startswith(_TRASH):
                shutil.rmtree(path, ignore_errors=True)

    def discard_staging(self, id: str) -> None:
        """Removes the half-done import of this id, if there is one."""
        shutil.rmtree(self.root / f"{_STAGING}{id}", ignore_errors=True)

    def delete(self, id: str) -> None:
        """Removes the data set at once for every reader. Raises NotFound."""
        trash = self.root / f"{_TRASH}{uuid.uuid4().hex[:8]}"
        self.folder(id).rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def index(self, id: str | DatasetInfo, columns: Columns | None = None) -> pa.Table:
        """One row an image in order: row, path, label (0 REAL, 1 FAKE), split, generator, group, group_id, digests, ...

        Without dropped images: `row` is the number that an image keeps, and its place in the chunks' rows. An info
        asks for that version, which stays readable while the next one is current. Raises NotFound, IntegrityError.
        """
        info = self.get(id) if isinstance(id, str) else id
        with _index_is_whole(info.id):
            return read_index(self.root / info.id / info.file(INDEX), columns)

    def chunks(self, id: str) -> FeatureChunks:
        """The data set's row groups in row order, with dropped images, so that their features stay valid."""
        info = self.get(id)
        folder = self.root / info.id / SHARDS
        with _index_is_whole(info.id):
            columns = ["shard", "row_group", "pixel_sha256"]
            index = read_index(self.root / info.id / info.file(INDEX), columns, with_dropped=True)
        shard, group = np.asarray(index["shard"]), np.asarray(index["row_group"])
        starts = np.flatnonzero(np.r_[True, (np.diff(shard) != 0) | (np.diff(group) != 0)])
        stops = np.r_[starts[1:], len(shard)]
        digests = index["pixel_sha256"].to_pylist()
        return [
            FeatureChunk(
                str(folder / f"{shard[start]:05d}.parquet"),
                int(group[start]),
                int(stop - start),
                hashlib.sha256("".join(digests[start:stop]).encode()).hexdigest(),
            )
            for start, stop in zip(starts, stops, strict=True)
        ]

    def image(self, id: str, n: int) -> tuple[bytes, dict[str, Any]]:
        """The file of image `n` (0, 1, ...) and its row of the index. Reads one row group. Raises NotFound.

        A dropped image is still there: predictions of a model that was fitted with it name it.
        """
        info = self.get(id)
        folder = self.root / info.id
        with _index_is_whole(id), pq.ParquetFile(folder / info.file(INDEX)) as index:
            if not 0 <= n < index.metadata.num_rows:
                raise NotFound(
                    f"There is no image {n}.", f"The data set has images 0 to {index.metadata.num_rows - 1}."
                )
            part, position = divmod(n, INDEX_ROWS_PER_GROUP)
            row: dict[str, Any] = index.read_row_group(part).slice(position, 1).to_pylist()[0]
        row.pop(DROPPED, None)
        images = read_images(folder / SHARDS / f"{row['shard']:05d}.parquet", row["row_group"])
        return images[row["position"]], row

    def thumbnail(self, id: str, n: int, side: int = 96) -> bytes:
        """A JPEG of image `n` that fits a square of `side` pixels; a smaller image keeps its size. Raises NotFound."""
        data, _ = self.image(id, n)
        picture = Image.fromarray(decode(data, max_pixels=MOST_PIXELS).pixels)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=90, subsampling=0)
        return out.getvalue()

    def export_zip(self, id: str, path: Path) -> None:
        """Writes the data set to `path` as a zip that imports back. Raises NotFound, StorageFull."""
        info = self.get(id)
        export_zip(self.root / info.id, info.file(INDEX), path)

    def export_parquet(self, id: str, path: Path) -> None:
        """Writes the data set to `path` as one Parquet file that imports back. Raises NotFound, StorageFull."""
        info = self.get(id)
        export_parquet(self.root / info.id, info.file(INDEX), path)


@contextmanager
def _index_is_whole(id: str) -> Iterator[None]:
    """Turns what Arrow says about a damaged index into IntegrityError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"The index of data set {id} cannot be read.", "Import it again.") from error


def _read_info(path: Path) -> DatasetInfo:
    try:
        return DatasetInfo.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The description of data set {path.parent.name} cannot be read.", "Import it again."
        ) from error
