"""Files in a folder and in an object store behave alike; data sets, features and models in either are the same."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from upath import UPath

from backend.core.errors import ConfigError, Conflict, NotFound, StorageFull, Unreachable
from backend.service import storage
from backend.service.app import open_service
from backend.service.datasets import DatasetStore, FeatureChunk, read_chunk
from backend.service.features import FeatureStore
from backend.service.importing import import_dataset
from backend.service.quotas import evict_features
from backend.service.revising import revise
from backend.service.signals import Turn, WorkerReport
from backend.service.sources import ImportLimits, open_source
from backend.settings import StorePath, load_settings, store_path
from tests.cluster.parts import ObjectStore
from tests.running import free_port
from tests.service.importing_here import SMALL, import_into, zip_of
from tests.service.pictures import LAYOUT, pictures


@pytest.fixture(params=["folder", "object store"])
def root(request: pytest.FixtureRequest, tmp_path: Path, object_store: ObjectStore) -> StorePath:
    """An empty place of its own."""
    if request.param == "folder":
        return tmp_path / "root"
    place = store_path(f"s3://storage-tests/{tmp_path.name}")
    storage.require_store(place)
    assert object_store.listens()
    return place


def write_half(path: StorePath) -> None:
    with storage.written_whole(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")


def test_files_appear_whole_are_listed_and_removed(root: StorePath) -> None:
    storage.require_store(root)
    assert storage.list_tree(root) == {}
    assert storage.list_folders(root / "nothing") == []
    storage.write_bytes(root / "a" / "one", b"1" * 10)
    with storage.written_whole(root / "b" / "two") as temporary:
        temporary.write_bytes(b"2")
        assert not storage.exists(root / "b" / "two")
    with pytest.raises(StorageFull):
        write_half(root / "b" / "three")
    listed = storage.list_tree(root)
    assert {name: entry.size for name, entry in listed.items()} == {"a/one": 10, "b/two": 1}
    assert all(abs(entry.modified - time.time()) < 100 for entry in listed.values())
    assert storage.list_folders(root) == ["a", "b"]
    assert set(storage.last_changed(root)) == {"a", "b"}
    assert (storage.is_folder(root / "a"), storage.is_folder(root / "a" / "one")) == (True, False)
    stamp = listed["a/one"].stamp
    storage.write_bytes(root / "a" / "one", b"3" * 10)
    assert storage.list_tree(root / "a")["one"].stamp != stamp
    storage.remove([root / "a" / "one", root / "a" / "never"])
    with pytest.raises(FileNotFoundError):
        storage.read_bytes(root / "a" / "one")
    with pytest.raises(FileNotFoundError):
        storage.opened(root / "a" / "one")
    storage.remove_tree(root / "b")
    storage.remove_tree(root / "b")
    assert storage.list_tree(root) == {}


def test_copies_of_killed_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_SCRATCH_DIR", str(tmp_path))
    for name, age in ((".put-left", 100_000), (".put-new", 10), ("jobs", 100_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    storage.sweep_scratch()
    assert {path.name for path in tmp_path.iterdir()} == {".put-new", "jobs"}


def test_a_file_is_read_in_parts(root: StorePath) -> None:
    data = np.random.default_rng(0).bytes(9_000_000)
    storage.write_bytes(root / "large", data)
    path = pickle.loads(pickle.dumps(root / "large"))
    with storage.opened(path) as file:
        assert file.seek(-5, 2) == len(data) - 5
        assert file.read() == data[-5:]
        file.seek(4_000_000)
        assert file.read(100) + file.read(4_500_000) == data[4_000_000:8_500_100]
        assert file.tell() == 8_500_100
        file.seek(100, 1)
        assert file.read(2) == data[8_500_200:8_500_202]


def test_a_store_without_an_answer_or_a_bucket_is_told(object_store: ObjectStore) -> None:
    impatient = {"connect_timeout": 1, "retries": {"max_attempts": 1}}
    away = UPath("s3://bucket/x", endpoint_url=f"http://127.0.0.1:{free_port()}", config_kwargs=impatient)
    for call in (storage.read_bytes, storage.list_tree, storage.require_store):
        with pytest.raises(Unreachable):
            call(away)
    assert not Turn(away, "first")()  # nobody stops because the store is away
    WorkerReport(Turn(away, "first"), away / "progress")("fit", 0, 1)
    with pytest.raises(ConfigError):
        storage.require_store(store_path("s3://no/x"))
    assert object_store.listens()


def test_data_sets_are_the_same_in_either(root: StorePath, tmp_path: Path) -> None:
    here, there = DatasetStore(tmp_path / "here"), DatasetStore(root)
    archive = zip_of(tmp_path / "a.zip", pictures(LAYOUT))
    storage.copy_in(Path(archive["path"]), root / "sources" / "a.zip")
    expected = import_into(here, archive)
    made = import_into(there, {"kind": "zip", "path": str(root / "sources" / "a.zip")})
    assert (made.digest, made.counts, made.bytes) == (expected.digest, expected.counts, expected.bytes)
    assert there.list() == [made] == [there.get("a-1")]
    assert there.list_unfinished() == ["sources"]
    assert [chunk.digest for chunk in there.chunks("a-1")] == [chunk.digest for chunk in here.chunks("a-1")]
    assert [read_chunk(chunk) for chunk in there.chunks("a-1")] == [read_chunk(chunk) for chunk in here.chunks("a-1")]
    assert there.image("a-1", 5) == here.image("a-1", 5)
    revised = revise(there.folder("a-1"), made, {0: "DROP"})
    assert there.get("a-1") == revised
    assert there.index_rows(revised, 0, 3, ["row"])["row"].to_pylist() == [1, 2]
    assert len(there.index(made)) == 8  # who began with the version before reads it to the end
    for kind, name, export in (("parquet", "a.parquet", there.export_parquet), ("zip", "b.zip", there.export_zip)):
        export("a-1", tmp_path / name)
        storage.copy_in(tmp_path / name, root / "exports" / name)
        again = open_source({"kind": kind, "path": str(root / "exports" / name)}, ImportLimits())
        assert sum(plan.images for plan in again.chunks()) == 7
    there.delete("a-1")
    assert not storage.list_tree(there.root / "a-1")
    with pytest.raises(NotFound):
        there.get("a-1")


def test_an_import_goes_on_where_a_killed_one_ended(root: StorePath, tmp_path: Path) -> None:
    there = DatasetStore(root)
    archive = zip_of(tmp_path / "a.zip", pictures(LAYOUT))

    def die(_: int) -> None:
        raise Conflict("as a kill before the last files would")

    with pytest.raises(Conflict):
        import_dataset(archive, there.prepare("a-1"), id="a-1", name="a", limits=SMALL, admit=die)
    before = storage.list_tree(root / "a-1")
    assert there.list() == []
    import_into(there, archive)
    after = storage.list_tree(root / "a-1")
    shards = [name for name in before if name.endswith(".parquet")]
    assert len(shards) == 3
    assert all(after[name] == before[name] for name in shards)


def test_folders_are_read_in_the_same_order(root: StorePath) -> None:
    for name, data in pictures(LAYOUT).items():
        storage.write_bytes(root / "set" / name, data)
    source = open_source({"kind": "folder", "path": str(root / "set")}, SMALL)
    paths = [image.path for plan in source.chunks() for image in source.read(plan)]  # type: ignore[union-attr]
    assert paths == sorted(LAYOUT, key=lambda name: (name.split("/")[:-1], name))


def test_features_are_the_same_in_either(root: StorePath) -> None:
    store = FeatureStore(root)
    chunks = [FeatureChunk("shard", n, rows, f"{n:064x}") for n, rows in enumerate((5, 7, 3))]
    matrix = np.random.default_rng(0).normal(size=(15, 4)).astype(np.float16)
    assert store.missing(chunks, "ab" * 32) == chunks
    for chunk, part in zip(chunks[:2], np.split(matrix, (5, 12)), strict=False):
        store.put(chunk, "ab" * 32, part)
    storage.write_bytes(store.path(chunks[2], "ab" * 32), b"damaged")
    assert store.missing(chunks, "ab" * 32) == chunks[2:]
    store.put(chunks[2], "ab" * 32, matrix[12:])
    chosen = np.arange(15) % 2 == 0
    np.testing.assert_array_equal(store.load(chunks, "ab" * 32, chosen), matrix[chosen].astype(np.float32))
    np.testing.assert_array_equal(np.concatenate(list(store.blocks(chunks, "ab" * 32))), matrix.astype(np.float32))
    store.delete(chunk.digest for chunk in chunks)
    assert not storage.list_tree(root)


def test_the_cache_is_bounded_in_either(root: StorePath, tmp_path: Path) -> None:
    plain = open_service(load_settings(data_dir=tmp_path / "d", models_dir=tmp_path / "m"), run_jobs=False)
    limited = plain.settings.model_copy(update={"max_features_bytes": 1})
    service = replace(plain, settings=limited, features=FeatureStore(root / "features"))
    import_into(service.datasets, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    service.database.save_dataset(service.datasets.read("a-1").to_json())
    for chunk in service.datasets.chunks("a-1"):
        service.features.put(chunk, "ab" * 32, np.zeros((chunk.rows, 4), np.float16))
    assert evict_features(service) > 0
    assert storage.list_tree(root / "features") == {}
    plain.close()


def test_data_in_an_object_store_need_a_database_of_their_own() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        load_settings(data_dir="s3://bucket/data")
    settings = load_settings(data_dir="s3://bucket/data/", database_url="postgresql+psycopg://127.0.0.1/x")
    assert str(settings.data_dir) == "s3://bucket/data"
    assert isinstance(settings.spool_dir, Path)
