"""Images from Parquet in the Hugging Face layout: columns `image` and `label`, and ours where they are there."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.core.errors import ArchiveTooLarge, BrokenArchive, LabelMismatch, NoImages, Unreadable
from backend.service.sources.base import ChunkPlan, ImportLimits, RawImage, Skip
from backend.service.sources.names import LABELS, SPLITS, safe_generator, safe_name
from backend.service.storage import is_folder, list_tree, opened
from backend.settings import StorePath

_FAKE_NAMES = {"fake", "ai", "ai-generated", "ai_generated", "generated", "synthetic", "artificial", "deepfake"}
_REAL_NAMES = {"real", "human", "nature", "natural", "authentic", "photo", "photograph"}
_BATCH_BYTES = 64 * 2**20
_SPLIT_OF_FILE = re.compile(r"^(train|training|val|valid|validation|test)(?![a-z])", re.IGNORECASE)
_OWN_COLUMNS = ("split", "generator", "group")
_HINT = "Send Parquet with a column `image` (bytes, or a struct of bytes and path) and a column `label`."


class ParquetSource:
    """One Parquet file, or every one below a folder.

    `image` holds the file's bytes, alone or as {bytes, path}. `label` holds REAL or FAKE as text, true for FAKE, or
    numbers whose names stand in the schema (ClassLabel) or in `label_names`. `split`, `generator` and `group` are
    used where they are there; else the split is read from the file's name (`train-00000-of-00001.parquet`).
    """

    def __init__(self, path: StorePath, limits: ImportLimits, label_names: Sequence[str] = ()) -> None:
        self._path = path
        self._limits = limits
        self._label_names = label_names

    def chunks(self) -> list[ChunkPlan]:
        """The row groups in pieces. Reads no image.

        Raises BrokenArchive, ArchiveTooLarge, LabelMismatch, or NoImages when there are no rows.
        """
        plans: list[ChunkPlan] = []
        images = total = 0
        for name in self._files():
            with _opened(self._path / name if name else self._path) as file:
                _check_columns(file.schema_arrow)
                _label_reader(file.schema_arrow, self._label_names)
                for group in range(file.metadata.num_row_groups):
                    rows, size = max(0, file.metadata.row_group(group).num_rows), _unpacked_bytes(file, group)
                    images, total = images + rows, total + size
                    self._check_size(images, total)
                    pieces = max(-(-rows // self._limits.images_per_chunk), -(-size // _BATCH_BYTES))
                    step = max(1, -(-rows // max(1, pieces)))
                    for start in range(0, rows, step):
                        stop = min(start + step, rows)
                        plans.append(ChunkPlan(len(plans), stop - start, (name, group, start, stop)))
        if not plans:
            raise NoImages("The Parquet files hold no rows.", _HINT)
        return plans

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:
        """The rows of one piece. Rows before it in its row group are decoded and dropped, a few at a time.

        Raises BrokenArchive, or ArchiveTooLarge when the rows hold more than a whole import may.
        """
        name, group, start, stop = str(plan.where[0]), *(int(value) for value in plan.where[1:])
        split_of_file = _split_of(name or self._path.name)
        with _opened(self._path / name if name else self._path) as file:
            label_of = _label_reader(file.schema_arrow, self._label_names)
            position = unpacked = 0
            for batch in _batches(file, group, self._limits):
                unpacked += batch.nbytes
                if unpacked > self._limits.max_unpacked_bytes:
                    raise ArchiveTooLarge("A row group unpacks to more than an import may hold.", "Write smaller ones.")
                first, last = max(start - position, 0), min(stop - position, batch.num_rows)
                for row in batch.slice(first, max(0, last - first)).to_pylist():
                    number = f"{name or self._path.name}:{group}:{position + first}"
                    yield self._image(row, number, label_of, split_of_file)
                    first += 1
                position += batch.num_rows
                if position >= stop:
                    break

    def groups(self) -> dict[str, str]:
        """Empty: groups come with the rows."""
        return {}

    def _check_size(self, images: int, total: int) -> None:
        if total > self._limits.max_unpacked_bytes or images > self._limits.max_members:
            raise ArchiveTooLarge(
                f"The Parquet files hold {images} images, {total} bytes or more; at most {self._limits.max_members} "
                f"images and {self._limits.max_unpacked_bytes} bytes are read.",
                "Split them into several data sets.",
            )

    def _files(self) -> list[str]:
        if is_folder(self._path):
            names = [name for name in list_tree(self._path) if name.endswith(".parquet")]
            if not names:
                raise NoImages("The folder holds no Parquet file.", _HINT)
            return names
        return [""]

    def _image(
        self, row: dict[str, Any], number: str, label_of: Callable[[Any], str | None], split_of_file: str
    ) -> RawImage | Skip:
        image = row["image"] if isinstance(row["image"], dict) else {"bytes": row["image"]}
        path = safe_name(str(image.get("path") or "")) or number
        data, label = image.get("bytes"), label_of(row["label"])
        if not data:
            return Skip(path, Unreadable.code, "The row holds no image bytes.")
        if len(data) > self._limits.max_image_bytes:
            return Skip(path, Unreadable.code, f"The image has more than {self._limits.max_image_bytes} bytes.")
        if label is None:
            return Skip(path, LabelMismatch.code, "The row has no label that is known.")
        split, generator, group = (str(row.get(column) or "") for column in _OWN_COLUMNS)
        return RawImage(
            path,
            bytes(data),
            label,
            SPLITS.get(split.lower(), "") or split_of_file,
            safe_generator(generator) if label == "FAKE" else "",
            group,
        )


@contextlib.contextmanager
def _opened(path: StorePath) -> Iterator[pq.ParquetFile]:
    """The open file; what Arrow says about a damaged one becomes BrokenArchive."""
    try:
        # pages are read as they are needed: a row group is never in memory as a whole
        with opened(path) as raw, pq.ParquetFile(raw, buffer_size=1 << 20, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BrokenArchive("The Parquet file cannot be read: it is damaged or no Parquet.", _HINT) from error


def _check_columns(schema: pa.Schema) -> None:
    missing = [name for name in ("image", "label") if name not in schema.names]
    if missing:
        raise LabelMismatch(f"The Parquet file has no column {' and no column '.join(missing)}.", _HINT)
    kind = schema.field("image").type
    if pa.types.is_struct(kind):
        kind = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else pa.null()
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise LabelMismatch("The column `image` holds no bytes.", _HINT)


def _columns(file: pq.ParquetFile) -> list[str]:
    names = file.schema_arrow.names
    return ["image", "label", *(column for column in _OWN_COLUMNS if column in names)]


def _unpacked_bytes(file: pq.ParquetFile, group: int) -> int:
    """Bytes of all columns of the row group, unpacked, as it claims.

    Nothing is asked of single columns: pyarrow ends the whole process where the record of a column is damaged.
    """
    return max(0, int(file.metadata.row_group(group).total_byte_size))


def _batches(file: pq.ParquetFile, group: int, limits: ImportLimits) -> Iterator[pa.RecordBatch]:
    """The row group a few rows at a time: a value can be as large as its column, and a dictionary repeats it."""
    largest = min(_unpacked_bytes(file, group), limits.max_image_bytes)
    rows = min(64, max(1, _BATCH_BYTES // max(1, largest)))
    batches: Iterator[pa.RecordBatch] = file.iter_batches(
        batch_size=rows, row_groups=[group], columns=_columns(file), use_threads=False
    )
    return batches


def _label_reader(schema: pa.Schema, given_names: Sequence[str]) -> Callable[[Any], str | None]:
    """A function from a value of the column `label` to REAL, FAKE or None. Raises LabelMismatch."""
    kind = schema.field("label").type
    if pa.types.is_boolean(kind):
        return lambda value: None if value is None else "FAKE" if value else "REAL"
    if pa.types.is_integer(kind):
        names = list(given_names) or _class_names(schema)
        labels = [_label_named(str(name)) for name in names]
        if set(labels) not in ({"REAL", "FAKE"}, {"REAL"}, {"FAKE"}):
            raise LabelMismatch(
                f"The labels are numbers, and their names {names} do not say which is REAL and which is FAKE.",
                "Write the names into the schema (a ClassLabel), or labels as text REAL and FAKE.",
            )
        return lambda value: labels[value] if value is not None and 0 <= value < len(labels) else None
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return lambda value: None if value is None else _label_named(value)
    raise LabelMismatch(f"The column `label` holds {kind}.", "Labels are text, true or false, or named numbers.")


def _label_named(name: str) -> str | None:
    lowered = name.strip().lower()
    if lowered in LABELS:
        return LABELS[lowered]
    return "FAKE" if lowered in _FAKE_NAMES else "REAL" if lowered in _REAL_NAMES else None


def _class_names(schema: pa.Schema) -> list[str]:
    """The names that the Hugging Face metadata of the schema gives the numbers, [] when it gives none."""
    try:
        info = json.loads((schema.metadata or {})[b"huggingface"])
        names = info["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _split_of(path: str) -> str:
    """The split that the file's name or folder names, "" when neither does."""
    for part in reversed(path.split("/")):
        found = _SPLIT_OF_FILE.match(part)
        if found:
            return SPLITS[found[1].lower()]
    return ""
