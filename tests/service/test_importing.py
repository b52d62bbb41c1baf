"""An import is resumable, whole or not at all, and names what it skips."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pytest

from backend.core.demo import IMAGES
from backend.core.errors import Cancelled, NoImages, StorageFull
from backend.service.datasets import DatasetStore
from backend.service.importing import (
    ChunkReport,
    ImportTask,
    import_chunk,
    import_dataset,
    make_dataset_id,
    run_here,
)
from backend.service.sources import ImportLimits, open_source
from tests.service.importing_here import SMALL, import_into, zip_of
from tests.service.pictures import LAYOUT, picture, pictures, write_zip


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def test_unreadable_images_are_named_and_never_stop_the_others(tmp_path: Path, store: DatasetStore) -> None:
    whole = picture(0, "JPEG", 30)
    members = {
        "REAL/ok.png": picture(1),
        "REAL/text.png": b"hello",
        "REAL/empty.png": b"",
        "FAKE/cut.jpg": whole[: len(whole) // 2],
        "FAKE/tiny.png": picture(2, side=4),
        "FAKE/huge.png": picture(3, side=40),
        "notes.txt": b"x",
    }
    info = import_into(store, zip_of(tmp_path / "a.zip", members), limits=ImportLimits(max_pixels=1000))
    assert info.images == 1
    assert info.skipped["count"] == 6
    assert {skip["filename"]: skip["code"] for skip in info.skipped["first"]} == {
        "REAL/text.png": "image.not_an_image",
        "REAL/empty.png": "image.not_an_image",
        "FAKE/cut.jpg": "image.broken",
        "FAKE/tiny.png": "image.too_small",
        "FAKE/huge.png": "image.too_many_pixels",
        "notes.txt": "dataset.no_class_folder",
    }
    assert all(skip["message"] for skip in info.skipped["first"])


def test_nothing_readable_is_refused_with_the_first_reason(tmp_path: Path, store: DatasetStore) -> None:
    with pytest.raises(NoImages, match=r"REAL/a\.png"):
        import_into(store, zip_of(tmp_path / "a.zip", {"REAL/a.png": b"hello"}))
    assert store.list() == []


def test_one_class_alone_is_a_data_set_too(tmp_path: Path, store: DatasetStore) -> None:
    assert import_into(store, zip_of(tmp_path / "a.zip", pictures(["FAKE/a.png"]))).counts == {
        "": {"REAL": 0, "FAKE": 1}
    }


def test_many_skipped_files_are_counted_but_not_all_named(tmp_path: Path, store: DatasetStore) -> None:
    members = {"REAL/ok.png": picture(0)} | {f"REAL/{n}.png": b"x" for n in range(250)}
    info = import_into(store, zip_of(tmp_path / "a.zip", members), limits=ImportLimits())
    assert info.skipped["count"] == 250
    assert len(info.skipped["first"]) == 100


def test_a_resumed_import_redoes_only_what_is_missing(tmp_path: Path, store: DatasetStore) -> None:
    description = zip_of(tmp_path / "a.zip", pictures(LAYOUT))
    done: list[int] = []

    def stop_after_two(
        function: Callable[[ImportTask], ChunkReport], tasks: list[ImportTask], on_result: Callable[[int, Any], None]
    ) -> None:
        for position, task in enumerate(tasks[:2]):
            on_result(position, function(task))
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        import_into(store, description, run=stop_after_two)
    assert store.list() == []
    shards = sorted((store.prepare("a-1") / "shards").glob("*.parquet"))
    assert len(shards) == 2
    (store.prepare("a-1") / "shards" / "00001.json").unlink()  # the second was written, but its report was not
    (store.prepare("a-1") / "shards" / ".00002.parquet.123.tmp").write_bytes(b"half")
    before = [shard.stat().st_ino for shard in shards]
    info = import_into(store, description, progress=lambda stage, count, total: done.append(count))
    assert done == [0, 3, 6, 8]
    kept = [(store.folder("a-1") / "shards" / shard.name).stat().st_ino for shard in shards]
    assert kept[0] == before[0]
    assert kept[1] != before[1]
    assert info.images == 8
    assert info == store.publish("a-1")
    left = sorted(path.name for path in (store.folder("a-1") / "shards").iterdir())
    assert left == ["00000.parquet", "00001.parquet", "00002.parquet"]


def test_shards_of_another_source_are_not_taken_for_ours(tmp_path: Path, store: DatasetStore) -> None:
    first, second = (
        zip_of(tmp_path / f"{n}.zip", {f"REAL/{n}.png": picture(n), f"FAKE/{n}.png": picture(n + 2)}) for n in (0, 1)
    )
    import_dataset(first, store.prepare("a-1"), id="a-1", name="a", limits=SMALL)
    assert import_into(store, second).images == 2
    assert store.index("a-1")["path"].to_pylist() == ["REAL/1.png", "FAKE/1.png"]


def test_a_full_disk_is_told_and_leaves_no_half_written_shard(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the machine has no /dev/full")
    description = zip_of(tmp_path / "a.zip", pictures(LAYOUT))
    shard = tmp_path / "00000.parquet"
    (tmp_path / f".{shard.name}.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        import_chunk(description, open_source(description).chunks()[0], shard, ImportLimits())
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_processes_give_what_one_process_gives(tmp_path: Path, store: DatasetStore) -> None:
    description = zip_of(tmp_path / "a.zip", pictures(LAYOUT))

    def in_processes(
        function: Callable[[ImportTask], ChunkReport], tasks: list[ImportTask], on_result: Callable[[int, Any], None]
    ) -> None:
        assert max(len(pickle.dumps(task)) for task in tasks) < 2000
        with ProcessPoolExecutor(2) as pool:
            futures = {pool.submit(function, task): position for position, task in enumerate(reversed(tasks))}
            for future in as_completed(futures):
                on_result(len(tasks) - 1 - futures[future], future.result())

    here = import_into(store, description, "a-1", run=run_here)
    there = import_into(store, description, "b-2", run=in_processes)
    assert there.digest == here.digest
    assert store.index("a-1").equals(store.index("b-2"))


def test_the_demonstration_set_imports_with_its_photographs_as_groups(store: DatasetStore) -> None:
    info = import_into(store, {"kind": "demo"}, limits=ImportLimits())
    assert info.images == IMAGES
    assert info.counts == {"": {"REAL": IMAGES // 2, "FAKE": IMAGES // 2}}
    assert len(info.generators) >= 3
    assert "" not in info.generators
    index = store.index("a-1")
    assert len(set(index["group_id"].to_pylist())) == len(set(index["group"].to_pylist())) >= 12
    assert info.duplicates["both_classes"] == 0


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("CIFAKE", "cifake-0123abcd"),
        ("Mein Satz: Ü!", "mein-satz-0123abcd"),
        ("東京", "dataset-0123abcd"),
        (60 * "x", 40 * "x" + "-0123abcd"),
    ],
)
def test_ids_are_made_of_plain_letters(name: str, id: str) -> None:
    assert make_dataset_id(name, "0123abcdef") == id


def test_known_archives_without_a_path_come_from_the_downloads_folder(tmp_path: Path, store: DatasetStore) -> None:
    write_zip(tmp_path / "cifake.zip", pictures(["train/REAL/0000.jpg", "train/FAKE/1.jpg"]))
    info = import_into(store, {"kind": "cifake"}, downloads=tmp_path)
    assert info.source == "cifake"
    assert info.generators == {"stable-diffusion-1.4": 1}


def test_real_photographs_import(store: DatasetStore) -> None:
    folder = os.environ.get("DEEPFAKE_DATA")
    if not folder or not (Path(folder) / "gen32.zip").exists():
        pytest.skip("DEEPFAKE_DATA names no folder with gen32.zip")
    info = import_into(store, {"kind": "zip", "path": str(Path(folder) / "gen32.zip")}, limits=ImportLimits())
    assert info.images == 912
    assert sorted(info.generators.values()) == [64, 64, 100, 100, 100, 100, 128, 256]
    assert set(store.index("a-1")["format"].to_pylist()) == {"JPEG"}
