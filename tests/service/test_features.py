import io
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from backend.core.errors import Cancelled, IntegrityError, UnknownExtractor
from backend.core.extractors import create
from backend.core.images import decode
from backend.service import features
from backend.service.datasets import FeatureChunk, read_chunk
from backend.service.engine import Engine
from backend.service.features import FeatureStore, compute_chunk
from backend.service.signals import Turn
from backend.settings import load_settings

SPEC = {"name": "spectrum"}
NOWHERE = Path("no-backbones")
ROWS = (5, 7, 3)
TOTAL = sum(ROWS)


@dataclass(frozen=True)
class Data:
    """Three chunks, and the features that they must get."""

    chunks: list[FeatureChunk]
    digest: str
    expected: np.ndarray


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A shard of three row groups with images of several sizes and formats."""
    random = np.random.default_rng(5)
    files = []
    for number in range(TOTAL):
        height, width = ((32, 32), (40, 24), (64, 64))[number % 3]
        buffer = io.BytesIO()
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, ("JPEG", "PNG")[number % 2])
        files.append(buffer.getvalue())
    path = tmp_path_factory.mktemp("shards") / "00000.parquet"
    table = pa.table({"image": [{"bytes": data, "path": f"{number}.img"} for number, data in enumerate(files)]})
    start = 0
    with pq.ParquetWriter(path, table.schema) as writer:
        for rows in ROWS:
            writer.write_table(table.slice(start, rows))
            start += rows
    chunks = [FeatureChunk(str(path), group, rows, f"{group:064x}") for group, rows in enumerate(ROWS)]
    extractor = create(SPEC, backbones=NOWHERE)
    return Data(chunks, extractor.digest, extractor.extract([decode(file).pixels for file in files]))


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "features")


@pytest.fixture
def compute(store):
    return partial(compute_chunk, spec=SPEC, backbones=NOWHERE, cache_root=store.root)


@pytest.fixture
def filled(data, compute):
    for chunk in data.chunks:
        compute(chunk)


def close(a, b):
    """Equal but for float16's 11 bits."""
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_features_are_those_of_the_extractor_in_row_order(data, store, compute):
    for chunk in reversed(data.chunks):
        compute(chunk)
    matrix = store.load(data.chunks, data.digest)
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    close(matrix, data.expected)
    close(np.concatenate(list(store.blocks(data.chunks, data.digest))), data.expected)


@pytest.mark.parametrize("batch", [1, 4, 1000])
def test_the_batch_size_does_not_matter(data, store, compute, batch):
    for chunk in data.chunks:
        compute(chunk, batch=batch)
    close(store.load(data.chunks, data.digest), data.expected)


def test_large_images_are_decoded_few_at_a_time(data, store, compute, monkeypatch):
    monkeypatch.setattr(features, "_BATCH_BYTES", 2 * 32 * 32 * 3)
    sizes = [len(batch) for batch in features.decoded_batches(read_chunk(data.chunks[1]), 64, None)]
    assert sum(sizes) == ROWS[1]
    assert max(sizes) <= 3
    for chunk in data.chunks:
        compute(chunk)
    close(store.load(data.chunks, data.digest), data.expected)


@pytest.mark.usefixtures("filled")
def test_chosen_rows(data, store):
    chosen = np.random.default_rng(1).random(TOTAL) < 0.5
    chosen[5:12] = False  # nothing of the second chunk
    close(store.load(data.chunks, data.digest, chosen), data.expected[chosen])
    assert store.load(data.chunks, data.digest, np.zeros(TOTAL, dtype=bool)).shape == (0, data.expected.shape[1])
    with pytest.raises(IntegrityError, match="chosen"):
        store.load(data.chunks, data.digest, np.ones(TOTAL + 1, dtype=bool))


def test_missing_says_what_is_not_there_and_finished_chunks_are_kept(data, store, compute):
    assert store.missing(data.chunks, data.digest) == data.chunks
    compute(data.chunks[1])
    assert store.missing(data.chunks, data.digest) == [data.chunks[0], data.chunks[2]]
    path = store.path(data.chunks[1], data.digest)
    os.utime(path, (1000, 1000))
    compute(data.chunks[1])
    assert path.stat().st_mtime == 1000
    assert store.missing(data.chunks, "f" * 64) == data.chunks  # another extractor's features are others
    twin = FeatureChunk("elsewhere", 9, data.chunks[0].rows, data.chunks[0].digest)
    assert store.missing([data.chunks[0], twin], data.digest) == [twin]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("how", ["empty", "short", "long", "header", "pickle", "rows", "type"])
def test_damaged_files_are_found_and_made_again(data, store, compute, how):
    path = store.path(data.chunks[1], data.digest)
    whole = path.read_bytes()
    damaged = {
        "empty": b"",
        "short": whole[:-1],
        "long": whole + b"x",
        "header": whole[:30] + b"?" * 40 + whole[70:],
        "pickle": b"\x80\x04]\x94.",
    }
    if how in damaged:
        path.write_bytes(damaged[how])
    else:
        shape = (ROWS[1] + 1, 3) if how == "rows" else (ROWS[1], 3)
        np.save(path, np.zeros(shape, dtype=np.float16 if how == "rows" else np.float32))
    assert store.missing(data.chunks, data.digest) == [data.chunks[1]]
    with pytest.raises(IntegrityError):
        store.load(data.chunks, data.digest)
    compute(data.chunks[1])
    close(store.load(data.chunks, data.digest), data.expected)


@pytest.mark.usefixtures("filled")
def test_widths_that_disagree_are_refused(data, store):
    np.save(store.path(data.chunks[2], data.digest), np.zeros((ROWS[2], 3), dtype=np.float16))
    with pytest.raises(IntegrityError, match="width"):
        store.load(data.chunks, data.digest)


def test_cancel_is_asked_before_each_batch_and_leaves_nothing(data, store, compute, tmp_path):
    turn, asked = Turn(tmp_path / "turn", "first"), 0
    turn.take()

    def cancelled():
        nonlocal asked
        asked += 1
        if asked == 3:
            turn.end()
        return turn()

    with pytest.raises(Cancelled):
        compute(data.chunks[1], batch=2, cancelled=cancelled)
    assert asked == 3
    assert not list(store.root.rglob("*.*"))


def test_a_write_that_fails_leaves_nothing(data, store, compute, monkeypatch):
    def full(file, array):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(features.np, "save", full)
    with pytest.raises(OSError, match="No space"):
        compute(data.chunks[0])
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_values_beyond_float16_are_clipped_and_no_numbers_refused(data, store, compute, monkeypatch):
    class Odd:
        digest, dimensions, reduce_above = data.digest, 2, None

        def __init__(self, value):
            self.value = value

        def extract(self, images):
            return np.full((len(images), 2), self.value, dtype=np.float32)

    monkeypatch.setattr(features, "_extractor", lambda spec, backbones: Odd(-1e9))
    compute(data.chunks[0])
    assert (store.load(data.chunks[:1], data.digest) == np.float16(-65_000)).all()
    monkeypatch.setattr(features, "_extractor", lambda spec, backbones: Odd(np.nan))
    with pytest.raises(IntegrityError, match="no numbers"):
        compute(data.chunks[1])


def test_a_shard_that_has_changed_is_noticed(data, compute):
    with pytest.raises(IntegrityError):
        compute(FeatureChunk(data.chunks[0].shard, 0, ROWS[0] + 1, "a" * 64))
    with pytest.raises(IntegrityError):
        compute(FeatureChunk(data.chunks[0].shard, 0, ROWS[0] - 1, "a" * 64))
    with pytest.raises(UnknownExtractor):
        compute_chunk(data.chunks[0], {"name": "magic"}, NOWHERE, Path("nowhere"))


@pytest.mark.usefixtures("filled")
def test_delete(data, store):
    store.delete(chunk.digest for chunk in data.chunks[:2])
    assert store.missing(data.chunks, data.digest) == data.chunks[:2]
    store.delete(chunk.digest for chunk in data.chunks)
    assert not list(store.root.glob("*/*.npy"))
    assert store.load([], data.digest).shape == (0, 0)


def test_on_worker_processes(data, store, compute, tmp_path):
    engine = Engine(load_settings(data_dir=tmp_path, workers=2))
    try:
        engine.map(compute, data.chunks, on_result=lambda *_: None)
        close(store.load(data.chunks, data.digest), data.expected)
        turn = Turn(tmp_path / "turn", "first")  # it was never, or is no more, the first start's turn
        store.delete(chunk.digest for chunk in data.chunks)
        with pytest.raises(Cancelled):
            engine.map(partial(compute, cancelled=turn), data.chunks, on_result=lambda *_: None)
    finally:
        engine.close()
