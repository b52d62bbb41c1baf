"""Bounds on data sets and cached features, and that a removed data set leaves nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.core.errors import StorageQuota
from backend.service.app import Service, open_service
from backend.service.database import utc_now
from backend.service.quotas import evict_features, require_dataset_room
from tests.service.conftest import make_settings
from tests.service.importing_here import import_into, zip_of
from tests.service.pictures import picture

EXTRACTORS = ("a" * 64, "b" * 64)
LONG_AGO = 1e9


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service without workers, with the data sets first-1 and second-2; both have features of two extractors."""
    service = open_service(make_settings(tmp_path), run_jobs=False)
    for number, name in enumerate(("first-1", "second-2")):
        members = {f"{label}/{n}.png": picture(100 * number + 10 * n) for n in range(3) for label in ("REAL", "FAKE")}
        members["REAL/shared.png"] = members["FAKE/shared.png"] = picture(9999)
        add(service, name, tmp_path, members)
    yield service
    service.close()


def add(service: Service, name: str, folder: Path, members: dict[str, bytes]) -> None:
    """A data set with features that were written long ago."""
    info = import_into(service.datasets, zip_of(folder / f"{name}.zip", members), name)
    service.database.save_dataset(info.to_json())
    for chunk in service.datasets.chunks(name):
        for digest in EXTRACTORS:
            service.features.put(chunk, digest, np.zeros((chunk.rows, 50), np.float16))
            os.utime(service.features.path(chunk, digest), (LONG_AGO, LONG_AGO))


def record_fit(service: Service, dataset: str, digest: str) -> None:
    """The card of a model that was fitted now."""
    card = {"id": f"{dataset}-model", "name": "m", "created_at": utc_now(), "dataset": {"id": dataset}}
    service.database.save_model(card | {"extractor": {"digest": digest}})


def cached(service: Service) -> dict[str, int]:
    """Path -> bytes of every file of the feature cache."""
    return {str(path): path.stat().st_size for path in Path(str(service.features.root)).rglob("*.npy")}


def limited(service: Service, most: int) -> Service:
    """The same service with another limit of the cache, in bytes."""
    return replace(service, settings=service.settings.model_copy(update={"max_features_bytes": most}))


def places(service: Service, dataset: str, digest: str) -> set[str]:
    """The files that hold a data set's features by an extractor."""
    return {str(service.features.path(chunk, digest)) for chunk in service.datasets.chunks(dataset)}


def test_a_cache_within_its_limit_stays(service: Service) -> None:
    before = cached(service)
    assert evict_features(service) == 0  # no limit
    assert evict_features(limited(service, sum(before.values()))) == 0
    assert cached(service) == before


def test_what_was_used_longest_ago_goes_first(service: Service) -> None:
    before = cached(service)
    record_fit(service, "first-1", EXTRACTORS[0])
    used = places(service, "first-1", EXTRACTORS[0])
    limit = sum(before[path] for path in used)
    assert evict_features(limited(service, limit)) == sum(before.values()) - limit
    assert set(cached(service)) == used
    assert len(service.features.missing(service.datasets.chunks("first-1"), EXTRACTORS[0])) == 0


def test_no_more_is_removed_than_has_to_be(service: Service) -> None:
    before = cached(service)
    assert 0 < evict_features(limited(service, sum(before.values()) - 1)) <= max(before.values())


def test_features_of_no_data_set_go_before_all_others(service: Service) -> None:
    orphan = Path(str(service.features.root)) / EXTRACTORS[0][:16] / f"{'0' * 64}.npy"
    orphan.write_bytes(b"x" * 1000)
    limit = limited(service, sum(cached(service).values()) - 1)
    os.utime(orphan, (time.time() - 7200, time.time() - 7200))
    assert evict_features(limit) == 1000
    assert not orphan.exists()
    orphan.write_bytes(b"x" * 1000)  # new: its data set may be about to be published
    evict_features(limit)
    assert orphan.exists()


@pytest.mark.parametrize("params", [{"dataset_id": "first-1"}, {"dataset_id": "first"}])
def test_a_jobs_features_stay(service: Service, params: dict[str, Any]) -> None:
    row = service.database.get_dataset("first-1")
    assert row is not None
    service.database.save_dataset(row | {"name": "first"})
    service.jobs.submit("fit", params)
    evict_features(limited(service, 1))
    kept = places(service, "first-1", EXTRACTORS[0]) | places(service, "first-1", EXTRACTORS[1])
    assert set(cached(service)) == kept


def test_data_sets_are_bounded_in_number_and_bytes(service: Service) -> None:
    used = sum(info["bytes"] for info in service.database.list_datasets())

    def check(more: int, **limits: int) -> None:
        require_dataset_room(service.database, service.settings.model_copy(update=limits), more)

    check(10**12)
    check(5, max_datasets_bytes=used + 5)
    with pytest.raises(StorageQuota, match=f"{used:,} bytes") as error:
        check(6, max_datasets_bytes=used + 5)
    assert "first-1" in error.value.hint
    check(0, max_datasets=3)
    with pytest.raises(StorageQuota, match="2 data sets"):
        check(0, max_datasets=2)


def test_a_removed_data_set_leaves_nothing_and_takes_nothing_of_others(service: Service, tmp_path: Path) -> None:
    others = set(cached(service))
    add(
        service,
        "third-3",
        tmp_path,
        {f"{label}/{n}.png": picture(7000 + n) for n in range(4) for label in ("REAL", "FAKE")},
    )
    own = {chunk.digest for chunk in service.datasets.chunks("third-3")}
    service.datasets.thumbnail("third-3", 0)
    service.delete_dataset("third-3")
    everything = [path for path in service.settings.scratch.rglob("*") if path.is_file()]
    assert not [path for path in everything if "third-3" in str(path.parent) or path.stem in own]
    assert set(cached(service)) == others
    assert service.database.get_dataset("third-3") is None


def test_a_damaged_data_set_can_be_removed_and_stands_in_nobodys_way(service: Service) -> None:
    for name in ("chunks.json", "index.parquet"):
        (service.datasets.root / "second-2" / name).write_bytes(b"damaged")
    own = places(service, "first-1", EXTRACTORS[0])
    for dataset_id in ("first-1", "second-2"):
        service.delete_dataset(dataset_id)
    assert service.datasets.list() == []
    assert not own & set(cached(service))
