"""The store of data sets: what stands in the index, reading images and chunks, digests, removal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from backend.core.errors import IntegrityError, NotFound
from backend.core.images import decode, pixel_digest
from backend.service.datasets import DatasetInfo, DatasetStore, read_chunk
from backend.service.shards import ROWS_PER_GROUP
from backend.service.sources import ImportLimits
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import LAYOUT, PLACES, picture, pictures


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def test_an_import_keeps_every_image_with_what_is_known_of_it(tmp_path: Path, store: DatasetStore) -> None:
    members = pictures(LAYOUT)
    info = import_into(store, zip_of(tmp_path / "a.zip", members), name="First set")
    assert (info.images, info.bytes) == (8, sum(map(len, members.values())))
    assert info.counts == {
        "test": {"REAL": 1, "FAKE": 1},
        "train": {"REAL": 2, "FAKE": 2},
        "validation": {"REAL": 1, "FAKE": 1},
    }
    assert info.generators == {"": 1, "glow": 2, "dc gan": 1}
    assert info.skipped == {"count": 0, "first": []}
    assert (
        store.get("First set")
        == store.get("a-1")
        == info
        == DatasetInfo.from_json(json.loads(json.dumps(info.to_json())))
    )
    assert store.list() == [info]
    rows = store.index("a-1").to_pylist()
    assert [row["path"] for row in rows] == LAYOUT
    assert [row["row"] for row in rows] == list(range(8))
    assert [row["group_id"] for row in rows] == list(range(8))
    for number, row in enumerate(rows):
        data, again = store.image("a-1", number)
        assert data == members[row["path"]]
        assert again == row
        assert row["position"] == number % 3
        assert (("REAL", "FAKE")[row["label"]], row["split"], row["generator"]) == PLACES[row["path"]]
        assert row["pixel_sha256"] == pixel_digest(decode(data).pixels)
        assert (row["width"], row["height"], row["format"], row["mode"], row["bytes"]) == (
            16,
            16,
            "PNG",
            "RGB",
            len(data),
        )
        assert row["jpeg_quality"] is None
    chunks = store.chunks("a-1")
    assert [chunk.rows for chunk in chunks] == [3, 3, 2]
    assert [data for chunk in chunks for data in read_chunk(chunk)] == [members[name] for name in LAYOUT]
    assert len({chunk.digest for chunk in chunks}) == 3
    (store.folder("a-1") / "chunks.json").unlink()  # as in a data set of an earlier program
    assert store.chunks("a-1") == chunks


def test_images_outside_the_data_set_are_not_found(tmp_path: Path, store: DatasetStore) -> None:
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    for number in (-1, 8):
        with pytest.raises(NotFound):
            store.image("a-1", number)
    for id in ("b-2", "../a-1", "", ".staging-a-1"):
        with pytest.raises(NotFound):
            store.get(id)


def test_thumbnails_are_small_jpegs_and_do_not_enlarge(tmp_path: Path, store: DatasetStore) -> None:
    tall = io.BytesIO()
    Image.new("RGBA", (50, 200), (255, 0, 0, 128)).save(tall, "PNG")
    import_into(store, zip_of(tmp_path / "a.zip", {"REAL/a.png": tall.getvalue(), "FAKE/b.png": picture(0)}))
    sizes = [Image.open(io.BytesIO(store.thumbnail("a-1", n, 100)), formats=["JPEG"]).size for n in (0, 1)]
    assert sizes == [(25, 100), (16, 16)]


def test_what_is_no_data_set_yet_is_found_and_discarded(tmp_path: Path, store: DatasetStore) -> None:
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    (store.prepare("b-2") / "shards").mkdir(parents=True)
    (store.root / ".trash-of-an-earlier-version").mkdir()
    assert [info.id for info in store.scan()] == ["a-1"]
    unfinished = store.list_unfinished()
    assert unfinished == [".trash-of-an-earlier-version", "b-2"]
    with pytest.raises(NotFound):
        store.publish("b-2")
    for id in ("a-1", *unfinished):
        store.discard(id)
    assert [path.name for path in store.root.iterdir()] == ["a-1"]


def test_deleting_leaves_nothing(tmp_path: Path, store: DatasetStore) -> None:
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    store.delete("a-1")
    assert list(store.root.iterdir()) == []
    with pytest.raises(NotFound):
        store.delete("a-1")


def test_damage_on_disk_is_told(tmp_path: Path, store: DatasetStore) -> None:
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    chunk = store.chunks("a-1")[0]
    Path(chunk.shard).write_bytes(b"PAR1")
    (store.folder("a-1") / "index.parquet").write_bytes(b"x")
    for call in (lambda: read_chunk(chunk), lambda: store.index("a-1")):
        with pytest.raises(IntegrityError):
            call()
    (store.folder("a-1") / "info.json").write_text("{}")
    with pytest.raises(IntegrityError):
        store.get("a-1")


def test_row_groups_are_bounded_by_rows_and_by_bytes(tmp_path: Path, store: DatasetStore) -> None:
    members = {f"REAL/{n}.png": picture(n, side=8) for n in range(ROWS_PER_GROUP + 1)}
    import_into(store, zip_of(tmp_path / "a.zip", members), limits=ImportLimits())
    assert [chunk.rows for chunk in store.chunks("a-1")] == [ROWS_PER_GROUP, 1]
    large = {f"REAL/{n}.bmp": picture(n, "BMP", side=2000) for n in range(4)}  # 12 MB each
    import_into(store, zip_of(tmp_path / "b.zip", large), "b-2", ImportLimits())
    assert [chunk.rows for chunk in store.chunks("b-2")] == [2, 2]
    assert store.image("b-2", 3)[0] == large["REAL/3.bmp"]


def test_a_shard_is_read_by_others_as_images_with_class_names(tmp_path: Path, store: DatasetStore) -> None:
    import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    schema = pq.read_schema(store.folder("a-1") / "shards" / "00000.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["image"] == {"_type": "Image"}
    assert features["label"]["names"] == ["REAL", "FAKE"]
    assert [field.name for field in schema.field("image").type] == ["bytes", "path"]


def test_reports_that_a_kill_left_are_removed_by_publishing_again(tmp_path: Path, store: DatasetStore) -> None:
    info = import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)))
    report = store.folder("a-1") / "shards" / "00000.json"
    report.write_text("{}")
    assert store.publish("a-1") == info
    assert not report.exists()


def test_a_damaged_data_set_does_not_hide_the_others(
    tmp_path: Path, store: DatasetStore, caplog: pytest.LogCaptureFixture
) -> None:
    info = import_into(store, zip_of(tmp_path / "a.zip", pictures(LAYOUT)), name="Whole")
    (store.root / "bad-1").mkdir()
    (store.root / "bad-1" / "info.json").write_text("{")
    assert store.list() == [info]
    assert store.get("Whole") == info
    assert "bad-1" in caplog.text
    with pytest.raises(IntegrityError):
        store.get("bad-1")
