"""Groups from a metadata.csv as in a Hugging Face image folder: `file_name` relative to the list, and `group`."""

from __future__ import annotations

import csv
import io

from backend.core.errors import LabelMismatch
from backend.service.sources.names import safe_name


def groups_of(data: bytes, path: str) -> dict[str, str]:
    """Path within the source -> group, from the bytes of the list that lies at `path`; other columns are ignored.

    Raises LabelMismatch for a list that is no UTF-8 table.
    """
    folder = path.rpartition("/")[0]
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        if rows.fieldnames is None or not {"file_name", "group"} <= set(rows.fieldnames):
            return {}
        groups = {}
        for row in rows:
            if row["file_name"] and row["group"]:
                name = safe_name(row["file_name"])
                groups[f"{folder}/{name}" if folder else name] = row["group"]
        return groups
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelMismatch(f"{path} is no table.", "Write it as UTF-8 with a line `file_name,group` first.") from error
