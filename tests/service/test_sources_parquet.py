"""Parquet in the Hugging Face layout is read in bounded memory; what is damaged or unclear is refused."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.errors import (
    ArchiveTooLarge,
    BrokenArchive,
    DeepfakeError,
    LabelMismatch,
)
from backend.service.sources import ImportLimits, RawImage, open_source
from tests.service.pictures import picture
from tests.service.reading import read_source


def write_parquet(path: Path, columns: dict[str, Any], names: list[str] | None = None, **options: Any) -> Path:
    table = pa.table(columns)
    if names:
        info = {"info": {"features": {"label": {"_type": "ClassLabel", "names": names}, "image": {"_type": "Image"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    return path


def image_column(count: int) -> list[dict[str, Any]]:
    return [{"bytes": picture(n), "path": f"{n}.png"} for n in range(count)]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([1, 0, 1, 0, None, 7], ["FAKE", "REAL"]),
        ([0, 1, 0, 1, None, -1], ["real", "ai-generated"]),
        (["REAL", "fake", "Real", "FAKE", None, "cat"], None),
        (pa.array(["real", "fake", "real", "fake", None, "?"]).dictionary_encode(), None),
        ([False, True, False, True, None, None], None),
    ],
)
def test_parquet_labels_of_every_kind(tmp_path: Path, labels: Any, names: list[str] | None) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": image_column(6), "label": labels}, names)
    images, skips = read_source({"kind": "parquet", "path": str(path)}, ImportLimits(images_per_chunk=4))
    assert [(image.path, image.label, image.data) for image in images] == [
        (f"{n}.png", ("REAL", "FAKE")[n % 2], picture(n)) for n in range(4)
    ]
    assert [skip.code for skip in skips] == ["dataset.label_mismatch"] * 2


def test_parquet_numbers_without_names_are_refused_unless_the_names_are_given(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": image_column(2), "label": [0, 1]})
    with pytest.raises(LabelMismatch, match="numbers"):
        read_source({"kind": "parquet", "path": str(path)})
    images, _ = read_source({"kind": "parquet", "path": str(path), "label_names": ["FAKE", "REAL"]})
    assert [image.label for image in images] == ["FAKE", "REAL"]


def test_parquet_columns_of_ours_and_bare_bytes(tmp_path: Path) -> None:
    columns = {
        "image": [picture(0), picture(1), None],
        "label": ["REAL", "FAKE", "FAKE"],
        "split": ["train", "VALIDATION", ""],
        "generator": ["ignored", "a/b", "c"],
        "group": ["p1", None, "p2"],
    }
    path = write_parquet(tmp_path / "a.parquet", columns)
    images, skips = read_source({"kind": "parquet", "path": str(path)})
    assert images == [
        RawImage("a.parquet:0:0", picture(0), "REAL", "train", "", "p1"),
        RawImage("a.parquet:0:1", picture(1), "FAKE", "validation", "a-b", ""),
    ]
    assert [(skip.filename, skip.code) for skip in skips] == [("a.parquet:0:2", "upload.unreadable")]


def test_a_folder_of_parquet_gives_splits_by_file_name_and_cleans_paths(tmp_path: Path) -> None:
    for file in (
        "train-00000-of-00001.parquet",
        "data/test-00000-of-00001.parquet",
        "val/0.parquet",
        "trained.parquet",
    ):
        image = [{"bytes": picture(0), "path": "../../etc/passwd"}]
        write_parquet(tmp_path / file, {"image": image, "label": ["REAL"]})
    images, _ = read_source({"kind": "parquet", "path": str(tmp_path)})
    assert [(image.path, image.split) for image in images] == [
        ("passwd", "test"),
        ("passwd", "train"),
        ("passwd", ""),
        ("passwd", "validation"),
    ]


def test_one_large_row_group_is_cut_into_pieces_that_cover_it_once(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "a.parquet", {"image": image_column(205), "label": ["REAL", "FAKE"] * 102 + ["REAL"]}
    )
    description, limits = {"kind": "parquet", "path": str(path)}, ImportLimits(images_per_chunk=50)
    assert [plan.images for plan in open_source(description, limits).chunks()] == [41] * 5
    images, _ = read_source(description, limits)
    assert [image.path for image in images] == [f"{n}.png" for n in range(205)]


def test_a_dictionary_that_repeats_a_large_value_is_read_row_by_row(tmp_path: Path) -> None:
    """A 20 MB value a thousand times in a small file: 20 GB if it were unpacked at once."""
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array([bytes(20_000_000)]))
    table = pa.table({"image": values, "label": pa.array(["REAL"] * 1000)})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, compression="zstd", store_schema=False, dictionary_pagesize_limit=1 << 30)
    assert path.stat().st_size < 100_000
    code = (
        "import sys; from itertools import islice; from backend.service.sources import open_source\n"
        "source = open_source({'kind': 'parquet', 'path': sys.argv[1]})\n"
        "print(sum(1 for _ in islice(source.read(source.chunks()[-1]), 8)))\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    )
    if Path("/proc/self/status").exists():
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        read_rows, peak_kilobytes = map(int, done.stdout.split())
        assert read_rows == 8
        assert peak_kilobytes < 450_000
    with pytest.raises(ArchiveTooLarge):
        read_source({"kind": "parquet", "path": str(path)}, ImportLimits(max_unpacked_bytes=100_000_000))


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    columns = {"image": image_column(50), "label": ["REAL", "FAKE"] * 25}
    whole = write_parquet(tmp_path / "whole.parquet", columns, compression="none").read_bytes()
    path, dice = tmp_path / "a.parquet", random.Random(0)
    for data in (b"", b"PAR1", b"hello" * 100, whole[:-4], whole[100:]):
        path.write_bytes(data)
        with pytest.raises(BrokenArchive):
            read_source({"kind": "parquet", "path": str(path)})
    refused = 0
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(20):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            read_source({"kind": "parquet", "path": str(path)})
        except DeepfakeError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    "columns",
    [
        {"picture": [b"x"], "label": ["REAL"]},
        {"image": [b"x"], "class": ["REAL"]},
        {"image": ["text"], "label": ["REAL"]},
        {"image": [b"x"], "label": [0.5]},
        {"image": [{"path": "a.png"}], "label": ["REAL"]},
    ],
)
def test_parquet_of_another_layout_is_refused_with_what_would_be_right(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = write_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(LabelMismatch) as caught:
        read_source({"kind": "parquet", "path": str(path)})
    assert caught.value.hint
