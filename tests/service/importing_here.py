"""Imports in this process for tests that need a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.service.datasets import DatasetInfo, DatasetStore
from backend.service.importing import import_dataset
from backend.service.sources import ImportLimits
from tests.service.pictures import write_zip

SMALL = ImportLimits(images_per_chunk=3)


def import_into(
    store: DatasetStore, description: dict[str, Any], id: str = "a-1", limits: ImportLimits = SMALL, **options: Any
) -> DatasetInfo:
    import_dataset(description, store.prepare(id), id=id, name=options.pop("name", id), limits=limits, **options)
    return store.publish(id)


def zip_of(path: Path, members: dict[str, bytes]) -> dict[str, Any]:
    return {"kind": "zip", "path": str(write_zip(path, members))}
