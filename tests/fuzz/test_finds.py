"""What the fuzzers found, each as the smallest input that shows it."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from safetensors.numpy import load

from backend.core.detector import restore
from backend.core.errors import ArchiveTooLarge, BrokenArchive, IntegrityError, InvalidInput
from backend.service.model_import import read_archive
from backend.service.sources.base import ImportLimits, Skip
from backend.service.sources.metadata import groups_of
from backend.service.sources.names import safe_name
from backend.service.sources.parquet import ParquetSource
from backend.service.sources.zip_archive import ZipSource
from tests.fuzz.seeds import exports, models, parquets
from tests.pictures import photo, zipped


@pytest.mark.parametrize("name", ["c:..", "c: ..", "x/../c:.", "/.."])
def test_a_drive_before_dots_leaves_no_dots(name: str) -> None:
    assert safe_name(name) == ""
    assert list(groups_of(f"file_name,group\n{name},g\n".encode(), "train/metadata.csv")) == ["train/"]


@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_64_bit_end_record_beyond_every_file(tmp_path: Path, offset: int) -> None:
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, offset, 1)
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "a.zip").write_bytes(locator + end)
    with pytest.raises(BrokenArchive):
        ZipSource(tmp_path / "a.zip", ImportLimits()).chunks()


@pytest.mark.parametrize("offset", [2**40, 2**63, 2**64 - 1])
def test_a_member_beyond_every_file_is_skipped(tmp_path: Path, offset: int) -> None:
    data = bytearray(zipped([("REAL/a.png", photo(0)), ("REAL/b.png", photo(1))]))
    record = data.rindex(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, offset)
    struct.pack_into("<H", data, record + 30, len(extra))
    struct.pack_into("<L", data, record + 42, 0xFFFFFFFF)  # the offset stands in the extra field
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<L", data, end + 12, struct.unpack_from("<L", data, end + 12)[0] + len(extra))
    (tmp_path / "a.zip").write_bytes(bytes(data[:end]) + extra + bytes(data[end:]))
    source = ZipSource(tmp_path / "a.zip", ImportLimits())
    (plan,) = source.chunks()
    kept, skipped = source.read(plan)
    assert kept.path == "REAL/a.png" if not isinstance(kept, Skip) else False
    assert isinstance(skipped, Skip)


_SWEEP = """
import contextlib, sys
from pathlib import Path
from backend.core.errors import DeepfakeError
from backend.service.sources.base import ImportLimits
from backend.service.sources.parquet import ParquetSource
path = Path(sys.argv[1])
data = path.read_bytes()
footer = int.from_bytes(data[-8:-4], "little")
for at in range(len(data) - 8 - footer, len(data) - 8):
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    with contextlib.suppress(DeepfakeError):
        ParquetSource(path, ImportLimits(max_members=1000)).chunks()
"""


def test_a_damaged_parquet_footer_never_ends_the_process(tmp_path: Path) -> None:
    """pyarrow aborts the process where the record of a single column is asked for and damaged."""
    path = tmp_path / "a.parquet"
    path.write_bytes(parquets()[0])
    ended = subprocess.run([sys.executable, "-c", _SWEEP, str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-500:]


def test_a_parquet_file_that_claims_endless_rows_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquets()[0])
    with pytest.raises(ArchiveTooLarge):
        ParquetSource(path, ImportLimits(max_members=3)).chunks()


def _model() -> tuple[dict[str, Any], dict[str, Any]]:
    data = models()[0]
    length = int.from_bytes(data[:2], "little")
    return json.loads(data[2 : 2 + length]), dict(load(data[2 + length :]))


@pytest.mark.parametrize("lost", ["extractor", "head", "calibration", "threshold"])
def test_a_card_that_lacks_a_part(tmp_path: Path, lost: str) -> None:
    card, arrays = _model()
    with pytest.raises(IntegrityError):
        restore({key: value for key, value in card.items() if key != lost}, arrays, backbones=tmp_path)
    with pytest.raises(IntegrityError):
        restore({**card, lost: []}, arrays, backbones=tmp_path)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1, 7e300, float("nan")])
def test_a_threshold_that_is_no_probability(tmp_path: Path, threshold: float) -> None:
    card, arrays = _model()
    with pytest.raises(IntegrityError):
        restore({**card, "threshold": threshold}, arrays, backbones=tmp_path)


@pytest.mark.parametrize("threshold", ["1" + "0" * 400, "NaN", "1e999", "true"])
def test_an_exported_card_with_a_number_that_is_none(threshold: str) -> None:
    with ZipFile(io.BytesIO(exports()[0])) as archive:
        card = archive.read("a/card.json").decode().replace('"threshold": 0.5', f'"threshold": {threshold}')
    with pytest.raises(InvalidInput):
        read_archive(io.BytesIO(zipped([("card.json", card.encode()), ("head.safetensors", b"")])))


@pytest.mark.parametrize("weights", [np.full(3, 1.0), np.float32([]), None, np.nan, np.inf, 1e30])
def test_arrays_that_no_fit_gives(tmp_path: Path, weights: Any) -> None:
    card, arrays = _model()
    if weights is None:
        del arrays["weights"]
    elif isinstance(weights, float):
        arrays["weights"] = np.full_like(arrays["weights"], weights)
    else:
        arrays["weights"] = weights
    with pytest.raises(IntegrityError):
        restore(card, arrays, backbones=tmp_path)
