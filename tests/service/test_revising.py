"""Relabelling and dropping: what a new version says, that every reader agrees, and that none is lost or half made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.core.errors import IntegrityError, LabelMismatch, NoImages, NotFound, StorageFull
from backend.service.dataset_index import digest_of
from backend.service.datasets import DatasetInfo, DatasetStore
from backend.service.locks import file_lock
from backend.service.revising import revise
from tests.running import ROOT
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import LAYOUT, picture, pictures

GLOW = LAYOUT.index("train/fake/glow/f.png")


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """One data set "a-1" of LAYOUT in shards of three images."""
    store = DatasetStore(tmp_path / "datasets")
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    return store


def change(store: DatasetStore, changes: dict[int, str], id: str = "a-1") -> DatasetInfo:
    with file_lock(locks_of(store), id):
        return revise(store.folder(id), store.get(id), changes)


def locks_of(store: DatasetStore) -> Path:
    assert isinstance(store.root, Path)
    return store.root.parent / "locks"


def labels(store: DatasetStore, id: str = "a-1") -> dict[int, tuple[int, str]]:
    columns = ["row", "label", "generator"]
    return {row["row"]: (row["label"], row["generator"]) for row in store.index(id, columns).to_pylist()}


def test_a_revision_says_what_the_rows_say(store: DatasetStore) -> None:
    before, chunks = store.get("a-1"), store.chunks("a-1")
    info = change(store, {0: "FAKE", GLOW: "REAL", 2: "DROP", 7: "DROP"})
    assert (info.version, info.images, info.dropped) == (2, 6, 2)
    assert info == store.get("a-1") == store.list()[0]
    assert info.bytes == sum(store.index("a-1")["bytes"].to_pylist()) < before.bytes
    assert info.counts == {"train": {"REAL": 2, "FAKE": 2}, "validation": {"REAL": 1, "FAKE": 1}}
    assert info.generators == {"": 2, "glow": 1}
    assert (info.id, info.name, info.created_at, info.source) == ("a-1", "a-1", before.created_at, "zip")
    assert info.digest == digest_of(store.index("a-1")) != before.digest
    assert labels(store) == {0: (1, ""), 1: (0, ""), 3: (0, ""), 4: (1, ""), GLOW: (0, ""), 6: (1, "glow")}
    assert store.chunks("a-1") == chunks  # so features stay valid
    assert "dropped" not in store.index("a-1").column_names


def test_the_same_changes_make_the_same_digest_and_taking_them_back_the_first_one(store: DatasetStore) -> None:
    first = store.get("a-1")
    revised = change(store, {GLOW: "REAL", 0: "DROP"})
    again = change(store, {GLOW: "FAKE", 0: "REAL"})
    assert (again.version, again.digest, again.dropped) == (3, first.digest, 0)
    assert labels(store)[GLOW] == (1, "glow")  # the generator it was imported with
    assert again.generators == first.generators
    assert change(store, {0: "DROP", GLOW: "REAL"}).digest == revised.digest


def test_an_image_that_was_dropped_keeps_its_label(store: DatasetStore) -> None:
    change(store, {GLOW: "DROP"})
    assert GLOW not in labels(store)
    change(store, {GLOW: "FAKE"})
    assert labels(store)[GLOW] == (1, "glow")


def test_what_changes_nothing_makes_no_version(store: DatasetStore) -> None:
    before = store.get("a-1")
    files = {path.name: path.stat().st_mtime_ns for path in store.folder("a-1").glob("[!.]*.*")}
    assert change(store, {0: "REAL", GLOW: "FAKE"}) == before
    assert {path.name: path.stat().st_mtime_ns for path in store.folder("a-1").glob("[!.]*.*")} == files
    dropped = change(store, {0: "DROP"})
    assert change(store, {0: "DROP"}) == dropped


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({8: "REAL"}, LabelMismatch),
        ({-1: "DROP"}, LabelMismatch),
        ({0: "FAKE", 1: "fake"}, LabelMismatch),
        (dict.fromkeys(range(8), "DROP"), NoImages),
    ],
)
def test_impossible_changes_change_nothing(store: DatasetStore, changes: dict[int, str], error: type) -> None:
    before = store.get("a-1")
    with pytest.raises(error):
        change(store, changes)
    assert store.get("a-1") == before
    assert len(labels(store)) == 8


def test_duplicates_are_counted_among_kept_images(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path / "datasets")
    members = {"train/REAL/a.png": picture(1), "train/FAKE/b.png": picture(2), "test/FAKE/c.png": picture(2)}
    assert import_into(store, zip_of(tmp_path / "a.zip", members)).duplicates["crossing_train_test"] == 1
    mixed = change(store, {1: "REAL"}).duplicates
    assert (mixed["crossing_train_test"], mixed["both_classes"]) == (1, 2)
    assert set(change(store, {1: "DROP"}).duplicates.values()) == {0}


def test_a_dropped_image_is_listed_no_more_but_can_be_looked_at(store: DatasetStore) -> None:
    data, row = store.image("a-1", 1)
    change(store, {1: "DROP", 2: "FAKE"})
    assert store.image("a-1", 1) == (data, row)
    assert store.image("a-1", 2)[1]["label"] == 1
    assert store.thumbnail("a-1", 1)
    assert store.index("a-1", ["path"])["path"].to_pylist() == [name for name in LAYOUT if name != LAYOUT[1]]


@pytest.mark.parametrize("kind", ["zip", "parquet"])
def test_an_export_holds_the_new_labels_and_no_dropped_image(tmp_path: Path, store: DatasetStore, kind: str) -> None:
    info = change(store, {0: "FAKE", GLOW: "REAL", 7: "DROP", 3: "DROP", 4: "DROP"})
    target = tmp_path / f"out.{kind}"
    store.export_zip("a-1", target) if kind == "zip" else store.export_parquet("a-1", target)
    if kind == "zip":
        with zipfile.ZipFile(target) as archive:
            names = archive.namelist()
        assert "train/FAKE/a.png" in names
        assert "train/REAL/f.png" in names
        assert len(names) == 5
    else:
        assert pq.read_table(target, columns=["label"])["label"].to_pylist() == [1, 0, 0, 0, 1]
    back = import_into(store, {"kind": kind, "path": str(target)}, "b-2")
    assert (back.digest, back.counts, back.generators) == (info.digest, info.counts, info.generators)
    assert (back.version, back.dropped) == (1, 0)


def test_a_version_being_read_stays_readable_and_older_ones_go(store: DatasetStore) -> None:
    first = store.get("a-1")
    second = change(store, {0: "DROP"})
    assert len(store.index(first)) == 8
    (store.folder("a-1") / ".index-3.parquet.1.tmp").write_bytes(b"of a killed revision")
    change(store, {1: "DROP"})
    assert len(store.index(second)) == 7
    files = {path.name for path in store.folder("a-1").iterdir()}
    assert files == {"chunks.json", "index-2.parquet", "index-3.parquet", "info.json", "shards"}
    with pytest.raises(IntegrityError):
        store.index(first)


def test_a_record_of_an_earlier_program_can_be_read_and_revised(store: DatasetStore) -> None:
    path = store.folder("a-1") / "info.json"
    old = json.loads(path.read_text())
    del old["dropped"]
    path.write_text(json.dumps(old))
    assert store.get("a-1").dropped == 0
    assert change(store, {0: "DROP"}).dropped == 1


def test_a_full_disk_between_the_two_files_leaves_the_version_before(store: DatasetStore) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the machine has no /dev/full")
    before = store.get("a-1")
    (store.folder("a-1") / f".info.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        change(store, {0: "DROP"})
    assert (store.folder("a-1") / "index-2.parquet").exists()
    assert store.get("a-1") == before
    assert len(labels(store)) == 8
    assert change(store, {1: "DROP"}).version == 2
    assert set(labels(store)) == {0, 2, 3, 4, 5, 6, 7}


def test_a_kill_between_the_two_files_leaves_the_version_before_and_no_lock(store: DatasetStore) -> None:
    folder = store.folder("a-1")
    code = (
        "import sys; from pathlib import Path; from backend.service.datasets import DatasetStore;"
        "from backend.service.locks import file_lock; from backend.service.revising import revise;"
        "folder = Path(sys.argv[1]); store = DatasetStore(folder.parent); print('ready', flush=True); input()\n"
        "with file_lock(folder.parent.parent / 'locks', 'a-1'): revise(folder, store.get('a-1'), {0: 'DROP'})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        os.mkfifo(folder / f".info.json.{process.pid}.tmp")  # its second file: opening it waits for a reader
        process.stdin.write(b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not (folder / "index-2.parquet").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
    finally:
        process.kill()
        process.communicate()
    (folder / f".info.json.{process.pid}.tmp").unlink()
    (folder / f".info.json.{process.pid}.tmp").write_text("{")  # what a kill leaves where nobody made it wait
    assert (folder / "index-2.parquet").exists()
    assert store.get("a-1").version == 1
    assert len(labels(store)) == 8
    assert change(store, {1: "DROP"}).version == 2
    assert set(labels(store)) == {0, 2, 3, 4, 5, 6, 7}
    assert not list(folder.glob(".*.tmp"))


def test_revisions_at_the_same_time_are_all_kept_and_readers_see_whole_versions(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path / "datasets")
    count = 12
    import_into(store, zip_of(tmp_path / "a.zip", {f"REAL/{n}.png": picture(n) for n in range(count)}))
    errors: list[Exception] = []
    seen: Counter[int] = Counter()
    ended = threading.Event()

    def turn(number: int) -> None:
        try:
            change(store, {number: "FAKE"})
        except Exception as error:
            errors.append(error)

    def look() -> None:
        try:
            while not ended.is_set():
                info = store.get("a-1")
                fakes = sum(store.index(info, ["label"])["label"].to_pylist())
                assert fakes == info.version - 1 == info.counts[""]["FAKE"]
                seen[fakes] += 1
        except Exception as error:
            errors.append(error)

    reader = threading.Thread(target=look)
    threads = [threading.Thread(target=turn, args=(number,)) for number in range(count)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join(60)
    ended.set()
    reader.join(60)
    assert not errors
    assert seen
    info = store.get("a-1")
    assert (info.version, info.counts) == (count + 1, {"": {"REAL": 0, "FAKE": count}})


def test_who_waits_for_a_data_set_that_is_removed_is_told(store: DatasetStore) -> None:
    told: list[Exception] = []

    def wait() -> None:
        try:
            change(store, {0: "DROP"})
        except NotFound as error:
            told.append(error)

    with file_lock(locks_of(store), "a-1"):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.2)
        store.delete("a-1")
    thread.join(30)
    assert len(told) == 1
    assert list(store.root.iterdir()) == []
