"""A data set that is exported and imported again is the same data set."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.errors import StorageFull
from backend.service.datasets import DatasetStore
from backend.service.importing import import_dataset
from backend.service.sources import ImportLimits
from tests.service.pictures import picture, pictures, write_zip

MEMBERS = pictures(
    [
        "train/REAL/a.png",
        "train/REAL/deep/a.png",
        "train/REAL/deep/A.PNG",
        "train/FAKE/glow/a.png",
        "train/FAKE/a.png",
        "test/FAKE/glow/0000 (10).jpg",
        "val/REAL/no suffix",
        "REAL/metadata.csv.png",
        "FAKE/dc gan/b.png",
    ]
)
GROUPS = b'file_name,group\ntrain/REAL/a.png,p 1\ntrain/FAKE/glow/a.png,"p, 1"\n'


def import_into(store: DatasetStore, id: str, description: dict[str, Any]) -> None:
    import_dataset(description, store.prepare(id), id=id, name=id, limits=ImportLimits(images_per_chunk=4))
    store.publish(id)


def contents(store: DatasetStore, id: str) -> list[tuple[Any, ...]]:
    rows = store.index(id).to_pylist()
    return [
        (store.image(id, row["row"])[0], row["label"], row["split"], row["generator"], row["group"]) for row in rows
    ]


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    store = DatasetStore(tmp_path / "datasets")
    import_into(
        store, "a", {"kind": "zip", "path": str(write_zip(tmp_path / "a.zip", MEMBERS | {"metadata.csv": GROUPS}))}
    )
    return store


def test_a_zip_comes_back_the_same(tmp_path: Path, store: DatasetStore) -> None:
    store.export_zip("a", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert len({name.lower() for name in names}) == len(names) == len(MEMBERS) + 1
    assert names[:6] == [
        "train/REAL/a.png",
        "train/REAL/a-000001.png",
        "train/REAL/A-000002.PNG",
        "train/FAKE/glow/a.png",
        "train/FAKE/a.png",
        "test/FAKE/glow/0000 (10).jpg",
    ]
    import_into(store, "b", {"kind": "zip", "path": str(tmp_path / "out.zip")})
    assert contents(store, "b") == contents(store, "a")
    assert store.get("b").digest == store.get("a").digest


def test_parquet_comes_back_the_same(tmp_path: Path, store: DatasetStore) -> None:
    store.export_parquet("a", tmp_path / "out.parquet")
    import_into(store, "b", {"kind": "parquet", "path": str(tmp_path / "out.parquet")})
    assert contents(store, "b") == contents(store, "a")
    assert store.get("b").digest == store.get("a").digest
    paths = store.index("b")["path"].to_pylist()
    assert len(set(paths)) == len(paths)
    store.export_zip("b", tmp_path / "again.zip")
    import_into(store, "c", {"kind": "zip", "path": str(tmp_path / "again.zip")})
    assert contents(store, "c") == contents(store, "a")


def test_names_from_parquet_cannot_break_an_exported_zip(tmp_path: Path, store: DatasetStore) -> None:
    """Generators that look like folders or classes, names that hide, that are lists or archives."""
    names = ["../../x.png", ".hidden", "metadata.csv", "a.zip", "", "REAL/a.png", "..", "/abs/b"]
    generators = ["../up", "real", "test", "a/b\\c", "..", "fake", "__MACOSX", "."]
    columns = {
        "image": [{"bytes": picture(n), "path": name} for n, name in enumerate(names)],
        "label": ["FAKE"] * len(names),
        "generator": generators,
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    import_into(store, "b", {"kind": "parquet", "path": str(tmp_path / "in.parquet")})
    assert store.get("b").images == len(names)
    store.export_zip("b", tmp_path / "out.zip")
    import_into(store, "c", {"kind": "zip", "path": str(tmp_path / "out.zip")})
    assert contents(store, "c") == contents(store, "b")


@pytest.mark.parametrize("kind", ["zip", "parquet"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, store: DatasetStore, kind: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the machine has no /dev/full")
    target = tmp_path / "out" / f"out.{kind}"
    target.parent.mkdir()
    (target.parent / f".{target.name}.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        store.export_zip("a", target) if kind == "zip" else store.export_parquet("a", target)
    assert list(target.parent.iterdir()) == []
