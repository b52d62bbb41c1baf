"""The stored data sets: one folder each, datasets/<id>/ with shards, index.parquet and, written last, info.json."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from backend.core.errors import IntegrityError, NotFound
from backend.core.images import MOST_PIXELS, decode
from backend.service.dataset_index import DROPPED, read_index, read_index_rows, read_runs
from backend.service.dataset_info import INDEX, INDEX_ROWS_PER_GROUP, INFO, SHARDS, DatasetInfo
from backend.service.duplicates import test_rows_also_in_train
from backend.service.exporting import export_parquet, export_zip
from backend.service.shards import read_images
from backend.service.storage import exists, list_folders, list_tree, opened, read_ahead, read_bytes, remove, remove_tree
from backend.settings import StorePath, store_path

if TYPE_CHECKING:
    from backend.service.database import Database

logger = logging.getLogger(__name__)

Columns = list[str]
Infos = list[DatasetInfo]
"""Named here because the class below has a method `list`."""

__all__ = ["DatasetInfo", "DatasetStore", "FeatureChunk", "read_chunk", "test_rows_also_in_train"]

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class FeatureChunk:
    """One row group of a data set: the piece that features are computed and cached for."""

    shard: str  # absolute path, or address in the object store
    row_group: int
    rows: int
    digest: str  # hex SHA-256 over the decoded pixels of its images in order: equal content, equal features


FeatureChunks = list[FeatureChunk]
Files = list[bytes]


def read_chunk(chunk: FeatureChunk) -> Files:
    """The image files of the chunk in row order. Raises IntegrityError."""
    return read_images(store_path(chunk.shard), chunk.row_group)


class DatasetStore:
    """Reads and removes data sets below `root`. A folder is a data set as long as its info.json is there.

    With a database its rows say which data sets there are, so that no request lists the store; without one, as on a
    worker, the folders do.
    """

    def __init__(self, root: StorePath, database: Database | None = None) -> None:
        self.root, self._database = root, database

    def list(self) -> Infos:
        """All data sets, the oldest first."""
        if self._database is None:
            return self.scan()
        return _by_age(DatasetInfo.from_json(info) for info in self._database.list_datasets())

    def scan(self) -> Infos:
        """All data sets that the folders hold, the oldest first. A damaged one is left out, with a line in the log."""
        folders = [name for name in list_folders(self.root) if _ID.fullmatch(name)]
        return _by_age(info for info in read_ahead(self._read_sound, folders) if info is not None)

    def get(self, id: str) -> DatasetInfo:
        """The data set of that id, or else of that name. Raises NotFound."""
        if self._database is not None:
            row = self._database.get_dataset(id)
            if row is not None:
                return DatasetInfo.from_json(row)
        else:
            if _ID.fullmatch(id) and exists(self.root / id / INFO):
                return self.read(id)
            for info in self.list():
                if info.name == id:
                    return info
        raise _no_dataset(id)

    def read(self, id: str) -> DatasetInfo:
        """The data set of that id as its folder describes it. Raises NotFound, IntegrityError."""
        try:
            return DatasetInfo.from_json(json.loads(read_bytes(self.root / id / INFO)))
        except FileNotFoundError:
            raise _no_dataset(id) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"The description of data set {id} cannot be read.", "Import it again.") from error

    def folder(self, id: str) -> StorePath:
        """The data set's folder. Raises NotFound."""
        return self.root / self.get(id).id

    def prepare(self, id: str) -> StorePath:
        """The folder that an import of this id fills; it may hold what an earlier run finished. Raises NotFound."""
        if not _ID.fullmatch(id):
            raise NotFound(f"{id!r} is no id of a data set.", "Ids are made of a-z, 0-9 and -.")
        return self.root / id

    def publish(self, id: str) -> DatasetInfo:
        """The data set whose import is finished, rid of the import's notes. Harmless when that happened before.

        Raises NotFound while there is no info.json.
        """
        info = self.read(id)
        shards = self.root / id / SHARDS
        remove(shards / name for name in list_tree(shards) if name.endswith(".json"))
        return info

    def list_unfinished(self) -> Columns:
        """The folders that are no data sets: of imports under way, and of imports and removals that were killed."""
        folders = list_folders(self.root)
        is_whole = read_ahead(self._is_whole, folders)
        return [name for name, whole in zip(folders, is_whole, strict=True) if not whole]

    def discard(self, id: str) -> None:
        """Removes what an unfinished import or removal left; nothing where the data set is whole."""
        if not self._is_whole(id):
            remove_tree(self.root / id)

    def _is_whole(self, id: str) -> bool:
        return _ID.fullmatch(id) is not None and exists(self.root / id / INFO)

    def hide(self, id: str) -> None:
        """Ends the data set for everybody who looks at the folders; `discard` then removes its files."""
        remove([self.root / id / INFO])

    def delete(self, id: str) -> None:
        """Removes the data set's files. Raises NotFound."""
        folder = self.folder(id)
        self.hide(folder.name)
        remove_tree(folder)

    def _read_sound(self, id: str) -> DatasetInfo | None:
        try:
            return self.read(id)
        except NotFound:  # unfinished, or removed this very moment
            return None
        except IntegrityError as error:
            logger.warning("%s It is left alone.", error.message)
            return None

    def index(self, id: str | DatasetInfo, columns: Columns | None = None) -> pa.Table:
        """One row an image in order: row, path, label (0 REAL, 1 FAKE), split, generator, group, group_id, digests, ...

        Without dropped images: `row` is the number that an image keeps, and its place in the chunks' rows. An info
        asks for that version, which stays readable while the next one is current. Raises NotFound, IntegrityError.
        """
        info = self.get(id) if isinstance(id, str) else id
        with self._files_are_whole(info.id):
            return read_index(self.root / info.id / info.file(INDEX), columns)

    def index_rows(self, info: DatasetInfo, start: int, stop: int, columns: Columns) -> pa.Table:
        """As `index`, of the images that have the numbers [start, stop): reads no others."""
        with self._files_are_whole(info.id):
            return read_index_rows(self.root / info.id / info.file(INDEX), start, stop, columns)

    def chunks(self, id: str) -> FeatureChunks:
        """The data set's row groups in row order, with dropped images, so that their features stay valid."""
        info = self.get(id)
        folder = self.root / info.id
        with self._files_are_whole(info.id):
            return [
                FeatureChunk(str(folder / SHARDS / f"{shard:05d}.parquet"), group, rows, digest)
                for shard, group, rows, digest in read_runs(folder, info)
            ]

    def image(self, id: str, n: int) -> tuple[bytes, dict[str, Any]]:
        """The file of image `n` (0, 1, ...) and its row of the index. Reads one row group. Raises NotFound.

        A dropped image is still there: predictions of a model that was fitted with it name it.
        """
        info = self.get(id)
        with (
            self._files_are_whole(info.id),
            opened(self.root / info.id / info.file(INDEX)) as raw,
            pq.ParquetFile(raw) as index,
        ):
            if not 0 <= n < index.metadata.num_rows:
                raise NotFound(
                    f"There is no image {n}.", f"The data set has images 0 to {index.metadata.num_rows - 1}."
                )
            part, position = divmod(n, INDEX_ROWS_PER_GROUP)
            row: dict[str, Any] = index.read_row_group(part).slice(position, 1).to_pylist()[0]
        row.pop(DROPPED, None)
        with self._files_are_whole(info.id):
            shard = self.root / info.id / SHARDS / f"{row['shard']:05d}.parquet"
            images = read_images(shard, row["row_group"])
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
    def _files_are_whole(self, id: str) -> Iterator[None]:
        """Turns what Arrow says about damaged files into IntegrityError; NotFound where they were just removed."""
        try:
            yield
        except (pa.ArrowException, OSError, IntegrityError) as error:
            self.get(id)
            if isinstance(error, IntegrityError):
                raise
            raise IntegrityError(f"The index of data set {id} cannot be read.", "Import it again.") from error


def _by_age(infos: Iterable[DatasetInfo]) -> Infos:
    return sorted(infos, key=lambda info: (info.created_at, info.id))


def _no_dataset(id: str) -> NotFound:
    return NotFound(f"There is no data set {id!r}.", "List the data sets to see which there are.")
